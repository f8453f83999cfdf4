"""Start sessions, encrypt and decrypt (Sesame over PQXDH and the Double Ratchet).

All functions are pure: a failed transaction drops their result and goes on with
the value it had. A result must be durable before its envelope leaves, or the
same message key might serve twice (I25).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

from wigwag.client.crypto._agreement import initiate, respond
from wigwag.client.crypto._body import open_body
from wigwag.client.crypto._bundle import VerifiedBundle
from wigwag.client.crypto._errors import (
    NoSession,
    Undecryptable,
    UndecryptableReason,
    WeakKey,
)
from wigwag.client.crypto._keys import Entropy, LocalDevice, PeerDevice
from wigwag.client.crypto._prekeys import PrekeyStore, ReplayKey
from wigwag.client.crypto._ratchet_state import SkippedKey
from wigwag.client.crypto._session_state import (
    PeerSessions,
    SessionRecord,
    Sessions,
    SkippedChange,
    SkippedRow,
    SkippedRowId,
    activate,
)
from wigwag.wire import suite1


@final
@dataclass(frozen=True, slots=True, order=True)
class MessageKeyId:
    """Which message key an envelope was made with; secret-free.

    Together with the sending device it must name one ciphertext only (I25).

    Attributes:
        ratchet_key: The sender's ratchet public key, 32 bytes.
        number: Number of the message in that chain.
    """

    ratchet_key: bytes
    number: int


@final
@dataclass(frozen=True, slots=True)
class Encrypted:
    """A sealed message.

    Attributes:
        envelope: What to send, again and again byte for byte.
        sessions: The new state; durable before the envelope leaves.
        message_key: Which key sealed it.
    """

    envelope: bytes
    sessions: PeerSessions
    message_key: MessageKeyId


@final
@dataclass(frozen=True, slots=True)
class UsedPrekeys:
    """What a first message used, to be written in the plaintext's transaction.

    Attributes:
        one_time_id: Delete this one-time X25519 prekey.
        kem_id: Delete this one-time ML-KEM prekey.
        replay: Remember this first message of a last-resort key.
    """

    one_time_id: int | None = None
    kem_id: int | None = None
    replay: ReplayKey | None = None


@final
@dataclass(frozen=True, slots=True, repr=False)
class Decrypted:
    """An opened message.

    Attributes:
        plaintext: Padded; give it to `open_plaintext`.
        sessions: The new state.
        skipped: Rows of skipped keys to insert and delete.
        used: Prekeys to delete or remember.
        message_key: Which key opened it.
    """

    plaintext: bytes
    sessions: PeerSessions
    skipped: SkippedChange
    used: UsedPrekeys
    message_key: MessageKeyId

    def __repr__(self) -> str:
        return "<Decrypted>"


def message_key_id(envelope: bytes) -> MessageKeyId:
    """Read from an envelope which message key it was made with.

    Raises:
        Undecryptable: `MALFORMED`.
    """
    header = _parse(envelope).ratchet
    return MessageKeyId(header.ratchet_key, header.number)


def start_session(
    device: LocalDevice,
    bundle: VerifiedBundle,
    sessions: PeerSessions,
    *,
    entropy: Entropy,
) -> Sessions:
    """Start a session with a peer's device and make it the active one.

    Args:
        device: This device.
        bundle: A claimed bundle of that device, verified.
        sessions: The sessions with that device so far.
        entropy: Source of the base key and the first ratchet key.

    Raises:
        BundleRefused: `KEY`, if a public key in the bundle is unusable.
    """
    # Imported late: the library behind it takes 0.2 s.
    from wigwag.client.crypto._ratchet import start_as_initiator

    agreement, header = initiate(device, bundle, entropy=entropy)
    ratchet = start_as_initiator(
        agreement.secret, bundle.signed_prekey.key, entropy=entropy
    )
    session = SessionRecord(
        session_id=header.base_key,
        session_hash=agreement.session_hash,
        peer_registration_id=bundle.registration_id,
        ratchet=ratchet,
        prekey=header,
    )
    started, removed = activate(sessions, session)
    return Sessions(started, SkippedChange(removed=removed))


def encrypt(sessions: PeerSessions, plaintext: bytes) -> Encrypted:
    """Seal a plaintext for a peer's device with the active session.

    Args:
        sessions: Unchanged.
        plaintext: From `seal_plaintext`.

    Raises:
        NoSession: If no session is active.
    """
    from wigwag.client.crypto._ratchet import ratchet_encrypt

    session = sessions.active
    if session is None:
        message = "no session is active: claim a bundle first"
        raise NoSession(message)
    prefix = _prefix(session.prekey)
    ratchet, header, body = ratchet_encrypt(
        session.ratchet, plaintext, session.session_hash, prefix
    )
    envelope = suite1.encode_envelope(suite1.Envelope(session.prekey, header, body))
    return Encrypted(
        envelope=envelope,
        sessions=replace(sessions, active=replace(session, ratchet=ratchet)),
        message_key=MessageKeyId(header.ratchet_key, header.number),
    )


def decrypt(
    device: LocalDevice,
    peer: PeerDevice,
    sessions: PeerSessions,
    prekeys: PrekeyStore,
    envelope: bytes,
    *,
    entropy: Entropy,
    now_ms: int,
) -> Decrypted:
    """Open an envelope of a peer's device.

    Args:
        device: This device.
        peer: The sender, as his pinned list names him.
        sessions: The sessions with that device; unchanged.
        prekeys: This device's stored prekeys.
        envelope: As delivered.
        entropy: Source of our next ratchet key.
        now_ms: Time for the rows of skipped keys.

    Returns:
        The plaintext and everything to store with it. If `open_plaintext` then
        says `Forgery`, store the state all the same: the message key is used.

    Raises:
        Undecryptable: With the reason; nothing changed.
    """
    parsed = _parse(envelope)
    header = parsed.prekey
    known = sessions.all
    used = UsedPrekeys()
    if header is not None:
        # A known base key routes to its session; prekeys stay untouched.
        known = tuple(item for item in known if item.session_id == header.base_key)
        if not known:
            started, used = _respond(device, peer, prekeys, parsed, header, entropy)
            known = (started,)
    opened = _open_with_any(known, parsed, entropy=entropy, now_ms=now_ms)
    answered = replace(opened.session, prekey=None)
    new_sessions, dropped = activate(sessions, answered)
    return Decrypted(
        plaintext=opened.plaintext,
        sessions=new_sessions,
        skipped=SkippedChange(opened.added, opened.removed + dropped),
        used=used,
        message_key=MessageKeyId(parsed.ratchet.ratchet_key, parsed.ratchet.number),
    )


def _parse(envelope: bytes) -> suite1.Envelope:
    try:
        return suite1.decode_envelope(envelope)
    except suite1.LayoutError as error:
        raise Undecryptable(UndecryptableReason.MALFORMED) from error


def _prefix(header: suite1.PrekeyHeader | None) -> bytes:
    """Give an envelope's bytes before its ratchet header; the tag covers them."""
    empty = suite1.RatchetHeader(bytes(suite1.X25519_KEY_BYTES), 0, 0)
    envelope = suite1.encode_envelope(suite1.Envelope(header, empty, b""))
    return envelope[: -suite1.RATCHET_HEADER_BYTES]


