"""Long work is done in pieces: nobody waits for somebody else's many signatures."""

from collections.abc import Iterator

import msgspec
import pytest
from tests.server._gated import Bench
from tests.server._peer import Account, connect

from wigwag.server.core import PrekeysCount as CountRequest
from wigwag.server.core import PrekeysUpload as UploadRequest
from wigwag.server.handlers._keys import SIGNATURES_AT_ONCE
from wigwag.testing import server
from wigwag.wire import (
    Error,
    ErrorCode,
    PrekeysCount,
    PrekeysStored,
    PrekeysUpload,
    Received,
)

KEYS = 64


@pytest.fixture
def bench() -> Bench:
    """A device that has signed in."""
    bench = Bench()
    bench.sign_in()
    return bench


def upload(account: Account, count: int = KEYS) -> PrekeysUpload:
    """Return an upload with so many signatures."""
    kem = tuple(account.kem_prekey(number) for number in range(2, 2 + count))
    return PrekeysUpload(one_time=(), kem=kem)


def test_an_upload_is_verified_piece_by_piece(bench: Bench) -> None:
    """65 signatures are seven milliseconds; what follows on the connection waits."""
    bench.client.send(upload(bench.account))
    bench.client.send(PrekeysCount())
    bench.carry()
    pieces = 0
    while not bench.engine.depth:
        assert not bench.session.wants_reading
        assert bench.hub.memory.held_bytes > 64 * 1_568
        bench.hub.work_on()
        bench.hub.flush()
        pieces += 1
    assert pieces == KEYS // SIGNATURES_AT_ONCE + 1
    kinds = [type(request) for request, _ in bench.engine.waiting]
    assert kinds == [UploadRequest, CountRequest]
    assert bench.session.wants_reading


def test_a_wrong_signature_in_the_last_piece_is_refused(bench: Bench) -> None:
    """Nothing of the upload is stored, and the connection works on."""
    message = upload(bench.account)
    wrong = msgspec.structs.replace(message.kem[-1], signature=bytes(64))
    bench.client.send(msgspec.structs.replace(message, kem=(*message.kem[:-1], wrong)))
    bench.carry()
    for _ in range(KEYS):
        bench.hub.work_on()
        bench.hub.flush()
    (event,) = bench.events
    assert isinstance(event, Received)
    assert isinstance(event.message, Error)
    assert event.message.code == ErrorCode.AUTH_FAILED
    assert bench.engine.depth == 0
    assert bench.session.wants_reading
    assert bench.hub.memory.held_bytes == 0


def test_work_for_a_connection_that_is_gone_ends(bench: Bench) -> None:
    """It asks nothing, and gives back what it held."""
    bench.client.send(upload(bench.account))
    bench.carry()
    bench.hub.work_on()
    bench.session.ended()
    bench.hub.work_on()
    assert bench.engine.depth == 0
    assert bench.hub.memory.held_bytes == 0


def test_a_piece_that_fails_ends_its_session_alone(bench: Bench) -> None:
    """The loop that does the pieces serves everybody."""

    def fail() -> Iterator[None]:
        yield
        raise RuntimeError("a bug of ours")

    other, _ = bench.connect()
    bench.hub.add_chore(other, fail())
    for _ in range(3):
        bench.hub.work_on()
        bench.hub.flush()
    assert other.closed
    assert not bench.session.closed
    assert bench.hub.counts.failures == 1


def test_chores_take_turns(bench: Bench) -> None:
    """The one that came first doesn't keep the others waiting until its end."""
    done: list[str] = []

    def work(name: str) -> Iterator[None]:
        for _ in range(2):
            done.append(name)
            yield

    bench.hub.add_chore(bench.session, work("a"))
    bench.hub.add_chore(bench.session, work("b"))
    for _ in range(6):
        bench.hub.work_on()
    assert done == ["a", "b", "a", "b"]


async def test_a_real_upload_of_many_keys_is_stored() -> None:
    """The hub's task does the pieces by itself."""
    account = Account()
    async with server() as running, connect(running.address.port) as peer:
        await peer.register(account, running.join)
        stored = await peer.ask(upload(account))
        assert isinstance(stored, PrekeysStored)
        assert stored.kem_left == KEYS
