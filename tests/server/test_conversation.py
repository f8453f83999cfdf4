"""Two devices over real TLS sockets: what the server is for."""

from tests.server._peer import Account, connect, message_id

from wigwag.server import Limits
from wigwag.testing import server
from wigwag.wire import Deliver, InboxEmpty, Sequenced


async def test_a_message_reaches_the_other_device_and_is_deleted_by_its_ack() -> None:
    """The whole way: register, send, deliver, acknowledge, and nothing comes twice."""
    alice, bob = Account(), Account()
    async with server() as running:
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_alice.register(alice, running.join)
            await to_bob.register(bob, running.join)
            await to_bob.expect(InboxEmpty)
            send = to_alice.send_message(bob, b"ciphertext one")
            answer = await to_alice.ask(send)
            assert isinstance(answer, Sequenced), answer
            assert answer.client_msg_id == send.client_msg_id
            entry = await to_bob.expect(Deliver)
            assert entry.ciphertext == b"ciphertext one"
            assert entry.chat_seq == answer.chat_seq
            await to_bob.ack(entry.inbox_seq)
        async with connect(port) as to_bob:
            signed_in = await to_bob.sign_in(bob)
            assert signed_in.acked == entry.inbox_seq
            empty = await to_bob.expect(InboxEmpty)
            assert empty.last == entry.inbox_seq


async def test_messages_wait_for_a_device_that_is_away() -> None:
    """Offline delivery is the reason for an inbox."""
    alice, bob = Account(), Account()
    count = 600  # more than a window, so that the inbox is read on
    async with server(limits=Limits.for_profile("bench")) as running:
        port = running.address.port
        async with connect(port) as to_bob:
            await to_bob.register(bob, running.join)
        async with connect(port) as to_alice:
            await to_alice.register(alice, running.join)
            for number in range(count):
                await to_alice.request(to_alice.send_message(bob, b"%d" % number))
            for _ in range(count):
                await to_alice.expect(Sequenced)
        async with connect(port) as to_bob:
            await to_bob.sign_in(bob)
            bodies: list[bytes] = []
            while len(bodies) < count:
                entry = await to_bob.expect(Deliver)
                bodies.append(entry.ciphertext)
                if len(bodies) % 64 == 0 or len(bodies) == count:
                    await to_bob.ack(entry.inbox_seq)
            assert bodies == [b"%d" % number for number in range(count)]
            await to_bob.expect(InboxEmpty)


async def test_a_repeated_send_gets_the_stored_answer() -> None:
    """A client that lost the answer offers the same bytes again."""
    alice, bob = Account(), Account()
    async with server() as running:
        port = running.address.port
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_alice.register(alice, running.join)
            await to_bob.register(bob, running.join)
            send = to_alice.send_message(bob, b"once", client_msg_id=message_id())
            first = await to_alice.ask(send)
            assert await to_alice.ask(send) == first
            entry = await to_bob.deliver_and_ack()
            later = await to_alice.ask(to_alice.send_message(bob, b"after"))
            assert isinstance(later, Sequenced)
            following = await to_bob.expect(Deliver)
            assert following.prev == entry.inbox_seq
            assert following.ciphertext == b"after"
