"""What an operator does with a running server: look, invite, drain, set the clock."""

from collections.abc import Callable

from wigwag.server._address import Address
from wigwag.server._admin import (
    AdminCommand,
    AdminRefusedError,
    AdminRequest,
    Reply,
)
from wigwag.server._ask import ask
from wigwag.server._join import INVITE_BYTES, JoinString, invite_code
from wigwag.server._proofs import invite_hash
from wigwag.server._services import Services
from wigwag.server.core import EngineStatus, InviteCreate, InviteCreated, Status

INVITE_USES_MAX = 1_000_000
INVITE_SECONDS_MAX = 366 * 86_400


class Operations:
    """The operator's actions on one server.

    Args:
        services: The server.
        address: Under which clients reach it.
        ca_pin: What they hold it to.
        drain: Begins to end the server gracefully.
        accept_clock: Follows the machine's clock; returns by how many ms it moved.
        version: Of this build.
    """

    def __init__(
        self,
        services: Services,
        *,
        address: Address,
        ca_pin: bytes,
        drain: Callable[[], None],
        accept_clock: Callable[[], int],
        version: str,
    ) -> None:
        self._services = services
        self._address = address
        self._ca_pin = ca_pin
        self._drain = drain
        self._accept_clock = accept_clock
        self._version = version

    def commands(self) -> dict[str, AdminCommand]:
        """Return what the admin socket takes."""
        return {
            "status": self._status_reply,
            "invite": self._invite_reply,
            "drain": self._drain_reply,
            "accept-clock": self._accept_clock_reply,
        }

    async def status(self) -> EngineStatus:
        """Ask the engine what it holds."""
        answer = await ask(self._services.engine, Status())
        if not isinstance(answer, EngineStatus):
            raise AdminRefusedError("the server can't tell now: try again")
        return answer

    async def invite(self, uses: int, expires_seconds: int) -> JoinString:
        """Make an invite that is durable when this returns.

        Args:
            uses: Registrations that it is good for.
            expires_seconds: From now.

        Raises:
            AdminRefusedError: A number is out of range, or the disk is full.
        """
        if not 1 <= uses <= INVITE_USES_MAX:
            raise AdminRefusedError(f"uses is 1 to {INVITE_USES_MAX}")
        if not 1 <= expires_seconds <= INVITE_SECONDS_MAX:
            raise AdminRefusedError("an invite lasts from a second to a year")
        services = self._services
        code = invite_code(services.entropy.token(INVITE_BYTES))
        answer = await ask(
            services.engine,
            InviteCreate(
                code_hash=invite_hash(code),
                uses=uses,
                expires_ms=services.clock.now_ms() + expires_seconds * 1000,
            ),
        )
        if not isinstance(answer, InviteCreated):
            raise AdminRefusedError("the invite was not stored: is the disk full?")
        return JoinString(self._address, self._ca_pin, code)

    def address(self) -> JoinString:
        """Return how to reach the server, without an invite."""
        return JoinString(self._address, self._ca_pin)

    async def _status_reply(self, _: AdminRequest) -> Reply:
        status = await self.status()
        counts = self._services.hub.counts
        memory = self._services.hub.memory
        return {
            "version": self._version,
            "address": str(self._address),
            "accounts": status.accounts,
            "inbox_bytes": status.inbox_bytes,
            "devices": status.devices,
            "chats": status.chats,
            "database_bytes": status.database_bytes,
            "is_space_low": status.is_space_low,
            "epoch": status.epoch,
            "connections": counts.connections,
            "signed_in": counts.signed_in,
            "sequenced": counts.sequenced,
            "failures": counts.failures,
            "restores_proven": counts.restores_proven,
            "entries_corrupt": counts.entries_corrupt,
            "memory_held_bytes": memory.held_bytes,
            "memory_bytes_max": memory.budget_bytes,
        }

    async def _invite_reply(self, request: AdminRequest) -> Reply:
        join = await self.invite(request.uses, request.expires_seconds)
        return {
            "join": join.reveal(),
            "uses": request.uses,
            "expires_seconds": request.expires_seconds,
        }

    async def _drain_reply(self, _: AdminRequest) -> Reply:
        connections = self._services.hub.counts.connections
        self._drain()
        return {"draining": True, "connections": connections}

    async def _accept_clock_reply(self, _: AdminRequest) -> Reply:
        return {"step_ms": self._accept_clock()}
