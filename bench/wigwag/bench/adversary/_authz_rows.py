"""Proper requests that the one who makes them may not make (A1 to A15)."""

import dataclasses
import secrets

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wigwag.bench.adversary._attack import (
    SERVED,
    Row,
    Seen,
    Target,
    Told,
    ends_with,
    refused_with,
)
from wigwag.bench.adversary._people import Account, message_id
from wigwag.bench.adversary._scenes import (
    CORR,
    asked,
    bytes_of_refusal,
    must,
    signed_in,
    two_signed_in,
)
from wigwag.bench.adversary._wire import Wire
from wigwag.wire import (
    DRAFT,
    AccountDeleted,
    Bundles,
    DeviceListPublish,
    EcPrekey,
    ErrorCode,
    PrekeysClaim,
    PrekeysCount,
    PrekeysStored,
    PrekeysUpload,
    Receipts,
    ReceiptsGet,
    Refused,
    Send,
    Sequenced,
    UsernameResolve,
    encode_frame,
    suite1,
)

# Above every generation that an account of ours reaches.
HIGH_GENERATION = 1_000_000
# One more than a pair of users may take at once, and what it leaves behind.
CLAIMS = 12
CLAIM_BURST = 6
ONE_TIME_KEYS = 40
# More look-ups than a device may make at once.
LOOK_UPS = 80
# One upload's worth, and how many of them are over what a device may have.
UPLOAD_KEYS = 200
UPLOADS_MAX = 4


def _victim(target: Target) -> Account:
    """Return an honest device as a stranger may know it, with other keys."""
    honest = target.honest[0]
    return dataclasses.replace(
        honest,
        generation=HIGH_GENERATION,
        device_key=Ed25519PrivateKey.generate(),
        tails={},
    )


def _stranger() -> Account:
    return Account(generation=1)


def _auth_as(account: Account, target: Target) -> Seen:
    with Wire.hello(target) as wire:
        wire.send(encode_frame(wire.auth_message(account), DRAFT, CORR))
        return wire.observe(CORR)


def _wrong_key(target: Target) -> Seen:
    return _auth_as(_victim(target), target)


def _nobody(target: Target) -> Seen:
    """An unknown user gets byte for byte what a wrong key gets."""
    with Wire.hello(target) as wire:
        unknown = wire.ask(wire.auth_message(_stranger()))
        wrong = wire.ask(wire.auth_message(_victim(target)))
        must(
            bytes_of_refusal(unknown) == bytes_of_refusal(wrong),
            "an unknown user is told apart from a wrong key",
        )
    return _auth_as(_stranger(), target)


def _three_times(target: Target) -> Seen:
    with Wire.hello(target) as wire:
        for _ in range(2):
            bytes_of_refusal(wire.ask(wire.auth_message(_stranger())))
        wire.send(encode_frame(wire.auth_message(_stranger()), DRAFT, CORR))
        return wire.observe(CORR)


def _wrong_proof(target: Target) -> Seen:
    with Wire.hello(target) as wire:
        account = Account(generation=1)
        return asked(wire, wire.register_message(account, secrets.token_bytes(16)))


def _old_registration(target: Target) -> Seen:
    with target.people.borrow() as account:
        old = dataclasses.replace(
            account,
            registration_id=account.registration_id ^ 2,
            generation=HIGH_GENERATION,
            tails={},
        )
        return _auth_as(old, target)


def _old_registration_of_another(target: Target) -> Seen:
    with target.people.borrow() as account:
        stranger = Account(
            user=account.user,
            registration_id=account.registration_id ^ 2,
            generation=HIGH_GENERATION,
        )
        return _auth_as(stranger, target)


def _removed_device(target: Target) -> Seen:
    """A device that its account removed: it is told, and is nobody from then on."""
    account = Account()
    with Wire.hello(target) as wire:
        wire.register(account)
        wire.request(DeviceListPublish(account.empty_list()))
        seen = wire.observe_end()
        must(seen == _REMOVED, f"the removed device's connection: {seen}")
    with Wire.hello(target) as wire:
        account.generation += 1
        removed = wire.ask(wire.auth_message(account))
        unknown = wire.ask(wire.auth_message(_stranger()))
        must(
            bytes_of_refusal(removed) == bytes_of_refusal(unknown),
            "a removed device is told apart from an unknown one",
        )
    return _auth_as(account, target)


