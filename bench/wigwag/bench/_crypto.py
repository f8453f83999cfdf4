"""The client's cryptography, timed alone: pure functions over frozen values.

What goes in is never changed, so the same step can be taken over and over.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from wigwag.bench._account import now_ms
from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._timing import nanoseconds_per_call
from wigwag.bench._worker import Say
from wigwag.client.crypto import (
    AccountKey,
    Decrypted,
    DeviceKeys,
    ListPin,
    LocalDevice,
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
    PeerDevice,
    PeerSessions,
    PlaintextHead,
    ReplayKey,
    accept_first_list,
    decrypt,
    encrypt,
    list_device,
    make_kem_prekeys,
    make_one_time_prekeys,
    make_signed_prekey,
    new_registration_id,
    seal_plaintext,
    sign_first_list,
    start_session,
    verify_bundle,
)
from wigwag.wire import Bundle, MessageClass, suite1

CONTENT_BYTES = 200
_DEVICE = 1


class SystemRandom:
    """The system's random bytes, as the client draws them."""

    def token(self, n: int) -> bytes:
        """Returns `n` bytes."""
        return secrets.token_bytes(n)


class Person:
    """An account with a device and its prekeys; implements `PrekeyStore`."""

    def __init__(self) -> None:
        entropy, now = SystemRandom(), now_ms()
        account_key = AccountKey.generate(entropy)
        self.device = LocalDevice(
            account=entropy.token(16),
            account_key=account_key.public,
            number=_DEVICE,
            registration_id=new_registration_id(entropy),
            keys=DeviceKeys.generate(entropy),
        )
        signed_list = sign_first_list(
            account_key, self.device.account, [list_device(self.device)], now_ms=now
        )
        self.pin: ListPin = accept_first_list(
            self.device.account, account_key.public, [signed_list]
        )
        self._signed = make_signed_prekey(self.device, 1, entropy=entropy, now_ms=now)
        (self._one_time,) = make_one_time_prekeys(1, 1, entropy=entropy)
        (self._kem,) = make_kem_prekeys(self.device, 1, 1, entropy=entropy)

    @property
    def as_peer(self) -> PeerDevice:
        """The device as others pin it."""
        device = self.pin.device(_DEVICE)
        assert device is not None
        return device

    def bundle(self) -> Bundle:
        """Returns a bundle with a one-time key of each kind."""
        return Bundle(
            suite=suite1.SUITE,
            device=_DEVICE,
            registration_id=self.device.registration_id,
            signed_prekey=self._signed.offer(),
            one_time=(self._one_time.offer(),),
            kem=self._kem.offer(),
        )

    def signed_prekey(self, prekey_id: int) -> OwnSignedPrekey | None:
        """Looks a key up; there is one."""
        return self._signed

    def one_time_prekey(self, prekey_id: int) -> OwnOneTimePrekey | None:
        """Looks a key up; there is one."""
        return self._one_time

    def kem_prekey(self, prekey_id: int) -> OwnKemPrekey | None:
        """Looks a key up; there is one."""
        return self._kem

    def is_replay(self, replay: ReplayKey) -> bool:
        """Nothing is remembered: the same first message is opened again and again."""
        return False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client does for a message."""

    name: str
    label: str
    call: Callable[[], object]


def operations() -> list[Operation]:
    """Returns what is timed, between two people who have both spoken."""
    alice, bob, entropy, now = Person(), Person(), SystemRandom(), now_ms()
    none = PeerSessions.empty()
    plaintext = _plaintext(alice, bob)
    verified = verify_bundle(bob.bundle(), bob.pin, now_ms=now)

    def open_(me: Person, peer: Person, at: PeerSessions, envelope: bytes) -> Decrypted:
        return decrypt(
            me.device, peer.as_peer, at, me, envelope, entropy=entropy, now_ms=now
        )

    started = start_session(alice.device, verified, none, entropy=entropy).sessions
    first = encrypt(started, plaintext)
    answer = encrypt(open_(bob, alice, none, first.envelope).sessions, plaintext)
    spoken = open_(alice, bob, first.sessions, answer.envelope).sessions
    # The first message after an answer turns the ratchet; those behind it don't.
    turn = encrypt(spoken, plaintext)
    turned = open_(bob, alice, answer.sessions, turn.envelope).sessions
    later = encrypt(turn.sessions, plaintext)
    state = turned.dump()
    return [
        Operation(
            "verify_bundle",
            "verify a bundle",
            lambda: verify_bundle(bob.bundle(), bob.pin, now_ms=now),
        ),
        Operation(
            "agreement_initiate",
            "agreement, initiator (PQXDH, new session)",
            lambda: start_session(alice.device, verified, none, entropy=entropy),
        ),
        Operation(
            "agreement_respond",
            "agreement, responder, with the first message",
            lambda: open_(bob, alice, none, first.envelope),
        ),
        Operation("encrypt", "encrypt", lambda: encrypt(turn.sessions, plaintext)),
        Operation(
            "decrypt", "decrypt", lambda: open_(bob, alice, turned, later.envelope)
        ),
        Operation(
            "decrypt_turn",
            "decrypt, and turn the ratchet",
            lambda: open_(bob, alice, answer.sessions, turn.envelope),
        ),
        Operation("state_dump", "session state to bytes", turned.dump),
        Operation(
            "state_load",
            "session state from bytes",
            lambda: PeerSessions.load(state, []),
        ),
    ]


def run_operations(*, repeat: int, say: Say) -> WorkReport:
    """Times every operation."""
    figures: list[Figure] = []
    for one in operations():
        say(one.label)
        nanoseconds = nanoseconds_per_call(one.call, repeat)
        figures.append(
            Figure(
                f"{one.name}_us",
                f"{one.label}, µs",
                tuple(sample / 1000 for sample in nanoseconds),
                "lower",
            )
        )
    return WorkReport(
        "crypto",
        f"suite 1, {CONTENT_BYTES}-byte contents, in memory",
        {"content_bytes": CONTENT_BYTES},
        tuple(figures),
    )


def _plaintext(sender: Person, peer: Person) -> bytes:
    head = PlaintextHead(
        chat_id=suite1.direct_chat_id(sender.device.account, peer.device.account),
        client_msg_id=bytes(range(16)),
        message_class=MessageClass.MESSAGE,
        own_list_hash=sender.pin.hash_prefix,
        peer_list_hash=peer.pin.hash_prefix,
    )
    return seal_plaintext(head, bytes(CONTENT_BYTES))