def _respond(
    device: LocalDevice,
    peer: PeerDevice,
    prekeys: PrekeyStore,
    parsed: suite1.Envelope,
    header: suite1.PrekeyHeader,
    entropy: Entropy,
) -> tuple[SessionRecord, UsedPrekeys]:
    from wigwag.client.crypto._ratchet import start_as_responder

    signed = prekeys.signed_prekey(header.signed_prekey_id)
    kem = prekeys.kem_prekey(header.kem_prekey_id)
    one_time = None
    if header.one_time_prekey_id:
        one_time = prekeys.one_time_prekey(header.one_time_prekey_id)
        if one_time is None:
            raise Undecryptable(UndecryptableReason.UNKNOWN_PREKEY)
    if signed is None or kem is None:
        raise Undecryptable(UndecryptableReason.UNKNOWN_PREKEY)
    replay = None
    if kem.is_last_resort:
        replay = ReplayKey(kem.prekey_id, header.base_key)
        if prekeys.is_replay(replay):
            raise Undecryptable(UndecryptableReason.REPLAYED)
    try:
        agreement = respond(device, peer, header, signed, kem, one_time)
    except WeakKey as error:
        raise Undecryptable(UndecryptableReason.NOT_AUTHENTIC) from error
    ratchet = start_as_responder(
        agreement.secret,
        signed.key.secret,
        parsed.ratchet.ratchet_key,
        entropy=entropy,
    )
    session = SessionRecord(
        session_id=header.base_key,
        session_hash=agreement.session_hash,
        peer_registration_id=header.registration_id,
        ratchet=ratchet,
    )
    used = UsedPrekeys(
        one_time_id=None if one_time is None else one_time.prekey_id,
        kem_id=None if kem.is_last_resort else kem.prekey_id,
        replay=replay,
    )
    return session, used