def _deleted_account(target: Target) -> Seen:
    """An account that was deleted: nobody, from then on."""
    account = Account()
    with Wire.hello(target) as wire:
        wire.register(account)
        must(
            isinstance(wire.ask(wire.deletion(account)), AccountDeleted), "not deleted"
        )
        seen = wire.observe_end()
        must(seen == _REMOVED, f"the deleted account's connection: {seen}")
    account.generation += 1
    return _auth_as(account, target)


def _replayed_auth(target: Target) -> Seen:
    """The very bytes that signed in on another connection."""
    with (
        target.people.borrow() as account,
        Wire.hello(target) as first,
        Wire.hello(target) as second,
    ):
        account.generation += 1
        auth = first.auth_message(account)
        bytes_of_sign_in = encode_frame(auth, DRAFT, CORR)
        first.ask(auth)
        second.send(bytes_of_sign_in)
        seen = second.observe(CORR)
        must(first.observe() == SERVED, "the replay ended the real connection")
        return seen


def _other_certificate(target: Target) -> Seen:
    with target.people.borrow() as account, Wire.hello(target) as wire:
        account.generation += 1
        auth = account.auth(wire.connection.transcript_hash, secrets.token_bytes(32))
        wire.send(encode_frame(auth, DRAFT, CORR))
        return wire.observe(CORR)


def _send_into(account: Account, target: Target, chat: bytes) -> Send:
    """Return a SEND to an honest device, into a chat of any id."""
    message = account.send_to(target.honest[0], b"text")
    return msgspec.structs.replace(message, chat=chat)


def _chat_of_others(target: Target) -> bytes:
    return suite1.direct_chat_id(target.honest[0].user, target.honest[1].user)


def _foreign_chat(target: Target) -> Seen:
    """A chat of others gets byte for byte what one that doesn't exist gets."""
    with target.people.borrow() as account, Wire.signed_in(target, account) as wire:
        nowhere = wire.ask(_send_into(account, target, secrets.token_bytes(16)))
        foreign = _send_into(account, target, _chat_of_others(target))
        there = wire.ask(foreign)
        must(
            bytes_of_refusal(nowhere) == bytes_of_refusal(there),
            "a chat of others is told apart from none",
        )
        again = msgspec.structs.replace(foreign, client_msg_id=message_id())
        return asked(wire, again)


def _other_body(target: Target) -> Seen:
    """The same id and attempt with other bytes: CONFLICT names the first position."""
    with two_signed_in(target) as ((sender, source), (receiver, _)):
        first = sender.send_to(receiver, b"first")
        stored = source.ask(first)
        must(isinstance(stored, Sequenced), "not sequenced")
        assert isinstance(stored, Sequenced)
        sender.note_stored(first)
        other = msgspec.structs.replace(
            first,
            envelopes=(
                msgspec.structs.replace(first.envelopes[0], ciphertext=b"other"),
            ),
        )
        answer = source.ask(other)
        must(
            isinstance(answer, Refused) and answer.chat_seq == stored.chat_seq,
            "CONFLICT doesn't name the first position",
        )
        return asked(source, other)


def _drain(target: Target) -> Seen:
    """Claim a victim's keys: a few one-time keys, then bundles without."""
    with two_signed_in(target) as ((_, source), (victim, sink)):
        before = _stock(sink)
        for _ in range(CLAIMS):
            answer = source.ask(PrekeysClaim(victim.user))
            must(isinstance(answer, Bundles), "the claim was refused")
            assert isinstance(answer, Bundles)
            must(answer.bundles[0].kem.last_resort, "a one-time KEM key from nowhere")
        left = sink.ask(PrekeysCount())
        assert isinstance(left, PrekeysStored)
        must(before - left.ec_left <= CLAIM_BURST, "the victim was drained")
        return source.observe()


def _stock(wire: Wire) -> int:
    """Fill a device's one-time keys up; return how many it has."""
    held = wire.ask(PrekeysCount())
    assert isinstance(held, PrekeysStored)
    if held.ec_left >= ONE_TIME_KEYS:
        return held.ec_left
    held = wire.ask(_upload(held.ec_highest + 1, ONE_TIME_KEYS))
    must(isinstance(held, PrekeysStored), "an upload was refused")
    assert isinstance(held, PrekeysStored)
    return held.ec_left


def _upload(first: int, count: int) -> PrekeysUpload:
    return PrekeysUpload(
        tuple(
            EcPrekey(number, secrets.token_bytes(32))
            for number in range(first, first + count)
        ),
        (),
    )


