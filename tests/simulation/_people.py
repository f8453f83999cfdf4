"""People: real clients that register, write, read, go away and come back.

A `Person` is what lasts: a folder, a plan, what was composed. Each of its processes is
a real session of the SDK over simulated ports.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import trio
from tests.simulation._client_ports import (
    ADDRESS,
    DATABASE_KEY,
    GivenKey,
    SimulatedNet,
)
from tests.simulation._disk import ClientExecutor
from tests.simulation._history import (
    Alarm,
    ClientKept,
    Ended,
    Gone,
    Handled,
    KeptMessage,
    Sending,
    Sent,
    Shown,
)
from tests.simulation._machines import Machine
from tests.simulation._network import Network
from tests.simulation._plan import FaultKind, Plan
from tests.simulation._secure import Secure
from tests.simulation._world import ClientEntropy, Process, World

from wigwag.client import (
    AnyEvent,
    Gap,
    MessageReceived,
    MessageState,
    MessageStateChanged,
    MessageUndelivered,
    MessageUnreadable,
    PeerUnknown,
    ProfileExists,
    ProfileMissing,
    Session,
    SessionEnded,
    WigwagError,
    delete_account,
    open_session,
    register,
)
from wigwag.client._content import Text, decode_content
from wigwag.client._join import Join, format_join
from wigwag.client._ports import Ports
from wigwag.client._profile import DATABASE_FILE, LOCK_FILE
from wigwag.client._store import open_database

JOIN: Final = format_join(Join(ADDRESS, bytes(32), ""))

CONSUMER: Final = "bot"

BURST: Final = (2, 12)
"""Fewest and most messages of a burst: a pipeline, with refusals in its middle."""

BURST_PAUSES_SECONDS: Final = (0.0, 0.05, 0.3)
"""Longest pause between two messages of a burst: with a pause, limits run out and
recover in its middle."""

DONE_SHARE: Final = 0.8
"""Share of the events that are said to be handled at once; the rest by a later one."""

RETRY_SECONDS: Final = 5.0
"""Until a call that failed is made again."""

TEXT_BYTES: Final = (10, 400)

POLL_SECONDS: Final = 0.25
"""Between two looks at who is online."""


BEHIND_FACTOR: Final = 4.0
AHEAD_FACTOR: Final = 0.5
"""How people hurry when little was written, and rest when much was."""


class Pace:
    """Keeps what is written in a whole world near its plan.

    Whoever is away writes nothing; without this an hour would hold 600 messages in
    one seed and 2,000 in another one.
    """

    def __init__(self, messages_per_second: float) -> None:
        self._messages_per_second = messages_per_second
        self._written = 0

    def wrote(self) -> None:
        """Count a message."""
        self._written += 1

    def factor(self) -> float:
        """Return by how much more or less than usual is to be written now."""
        wanted = self._messages_per_second * trio.current_time()
        return BEHIND_FACTOR if self._written < wanted else AHEAD_FACTOR


class Person:
    """Somebody with a device, over all of its processes.

    Attributes:
        name: Of the account, and of the processes.
        plan: Of the world.
        is_registered: Whether the account is there, and the profile complete.
        machine: Where the processes run; set by `person_machine`.
    """

    machine: Machine

    def __init__(
        self,
        world: World,
        network: Network,
        plan: Plan,
        pace: Pace,
        name: str,
        secure: Secure | None = None,
    ) -> None:
        self._secure = secure
        self.name = name
        self._pace = pace
        self._world = world
        self._network = network
        self.plan = plan
        self._folder = world.folder / name
        self._random = world.random(f"person {name}")
        self.is_registered = False
        self._composed = 0
        self._rests = False
        self._resting = trio.Event()
        self._session: Session | None = None
        self._leaves = trio.Event()
        self.is_gone = False

    def leave(self) -> None:
        """Leave for good, as planned."""
        self._leaves.set()
        if self.plan.leaving is FaultKind.ACCOUNT_DELETED:
            self.machine.stop(0.0)

    def rest(self) -> None:
        """Compose nothing more."""
        self._rests = True
        self._resting.set()

    @property
    def is_online(self) -> bool:
        """Whether the present process is signed in."""
        session = self._session
        return session is not None and session.connectivity.is_online

    async def online(self) -> None:
        """Wait until signed in, or gone for good."""
        while not (self.is_online or self.is_gone):  # noqa: ASYNC110 - the session may end meanwhile
            await trio.sleep(POLL_SECONDS)

    def boot(self, number: int) -> tuple[Process, Callable[[], Awaitable[None]]]:
        """Make a process and what runs it."""
        process = Process(self._world, self.name)
        entropy = ClientEntropy(self._world.random(f"client {self.name} {number}"))
        ports = Ports(
            net=SimulatedNet(self._world, self._network, process, self._secure),
            executor=ClientExecutor(process, self.machine.disk),
            clock=self.machine.clock,
            entropy=entropy,
            keys=GivenKey(),
            has_handover=False,
        )

        async def main() -> None:
            await process.run(lambda: self._live(ports))

        return process, main

    def files(self) -> list[Path]:
        """Return what a copy of the profile consists of; nothing before it is made."""
        if not self.is_registered:
            return []
        found = sorted(path for path in self._folder.iterdir() if path.is_file())
        return [path for path in found if path.name != LOCK_FILE]

    async def keep(self) -> ClientKept:
        """Read what the last process left on the disk, once it has ended."""
        await self.machine.ended.wait()
        database = open_database(self._folder / DATABASE_FILE, DATABASE_KEY, None)
        found = database.execute("SELECT user FROM account").fetchall()
        account = found[0][0] if found else b""
        assert isinstance(account, bytes)
        messages: list[KeptMessage] = []
        rows = database.execute(
            "SELECT id, content FROM message WHERE is_own = 0 ORDER BY rowid"
        )
        for id_, content in rows.fetchall():
            assert isinstance(id_, bytes)
            assert content is None or isinstance(content, bytes)
            messages.append(KeptMessage(id_, _text(content)))
        unsent = database.execute("SELECT id FROM outbox ORDER BY position").fetchall()
        database.close()
        return ClientKept(
            trio.current_time(),
            self.name,
            account,
            tuple(messages),
            tuple(id_ for (id_,) in unsent if isinstance(id_, bytes)),
        )

    async def _live(self, ports: Ports) -> None:
        while not self.is_registered:
            try:
                await register(self.name, JOIN, profile=self._folder, ports=ports)
                self.is_registered = True
            except ProfileExists:
                # The call before was killed when all was done but the return.
                self.is_registered = True
            except WigwagError as error:
                self._world.trace(f"{self.name} register {type(error).__name__}")
                await trio.sleep(RETRY_SECONDS)
        if self._leaves.is_set() and self.plan.leaving is FaultKind.ACCOUNT_DELETED:
            await self._delete(ports)
            await trio.sleep_forever()
        async with open_session(self._folder, ports=ports) as session:
            self._session = session
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read, session)
                    nursery.start_soon(self._write, session)
                    if self.name == self.plan.leaver:
                        nursery.start_soon(self._sign_out, session)
            finally:
                self._session = None

    # Leaving

    async def _delete(self, ports: Ports) -> None:
        """Delete the account, again and again until it is known to be gone."""
        while not self.is_gone:
            try:
                await delete_account(self._folder, ports=ports)
            except ProfileMissing:
                # The call before was killed when all was done but the return.
                self._is_told()
            except WigwagError as error:
                self._world.trace(f"{self.name} delete {type(error).__name__}")
                await trio.sleep(RETRY_SECONDS)
            else:
                self._is_told()

    async def _sign_out(self, session: Session) -> None:
        """Remove the own device; a later process tries to sign in all the same."""
        await self._leaves.wait()
        while not self.is_gone:
            try:
                await session.revoke_device(1)
            except (PeerUnknown, SessionEnded):
                # The call before was killed, or cut off, when all was done.
                if session.connectivity.is_final:
                    self._is_told()
                    return
                await trio.sleep(RETRY_SECONDS)
            except WigwagError as error:
                self._world.trace(f"{self.name} sign out {type(error).__name__}")
                await trio.sleep(RETRY_SECONDS)
            else:
                self._is_told()
                self.machine.stop(RETRY_SECONDS)

    def _is_told(self) -> None:
        self.is_gone = True
        self._world.record(Gone(trio.current_time(), self.name))

    # Writing

    async def _write(self, session: Session) -> None:
        random = self._random
        plan = self.plan
        burst = sum(BURST) / 2 * plan.burst_share + 1 - plan.burst_share
        rate = plan.messages_per_second / len(plan.names) / burst
        while not self._rests:
            with trio.move_on_after(random.expovariate(rate * self._pace.factor())):
                await self._resting.wait()
                return
            is_burst = random.random() < plan.burst_share
            peer = random.choice(plan.peers[self.name])
            pause = random.choice(BURST_PAUSES_SECONDS)
            for _ in range(random.randint(*BURST) if is_burst else 1):
                await self._send(session, peer)
                await trio.sleep(random.uniform(0, pause))

    async def _send(self, session: Session, peer: str) -> None:
        self._composed += 1
        filling = "." * self._random.randint(*TEXT_BYTES)
        text = f"{self.name} {self._composed} {filling}"
        self._world.record(Sending(trio.current_time(), self.name, peer, text))
        try:
            sent = await session.send(peer, text)
        except WigwagError as error:
            # Nothing is in the outbox; the peer may not have registered yet.
            self._world.trace(f"{self.name} send {type(error).__name__}")
            return
        id_ = bytes.fromhex(sent.message_id)
        self._pace.wrote()
        self._world.record(Sent(trio.current_time(), self.name, text, id_))

    # Reading

    async def _read(self, session: Session) -> None:
        try:
            await self._read_all(session)
        except SessionEnded:
            if not self._leaves.is_set():
                raise

    async def _read_all(self, session: Session) -> None:
        random = self._random
        async for event in session.events(consumer=CONSUMER):
            self._note(event)
            if random.random() < DONE_SHARE or self._rests:
                await event.done()
                if isinstance(event, MessageReceived):
                    id_ = bytes.fromhex(event.message.id)
                    now = trio.current_time()
                    self._world.record(Handled(now, self.name, CONSUMER, id_))

    def _note(self, event: AnyEvent) -> None:
        now = trio.current_time()
        match event:
            case MessageReceived(message=message):
                id_, text = bytes.fromhex(message.id), message.text or ""
                self._world.record(Shown(now, self.name, CONSUMER, id_, text))
            case MessageStateChanged(message=message, state=state):
                if state in _ENDS:
                    id_ = bytes.fromhex(message.id)
                    self._world.record(Ended(now, self.name, id_, state.name))
            case Gap() | MessageUndelivered() | MessageUnreadable() if (
                self.plan.leaver or _RESTORES & set(self.plan.kinds)
            ):
                # Told as it must be; the checkers know what was put back.
                return
            case _:
                # Nobody here changes keys or goes beyond a quota.
                self._world.record(Alarm(now, self.name, type(event).__name__))


_RESTORES: Final = {FaultKind.SERVER_RESTORED, FaultKind.CLIENT_RESTORED}


_ENDS: Final = frozenset(
    {
        MessageState.SEQUENCED,
        MessageState.REJECTED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
    }
)


def person_machine(world: World, person: Person) -> Machine:
    """Make a person's machine."""
    skew_ms = person.plan.skews_ms[person.name]
    person.machine = Machine(world, person.name, person.boot, skew_ms)
    person.machine.files = person.files
    person.machine.on_leave = person.leave
    return person.machine


def _text(content: bytes | None) -> str | None:
    if content is None:
        return None
    decoded = decode_content(content)
    return decoded.text if isinstance(decoded, Text) else None
