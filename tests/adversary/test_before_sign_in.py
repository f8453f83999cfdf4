"""Before a verified session: nothing changes, and nobody's bytes are told (I14)."""

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_bytes
from tempfile import TemporaryDirectory
from typing import TypeAlias, cast

import apsw
import pytest

from wigwag.bench.adversary import Account, People, Sources, Target, Wire
from wigwag.server import Config, Limits
from wigwag.testing import RunningServer, server_in_thread
from wigwag.wire import (
    DRAFT,
    INFO_BY_RECORD,
    MESSAGES,
    Ack,
    DeviceListGet,
    DeviceListPublish,
    Error,
    ErrorCode,
    Goaway,
    Message,
    Ping,
    Pong,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ReceiptsGet,
    ReRegister,
    Sequenced,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    encode_frame,
    make_error,
    suite1,
)

CORR = 7
NAME = "canary.name"
TEXT = b"canary text that waits in an inbox"
# What every start, look-up and second changes; none of it is anybody's.
CLOCKS = frozenset({"log", "epoch"})

Rows: TypeAlias = dict[str, list[tuple[object, ...]]]


def _rows_of(path: Path) -> Rows:
    with closing(apsw.Connection(str(path))) as database:
        run = cast(
            "Callable[[str], Iterable[tuple[object, ...]]]",
            database.execute,  # pyright: ignore[reportUnknownMemberType]  # its stubs
        )
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        names = [str(name) for (name,) in run(tables)]
        return {
            name: sorted(run(f"SELECT * FROM {name}"), key=repr)  # noqa: S608 - our own
            for name in names
            if name not in CLOCKS
        }


class World:
    """A server with two accounts that have names, a chat and waiting mail."""

    def __init__(self, running: RunningServer) -> None:
        self.folder = running.folder
        self.target = Target(
            "127.0.0.1", running.address.port, Sources(103), People(())
        )
        self.alice, self.bob = Account(), Account()
        with (
            Wire.hello(self.target) as to_alice,
            Wire.hello(self.target) as to_bob,
        ):
            to_alice.register(self.alice)
            to_bob.register(self.bob)
            to_alice.ask(UsernameClaim(NAME))
            message = self.alice.send_to(self.bob, TEXT)
            assert isinstance(to_alice.ask(message), Sequenced)
            self.alice.note_stored(message)

    def rows(self) -> Rows:
        """Return everything that the server has stored."""
        # The server holds the file alone; it is quiet, so that a copy is whole.
        with TemporaryDirectory(prefix="wigwag-") as name:
            for file in self.folder.glob("wigwag.db*"):
                shutil.copy(file, name)
            return _rows_of(Path(name) / "wigwag.db")

    def canaries(self) -> list[bytes]:
        """Return what belongs to somebody, as it would be told."""
        found = [NAME.encode(), TEXT]
        for account in (self.alice, self.bob):
            found += [
                account.user,
                account.account_public,
                account.signing_public,
                account.agreement_public,
                account.registration_id.to_bytes(4),
            ]
        return [*found, suite1.direct_chat_id(self.alice.user, self.bob.user)]


@pytest.fixture(scope="module")
def world() -> Generator[World]:
    """One quiet server: whatever changes in it, a test has changed."""
    config = Config(
        listen="127.0.0.1:0",
        registration="open",
        development=True,
        limits=Limits(auth_seconds=10),
    )
    with server_in_thread(config) as running:
        yield World(running)