def _replayed_send(target: Target) -> Seen:
    """The same bytes again, also on another connection: the same answer, one entry."""
    with two_signed_in(target) as ((sender, source), (receiver, sink)):
        message = sender.send_to(receiver, b"once")
        stored = source.ask(message)
        must(isinstance(stored, Sequenced), "not sequenced")
        sender.note_stored(message)
        must(source.ask(message) == stored, "another answer on the same connection")
        with Wire.signed_in(target, sender) as again:
            must(again.ask(message) == stored, "another answer on the next connection")
            seen = again.observe()
        # Whatever was sent is before the barrier.
        must(sink.observe() == SERVED, "the receiver's connection")
        copies = [
            entry
            for entry in sink.entries()
            if entry.client_msg_id == message.client_msg_id
        ]
        must(len(copies) == 1, f"{len(copies)} copies were delivered")
        sink.acknowledge(receiver, copies[0].inbox_seq)
        return seen


def _receipts_of_others(target: Target) -> Seen:
    with target.people.borrow() as account, Wire.signed_in(target, account) as wire:
        chats = sorted((_chat_of_others(target), secrets.token_bytes(16)))
        answer = wire.ask(ReceiptsGet(tuple(chats)))
        must(answer == Receipts(()), "marks of a chat of others were told")
        return wire.observe()


def _enumerate(wire: Wire, _: Account) -> Seen:
    """Guess names: a burst is answered, the rest must wait."""
    corrs = range(CORR, CORR + LOOK_UPS)
    wire.send(
        b"".join(
            encode_frame(UsernameResolve(f"name{corr:04}"), DRAFT, corr)
            for corr in corrs
        )
    )
    return wire.observe_last(corrs)


def _too_many_prekeys(wire: Wire, _: Account) -> Seen:
    held = wire.ask(PrekeysCount())
    assert isinstance(held, PrekeysStored)
    first = held.ec_highest + 1
    for number in range(UPLOADS_MAX):
        answer = wire.ask(_upload(first + number * UPLOAD_KEYS, UPLOAD_KEYS))
        if not isinstance(answer, PrekeysStored):
            break
    return asked(wire, _upload(first + UPLOADS_MAX * UPLOAD_KEYS, UPLOAD_KEYS))


_E = ErrorCode
_REMOVED = Seen(_E.DEVICE_REMOVED, True, Told.GOAWAY)
_FAILED = refused_with(_E.AUTH_FAILED)

ROWS: tuple[Row, ...] = (
    Row("A1", "a sign-in with a wrong key", "A1", _FAILED, _wrong_key),
    Row("A1-nobody", "a sign-in of nobody", "A1", _FAILED, _nobody),
    Row(
        "A1-three",
        "three wrong sign-ins",
        "A1",
        ends_with(_E.AUTH_FAILED),
        _three_times,
    ),
    Row(
        "A1-proof",
        "a registration with a wrong invite",
        "A1",
        refused_with(_E.PROOF_REFUSED),
        _wrong_proof,
    ),
    Row(
        "A2",
        "a sign-in with an old registration and the right key",
        "A2",
        refused_with(_E.STORE_ROLLED_BACK),
        _old_registration,
    ),
    Row(
        "A2-wrong-key",
        "a sign-in with an old registration and a wrong key",
        "A2",
        _FAILED,
        _old_registration_of_another,
    ),
    Row("A2-removed", "a sign-in of a removed device", "A2", _FAILED, _removed_device),
    Row(
        "A2-deleted", "a sign-in to a deleted account", "A2", _FAILED, _deleted_account
    ),
    Row("A2-replay", "a replayed AUTH", "A2", _FAILED, _replayed_auth),
    Row(
        "A2-certificate",
        "a signature over another certificate",
        "A2",
        _FAILED,
        _other_certificate,
    ),
    Row(
        "A3",
        "a message into a chat of others",
        "A3",
        refused_with(_E.NOT_FOUND),
        _foreign_chat,
    ),
    Row(
        "A5",
        "the same id with another body",
        "A5",
        refused_with(_E.CONFLICT),
        _other_body,
    ),
    Row("A10", "draining a victim's prekeys", "A10", SERVED, _drain),
    Row("A11", "a replayed message", "A11", SERVED, _replayed_send),
    Row("A13", "receipts of a chat of others", "A13", SERVED, _receipts_of_others),
    Row(
        "A14",
        "guessing usernames",
        "A14",
        refused_with(_E.RATE_LIMITED),
        signed_in(_enumerate),
        is_limit=True,
    ),
    Row(
        "A15",
        "more prekeys than a device may have",
        "A15",
        refused_with(_E.QUOTA),
        signed_in(_too_many_prekeys),
    ),
)
