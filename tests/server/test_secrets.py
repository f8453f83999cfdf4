"""The canary: what clients entrust to the server appears in no log and no metric."""

import json
from os import urandom

import trio
from tests.server._peer import Account, connect, invite_of
from tests.server.test_operations import ask, get

from wigwag.server._observe import LOG_KEYS
from wigwag.testing import server
from wigwag.wire import PrekeysClaim, Sequenced, UsernameClaim


def forms(secret: bytes) -> set[str]:
    """How bytes may show in a text."""
    text = secret.decode("latin-1")
    return {secret.hex(), repr(secret)[2:-1], text, str(list(secret))[1:-1]}


async def test_no_secret_reaches_a_log_a_metric_or_the_status() -> None:
    """Bodies, keys, signatures, invites, names, ids: none of them (I13)."""
    alice, bob = Account(), Account()
    body = b"plaintext canary " + urandom(8).hex().encode()
    async with server() as running:
        port = running.address.port
        spare = str((await ask(running, command="invite"))["join"])
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_bob.register(bob, running.join)
            await to_alice.register(alice, running.join)
            await to_bob.ask(UsernameClaim(name="canary.name"))
            await to_alice.ask(PrekeysClaim(user=bob.user))
            send = to_alice.send_message(bob, body)
            assert isinstance(await to_alice.ask(send), Sequenced)
            await to_bob.deliver_and_ack()
        # What goes wrong is what gets logged.
        async with connect(port) as peer:
            alice.generation += 1
            stranger = peer.auth_message(alice, key=bob.account_key)
            await peer.ask(stranger)
            await peer.ask(peer.register_message(Account(generation=1), body))
        async with connect(port) as peer:
            await peer.sign_in(alice)
            await peer.stream.send_all(body * 100)
            await peer.wait_closed()
        status, metrics = await get(running, "/metrics")
        assert status == 200
        state = json.dumps(await ask(running, command="status"))
        with trio.fail_after(10):
            while "protocol_error" not in running.log.getvalue():
                await trio.lowlevel.checkpoint()
        written = running.log.getvalue() + metrics + state
    # The scan must be able to fail: what is there is found.
    assert "auth_failed" in written
    assert "protocol_error" in written
    secrets = [
        body,
        send.client_msg_id,
        send.chat,
        stranger.signature,
        invite_of(running.join),
        invite_of(spare),
        b"canary.name",
    ]
    for account in (alice, bob):
        secrets += [
            account.user,
            account.account_public,
            account.signing_public,
            account.agreement_public,
            account.device_key.private_bytes_raw(),
        ]
    found = [form for secret in secrets for form in forms(secret) if form in written]
    assert not found
    for line in running.log.getvalue().splitlines():
        assert set(json.loads(line)) <= LOG_KEYS, line
