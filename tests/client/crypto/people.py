"""Two people with stores, for the cryptography's tests.

Every operation reads its state from bytes and rows and writes it back, as a
client does, and checks that nothing is lost on the way.
"""

from dataclasses import dataclass, field
from hashlib import shake_256

import pytest

from wigwag.client.crypto import (
    AccountKey,
    Decrypted,
    DeviceKeys,
    Encrypted,
    ListPin,
    LocalDevice,
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
    PeerDevice,
    PeerSessions,
    ReplayKey,
    Sessions,
    SkippedChange,
    SkippedRow,
    SkippedRowId,
    Undecryptable,
    UndecryptableReason,
    UsedPrekeys,
    accept_first_list,
    decrypt,
    encrypt,
    list_device,
    make_kem_prekeys,
    make_one_time_prekeys,
    make_signed_prekey,
    new_registration_id,
    sign_first_list,
    start_session,
    verify_bundle,
)
from wigwag.wire import Bundle, EcPrekey, KemPrekey, suite1

NOW_MS = 1_800_000_000_000
"""A day in 2027; nothing depends on which."""

LAST_RESORT_ID = 1000
"""Id of each person's last-resort key."""


class SeededEntropy:
    """Bytes that depend on nothing but the seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def token(self, n: int) -> bytes:
        """Return the next `n` bytes."""
        self._drawn += 1
        return shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(n)


class PrekeyRows:
    """Stored prekeys, as bytes, changed only by what a decryption reports."""

    def __init__(self) -> None:
        self.signed: dict[int, bytes] = {}
        self.one_time: dict[int, bytes] = {}
        self.kem: dict[int, bytes] = {}
        self.replays: set[ReplayKey] = set()

    def signed_prekey(self, prekey_id: int) -> OwnSignedPrekey | None:
        """Look up a row."""
        row = self.signed.get(prekey_id)
        return None if row is None else OwnSignedPrekey.load(row)

    def one_time_prekey(self, prekey_id: int) -> OwnOneTimePrekey | None:
        """Look up a row."""
        row = self.one_time.get(prekey_id)
        return None if row is None else OwnOneTimePrekey.load(row)

    def kem_prekey(self, prekey_id: int) -> OwnKemPrekey | None:
        """Look up a row."""
        row = self.kem.get(prekey_id)
        return None if row is None else OwnKemPrekey.load(row)

    def is_replay(self, replay: ReplayKey) -> bool:
        """Look up a row."""
        return replay in self.replays

    def apply(self, used: UsedPrekeys) -> None:
        """Delete and insert what a first message used."""
        if used.one_time_id is not None:
            del self.one_time[used.one_time_id]
        if used.kem_id is not None:
            del self.kem[used.kem_id]
        if used.replay is not None:
            assert used.replay not in self.replays
            self.replays.add(used.replay)


@dataclass
class SessionRows:
    """Stored sessions with one device: a state and its skipped keys."""

    state: bytes = field(default_factory=PeerSessions.empty().dump)
    skipped: dict[SkippedRowId, SkippedRow] = field(
        default_factory=dict[SkippedRowId, SkippedRow]
    )

    def load(self) -> PeerSessions:
        """Read the value; the rows come in no particular order."""
        rows = sorted(self.skipped.values(), key=lambda row: row.row_id)
        return PeerSessions.load(self.state, rows)

    def save(self, sessions: PeerSessions, change: SkippedChange) -> None:
        """Write a value by difference, and check that it reads back equal."""
        for row_id in change.removed:
            del self.skipped[row_id]
        for row in change.added:
            assert row.row_id not in self.skipped
            self.skipped[row.row_id] = row
        self.state = sessions.dump()
        assert same(self.load(), sessions), "a state must read back exactly"


def same(one: PeerSessions, other: PeerSessions) -> bool:
    """Say whether two values are equal, the order of skipped keys included."""
    orders = [
        [list(session.skipped.items()) for session in sessions.all]
        for sessions in (one, other)
    ]
    return one == other and orders[0] == orders[1]


class Person:
    """An account with one device, its prekeys, and its sessions by peer."""

    def __init__(self, name: str, *, one_time: int = 3) -> None:
        self.name = name
        self.entropy = SeededEntropy(name)
        self.account_key = AccountKey.generate(self.entropy)
        self.device = LocalDevice(
            account=self.entropy.token(16),
            account_key=self.account_key.public,
            number=1,
            registration_id=new_registration_id(self.entropy),
            keys=DeviceKeys.generate(self.entropy),
        )
        self.list = sign_first_list(
            self.account_key,
            self.device.account,
            [list_device(self.device)],
            now_ms=NOW_MS,
        )
        self.pin: ListPin = accept_first_list(
            self.device.account, self.account_key.public, [self.list]
        )
        self.prekeys = PrekeyRows()
        self.rows: dict[bytes, SessionRows] = {}
        self.ec_offers: list[EcPrekey] = []
        self.kem_offers: list[KemPrekey] = []
        self._make_prekeys(one_time)

    def _make_prekeys(self, one_time: int) -> None:
        signed = make_signed_prekey(self.device, 1, entropy=self.entropy, now_ms=NOW_MS)
        self.prekeys.signed[1] = signed.dump()
        self.signed_offer = signed.offer()
        if one_time:
            for ec in make_one_time_prekeys(1, one_time, entropy=self.entropy):
                self.prekeys.one_time[ec.prekey_id] = ec.dump()
                self.ec_offers.append(ec.offer())
            for kem in make_kem_prekeys(self.device, 1, one_time, entropy=self.entropy):
                self.prekeys.kem[kem.prekey_id] = kem.dump()
                self.kem_offers.append(kem.offer())
        (last,) = make_kem_prekeys(
            self.device,
            LAST_RESORT_ID,
            1,
            is_last_resort=True,
            entropy=self.entropy,
        )
        self.prekeys.kem[LAST_RESORT_ID] = last.dump()
        self.last_resort_offer = last.offer()

    @property
    def as_peer(self) -> PeerDevice:
        """The device as others pin it."""
        device = self.pin.device(1)
        assert device is not None
        return device

    def claim(self) -> Bundle:
        """Hand out a bundle as the server does: each one-time key once."""
        return Bundle(
            suite=suite1.SUITE,
            device=1,
            registration_id=self.device.registration_id,
            signed_prekey=self.signed_offer,
            one_time=(self.ec_offers.pop(0),) if self.ec_offers else (),
            kem=self.kem_offers.pop(0) if self.kem_offers else self.last_resort_offer,
        )

    def rows_of(self, peer: "Person") -> SessionRows:
        """Give the stored sessions with a peer."""
        return self.rows.setdefault(peer.device.account, SessionRows())

    def start(self, peer: "Person") -> Sessions:
        """Claim a bundle and make a new session the active one."""
        rows = self.rows_of(peer)
        bundle = verify_bundle(peer.claim(), peer.pin, now_ms=NOW_MS)
        started = start_session(self.device, bundle, rows.load(), entropy=self.entropy)
        rows.save(started.sessions, started.skipped)
        return started

    def send(self, peer: "Person", plaintext: bytes) -> Encrypted:
        """Seal a message, starting a session if there is none."""
        rows = self.rows_of(peer)
        if not rows.load().has_active:
            self.start(peer)
        sealed = encrypt(rows.load(), plaintext)
        rows.save(sealed.sessions, SkippedChange())
        return sealed

    def receive(
        self, peer: "Person", envelope: bytes, *, now_ms: int = NOW_MS
    ) -> Decrypted:
        """Open a message and write everything that it changed."""
        rows = self.rows_of(peer)
        before = rows.load()
        opened = decrypt(
            self.device,
            peer.as_peer,
            before,
            self.prekeys,
            envelope,
            entropy=self.entropy,
            now_ms=now_ms,
        )
        assert same(before, rows.load()), "what goes in is never changed"
        rows.save(opened.sessions, opened.skipped)
        self.prekeys.apply(opened.used)
        return opened

    def forget(self, peer: "Person") -> None:
        """Lose all sessions with a peer, as a device does that re-registers."""
        self.rows.pop(peer.device.account, None)


def refused(receiver: Person, sender: Person, envelope: bytes) -> UndecryptableReason:
    """Returns why an envelope is refused, and checks that nothing changed."""
    before = receiver.rows_of(sender).load()
    one_time = dict(receiver.prekeys.one_time)
    kem = dict(receiver.prekeys.kem)
    with pytest.raises(Undecryptable) as caught:
        receiver.receive(sender, envelope)
    assert same(receiver.rows_of(sender).load(), before)
    assert (receiver.prekeys.one_time, receiver.prekeys.kem) == (one_time, kem)
    return caught.value.reason


def people() -> tuple[Person, Person]:
    """Make two strangers."""
    return Person("alice"), Person("bob")


def acquainted() -> tuple[Person, Person]:
    """Make two people with one session in which both have spoken."""
    alice, bob = people()
    bob.receive(alice, alice.send(bob, b"hello").envelope)
    alice.receive(bob, bob.send(alice, b"hello yourself").envelope)
    return alice, bob