def messages_of(world: World, wire: Wire) -> Iterator[Message]:
    """Yield one of every message that a client may send, about alice and bob.

    What is signed is signed by a stranger: he has none of their keys.
    """
    alice, bob = world.alice, world.bob
    chat = suite1.direct_chat_id(alice.user, bob.user)
    impostor = Account(
        user=alice.user, registration_id=alice.registration_id, generation=2**40
    )
    yield Ping(1)
    yield Pong(1)
    yield make_error(ErrorCode.UNAVAILABLE, 1)
    yield Goaway(code=ErrorCode.GOING_AWAY, last_corr=0, retry_after_ms=0)
    yield from (
        UsernameClaim("taken"),
        UsernameResolve(NAME),
        UsernameOf(alice.user),
        PrekeysUpload((), (), signed=impostor.signed_prekey(9)),
        PrekeysCount(),
        PrekeysClaim(bob.user),
        DeviceListGet(bob.user, 0),
        ReceiptsGet((chat,)),
        Ack(2**33),
        impostor.send_to(bob, b"forged"),
    )
    impostor.device_list()
    yield DeviceListPublish(impostor.empty_list())
    if wire.connection.revision:
        yield from (
            wire.auth_message(impostor),
            wire.deletion(impostor),
            wire.register_message(impostor, token_bytes(16)),
            ReRegister(
                signature=token_bytes(64),
                user=alice.user,
                device=1,
                registration_id=5,
                generation=2**40,
                signed_prekey=impostor.signed_prekey(9),
            ),
        )


@contextmanager
def nothing_happens(world: World) -> Generator[bytearray]:
    """Hold the block to change no row and to be told nothing of anybody's."""
    before = world.rows()
    told = bytearray()
    yield told
    assert world.rows() == before
    assert not [canary for canary in world.canaries() if canary in told]


def everything_said(wire: Wire, told: bytearray) -> list[Message]:
    """Return every message until the end or a PONG, and note the bytes."""
    messages: list[Message] = []
    while (frame := wire.read_frame()) is not None:
        told += frame.raw
        message = frame.message
        assert message is not None
        messages.append(message)
        if isinstance(message, Pong) and frame.corr != CORR:
            break
    return messages


def test_before_hello_no_message_is_answered_or_has_an_effect(world: World) -> None:
    """Not one byte: whoever scans for servers learns nothing (R-SHAKE-002)."""
    with Wire.hello(world.target) as greeted:
        messages = list(messages_of(world, greeted))
    with nothing_happens(world):
        for message in messages:
            with Wire.connect(world.target) as wire:
                wire.send(encode_frame(message, DRAFT, corr_of(message)))
                assert wire.read_frame() is None, message
                assert wire.is_end_clean


def test_before_sign_in_no_message_has_an_effect(world: World) -> None:
    """Every message there is, with a stranger's signature where one is due (I14)."""
    with Wire.hello(world.target) as greeted:
        types = [type(message) for message in messages_of(world, greeted)]
    with nothing_happens(world) as told:
        for number, kind in enumerate(types):
            with Wire.hello(world.target) as wire:
                message = list(messages_of(world, wire))[number]
                wire.send(encode_frame(message, DRAFT, corr_of(message)))
                barrier = wire.next_corr()
                wire.send(encode_frame(Ping(0), DRAFT, barrier))
                answers = everything_said(wire, told)
            assert {type(answer) for answer in answers} <= {Error, Goaway, Pong}, kind
            assert answers, kind


def test_these_are_all_messages_that_a_client_can_send(world: World) -> None:
    """A message that is added must be added here, too; HELLO is what comes before."""
    with Wire.hello(world.target) as greeted:
        tried = {type(message) for message in messages_of(world, greeted)}
    assert {INFO_BY_RECORD[kind].name for kind in tried} == {
        info.name for info in MESSAGES.values() if info.direction != "server"
    } - {"HELLO"}


def test_the_rows_would_show_an_effect(world: World) -> None:
    """The comparison itself: what a device that is signed in does is seen in it."""
    before = world.rows()
    with Wire.signed_in(world.target, world.alice) as wire:
        wire.ask(UsernameClaim(NAME))
        assert wire.ask(Ping(1)) == Pong(1)
    assert world.rows() != before


def corr_of(message: Message) -> int:
    """Return a number for what needs one."""
    info = INFO_BY_RECORD[type(message)]
    return CORR if info.kind == "request" or isinstance(message, Pong) else 0