@dataclass(frozen=True, slots=True, repr=False)
class _Opened:
    """A session after it opened a message."""

    plaintext: bytes
    session: SessionRecord
    added: tuple[SkippedRow, ...] = ()
    removed: tuple[SkippedRowId, ...] = ()


def _open_with_any(
    known: Iterable[SessionRecord],
    parsed: suite1.Envelope,
    *,
    entropy: Entropy,
    now_ms: int,
) -> _Opened:
    """Open with the first session that can, those that know the ratchet key first."""

    def is_stranger(session: SessionRecord) -> bool:
        key = parsed.ratchet.ratchet_key
        position = (key, parsed.ratchet.number)
        return session.ratchet.peer_public != key and position not in session.skipped

    # Of failures the first counts: it is the likeliest session's.
    failure = UndecryptableReason.NO_SESSION
    for session in sorted(known, key=is_stranger):
        try:
            return _open_with(session, parsed, entropy=entropy, now_ms=now_ms)
        except Undecryptable as error:
            if failure is UndecryptableReason.NO_SESSION:
                failure = error.reason
    raise Undecryptable(failure)


def _open_with(
    session: SessionRecord, parsed: suite1.Envelope, *, entropy: Entropy, now_ms: int
) -> _Opened:
    from wigwag.client.crypto._ratchet import ratchet_decrypt

    header = parsed.ratchet
    prefix = _prefix(parsed.prekey)
    late = session.skipped.get((header.ratchet_key, header.number))
    if late is not None:
        associated_data = suite1.message_ad(
            session.session_hash, prefix, suite1.encode_ratchet_header(header)
        )
        plaintext = open_body(late.message_key, parsed.body, associated_data)
        kept = dict(session.skipped)
        del kept[(header.ratchet_key, header.number)]
        return _Opened(
            plaintext, replace(session, skipped=kept), removed=(late.row_id,)
        )
    ratchet, plaintext, passed = ratchet_decrypt(
        session.ratchet,
        header,
        parsed.body,
        session.session_hash,
        prefix,
        entropy=entropy,
    )
    moved = replace(session, ratchet=ratchet)
    if not passed:
        return _Opened(plaintext, moved)
    moved, added, removed = _remember(moved, passed, now_ms)
    return _Opened(plaintext, moved, added, removed)


def _remember(
    session: SessionRecord, passed: Iterable[SkippedKey], now_ms: int
) -> tuple[SessionRecord, tuple[SkippedRow, ...], tuple[SkippedRowId, ...]]:
    """Add the keys passed by; the oldest beyond `SKIPPED_KEYS_MAX` go."""
    added = tuple(
        SkippedRow(
            row_id=SkippedRowId(session.session_id, key.ratchet_key, key.number),
            position=position,
            message_key=key.message_key,
            created_at_ms=now_ms,
        )
        for position, key in enumerate(passed, session.next_position)
    )
    # At most SKIPPED_KEYS_MAX are passed at once, so only older rows are dropped.
    surplus = len(session.skipped) + len(added) - suite1.SKIPPED_KEYS_MAX
    old = list(session.skipped.values())
    removed = tuple(row.row_id for row in old[: max(surplus, 0)])
    kept = {
        (row.row_id.ratchet_key, row.row_id.number): row
        for row in (*old[len(removed) :], *added)
    }
    session = replace(
        session,
        skipped=kept,
        next_position=session.next_position + len(added),
    )
    return session, added, removed
