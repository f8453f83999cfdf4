"""One connection's failure is nobody else's: planted faults in every place."""

import json

import trio
from tests.server._gated import Bench
from tests.server._peer import Account, connect

from wigwag.server import HANDLERS, Session
from wigwag.server.core import Ack, Answer
from wigwag.testing import server
from wigwag.wire import (
    ErrorCode,
    MessageType,
    PeerGoingAway,
    PrekeysCount,
    ReceiptsGet,
    Received,
    Sequenced,
)

QUOTED = "what an exception quotes"


class PlantedError(Exception):
    """A fault of ours that quotes what it must not."""


def explode(session: Session, event: Received) -> None:
    """A handler with a bug."""
    del session, event
    raise PlantedError(QUOTED)


async def test_a_handler_that_raises_ends_its_connection_alone() -> None:
    """The trap that ends a whole server: one unhandled exception in one task."""
    alice, bob = Account(), Account()
    handlers = {**HANDLERS, MessageType.PREKEYS_COUNT: explode}
    async with server(handlers=handlers) as running:
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_alice.register(alice, running.join)
            await to_bob.register(bob, running.join)
            await to_bob.request(PrekeysCount())
            seen = await to_bob.wait_closed()
            away = [event for event in seen if isinstance(event, PeerGoingAway)]
            assert [event.code for event in away] == [ErrorCode.UNAVAILABLE]
            answer = await to_alice.ask(to_alice.send_message(bob, b"still served"))
            assert isinstance(answer, Sequenced)
            async with connect(port) as again:
                await again.sign_in(bob)
                assert (await again.deliver_and_ack()).ciphertext == b"still served"
        counts = running.server.services.hub.counts
        assert counts.failures == 1
        log = running.log.getvalue()
        failed = [
            json.loads(line) for line in log.splitlines() if "session_failed" in line
        ]
        assert len(failed) == 1
        assert failed[0]["error_type"] == "PlantedError"
        assert any("explode" in place for place in failed[0]["where"])
        assert len(failed[0]["error_id"]) == 8
        assert QUOTED not in log


def test_an_answer_that_raises_does_not_reach_the_engine() -> None:
    """The engine serves everybody: it must not learn of one session's bug."""

    def ask(session: Session, event: Received) -> None:
        def told(pending: object, answer: Answer) -> None:
            del pending, answer
            raise PlantedError(QUOTED)

        assert session.identity is not None
        request = Ack(session.identity.device, 1, 0)
        session.ask(request, event, told)

    bench = Bench(handlers={MessageType.RECEIPTS_GET: ask})
    bench.sign_in()
    bench.client.send(ReceiptsGet(chats=(b"c" * 16,)))
    bench.carry()
    bench.engine.release(1)
    bench.hub.flush()
    assert bench.session.closed
    assert bench.hub.memory.held_bytes == 0
    assert QUOTED not in bench.log.getvalue()
    assert "PlantedError" in bench.log.getvalue()


def test_a_fault_in_a_flush_ends_that_session_alone() -> None:
    """One flush serves many connections."""
    bench = Bench()
    bench.sign_in()
    other, _ = bench.connect()

    class BrokenTransport:
        """A transport with a bug."""

        def flush(self) -> None:
            """Fail."""
            raise PlantedError(QUOTED)

    other.transport = BrokenTransport()
    other.mark()
    bench.client.send(PrekeysCount())
    bench.carry()
    assert other.closed
    assert not bench.session.closed
    assert bench.engine.depth == 1


async def test_a_cancelled_server_leaves_no_task_behind() -> None:
    """An exception in the test's own block ends everything at once."""
    with trio.fail_after(10):
        try:
            async with server() as running, connect(running.address.port) as peer:
                await peer.register(Account(), running.join)
                raise PlantedError
        except PlantedError:
            ended = True
    assert ended
