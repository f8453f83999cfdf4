"""What an operator does with a running server: look, invite, drain, mend the clock."""

import resource
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.server._address import Address
from wigwag.server._admin import (
    AdminCommand,
    AdminRefusedError,
    AdminRequest,
    Reply,
)
from wigwag.server._ask import ask
from wigwag.server._certificate_keeper import CertificateKeeper
from wigwag.server._errors import ServerError
from wigwag.server._join import INVITE_BYTES, JoinString, invite_code
from wigwag.server._proofs import invite_hash
from wigwag.server._services import Services
from wigwag.server.core import (
    USER_BYTES,
    EngineStatus,
    Entries,
    InboxRead,
    InviteCreate,
    InviteCreated,
    Status,
    device_of,
)
from wigwag.server.engines import SCHEMA_VERSION
from wigwag.wire import DRAFT

INVITE_USES_MAX = 1_000_000
INVITE_SECONDS_MAX = 366 * 86_400
# More of one inbox isn't counted: the reply says this many then.
ENTRIES_COUNTED_MAX = 1_000
ENTRIES_BYTES_MAX = 16 << 20
DEVICE_NUMBER_MAX = 127


@dataclass(frozen=True, slots=True)
class ListensOn:
    """The ports that a server has.

    Attributes:
        clients: Where it takes clients.
        health: Where it answers health checks; None: nowhere.
    """

    clients: Address
    health: Address | None


class Operations:
    """The operator's actions on one server.

    Args:
        services: The server.
        address: Under which clients reach it.
        certificates: What they hold it to, and what it presents.
        drain: Begins to end the server gracefully.
        accept_clock: Follows the machine's clock; returns by how many ms it moved.
        version: Of this build.
        listens_on: Where it takes clients, and where it answers health checks.
        token_issuer: Whose tokens let people register; empty: nobody's.
    """

    def __init__(
        self,
        services: Services,
        *,
        address: Address,
        certificates: CertificateKeeper,
        drain: Callable[[], None],
        accept_clock: Callable[[], int],
        version: str,
        listens_on: ListensOn,
        token_issuer: str = "",
    ) -> None:
        self._services = services
        self._address = address
        self._certificates = certificates
        self._drain = drain
        self._accept_clock = accept_clock
        self._version = version
        self._listens_on = listens_on
        self._token_issuer = token_issuer

    def commands(self) -> dict[str, AdminCommand]:
        """Return what the admin socket takes."""
        return {
            "status": self._status_reply,
            "invite": self._invite_reply,
            "drain": self._drain_reply,
            "accept-clock": self._accept_clock_reply,
            "reload-certificate": self._reload_certificate_reply,
            "inbox": self._inbox_reply,
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
        return JoinString(self._address, self._certificates.ca_pin, code)

    def address(self) -> JoinString:
        """Return how to reach the server, without an invite."""
        return JoinString(self._address, self._certificates.ca_pin)

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
            "pages_damaged": counts.pages_damaged,
            "memory_held_bytes": memory.held_bytes,
            "memory_bytes_max": memory.budget_bytes,
            **self._build_reply(),
            **self._certificate_reply(),
            "clock_ms": self._services.clock.now_ms(),
            "newest_ms": status.clock_ms,
        }

    def _certificate_reply(self) -> Reply:
        status = self._certificates.status
        return {
            "certificate": str(status.path),
            "certificate_ends": f"{status.ends:%Y-%m-%dT%H:%M:%SZ}",
            "certificate_reloads": status.reloads,
            "certificate_problem": status.problem,
        }

    def _build_reply(self) -> Reply:
        """Say what runs here, and with what of the machine."""
        health = self._listens_on.health
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return {
            "listen": str(self._listens_on.clients),
            "health": "off" if health is None else str(health),
            "revision_draft": DRAFT,
            "finalized": self._services.connection_config.finalized,
            "schema": SCHEMA_VERSION,
            "connections_max": self._services.limits.connections_max,
            "descriptors_max": descriptors,
        }

    async def _inbox_reply(self, request: AdminRequest) -> Reply:
        """Count what waits for one device; its owner's to know, and the operator's."""
        try:
            user = bytes.fromhex(request.user)
        except ValueError:
            user = b""
        if len(user) != USER_BYTES or not 1 <= request.device <= DEVICE_NUMBER_MAX:
            raise AdminRefusedError(
                "an inbox is named by its user (hexadecimal) and device"
            )
        device = device_of(user, request.device)
        found = await ask(
            self._services.engine,
            InboxRead(device, 0, ENTRIES_COUNTED_MAX, ENTRIES_BYTES_MAX),
        )
        if not isinstance(found, Entries):
            raise AdminRefusedError("the server can't tell now: try again")
        size = sum(entry.size for entry in found.entries)
        return {"entries": len(found.entries), "bytes": size}

    async def _invite_reply(self, request: AdminRequest) -> Reply:
        join = await self.invite(request.uses, request.expires_seconds)
        return {
            "join": join.reveal(),
            "address": self.address().reveal(),
            "token_issuer": self._token_issuer,
            "uses": request.uses,
            "expires_seconds": request.expires_seconds,
        }

    async def _drain_reply(self, _: AdminRequest) -> Reply:
        connections = self._services.hub.counts.connections
        self._drain()
        return {"draining": True, "connections": connections}

    async def _reload_certificate_reply(self, _: AdminRequest) -> Reply:
        try:
            is_other = await self._certificates.reload()
        except ServerError as error:
            raise AdminRefusedError(
                f"{error.sentence}; the certificate in use stays"
            ) from error
        return {"is_other": is_other, **self._certificate_reply()}

    async def _accept_clock_reply(self, _: AdminRequest) -> Reply:
        return {"step_ms": self._accept_clock()}
