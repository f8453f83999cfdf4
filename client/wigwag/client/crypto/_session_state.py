"""Sessions with one device of a peer as one value, and how it is stored.

The store holds `PeerSessions.dump()` in one row, without skipped message keys,
and each skipped key in a row of its own, so that a message costs a small write
however many keys were passed by (E2EE.md §4).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import final

from wigwag.client.crypto._errors import StateDamaged
from wigwag.client.crypto._ratchet_state import RatchetState, StoredRatchet
from wigwag.client.crypto._stored import (
    STATE_VERSION,
    Stored,
    pack_state,
    unpack_state,
)
from wigwag.wire import suite1


@final
@dataclass(frozen=True, slots=True, order=True)
class SkippedRowId:
    """Primary key of a stored skipped message key.

    Attributes:
        session_id: `SessionRecord.session_id`, 32 bytes.
        ratchet_key: Ratchet public key of its chain, 32 bytes.
        number: Number in the chain, u32.
    """

    session_id: bytes
    ratchet_key: bytes
    number: int


@final
@dataclass(frozen=True, slots=True, repr=False)
class SkippedRow:
    """A skipped message key as the store holds it.

    Attributes:
        row_id: Its primary key.
        position: Order within the session: the lowest is dropped first.
        message_key: Secret, 32 bytes.
        created_at_ms: When it was passed by; kept `SKIPPED_KEY_LIFE_MS`.
    """

    row_id: SkippedRowId
    position: int
    message_key: bytes
    created_at_ms: int

    def __repr__(self) -> str:
        return f"<SkippedRow {self.position}>"


@final
@dataclass(frozen=True, slots=True)
class SkippedChange:
    """What to write to the rows of skipped keys, in the state's transaction.

    Attributes:
        added: Insert; none of them is stored yet.
        removed: Delete; each of them is stored.
    """

    added: tuple[SkippedRow, ...] = ()
    removed: tuple[SkippedRowId, ...] = ()


SkippedKeys = Mapping[tuple[bytes, int], SkippedRow]
"""Of one session, by (ratchet key, number), oldest first."""


@final
@dataclass(frozen=True, slots=True, repr=False)
class SessionRecord:
    """One session.

    Attributes:
        session_id: The initiator's base key: names the session on both sides.
        session_hash: SHA-256 of the session's associated data.
        peer_registration_id: The peer's registration that it was agreed with.
        ratchet: State of the Double Ratchet.
        prekey: Header that our messages still carry: the peer hasn't answered.
        next_position: Position of the next skipped key.
        skipped: Skipped keys; stored as rows.
    """

    session_id: bytes
    session_hash: bytes
    peer_registration_id: int
    ratchet: RatchetState
    prekey: suite1.PrekeyHeader | None = None
    next_position: int = 0
    skipped: SkippedKeys = field(default_factory=dict[tuple[bytes, int], SkippedRow])

    def skipped_ids(self) -> tuple[SkippedRowId, ...]:
        """Name all its stored skipped keys."""
        return tuple(row.row_id for row in self.skipped.values())

    def __repr__(self) -> str:
        return f"<SessionRecord {self.session_id[:4].hex()}>"


_StoredSession = tuple[bytes, bytes, int, StoredRatchet, bytes | None, int]


class _StoredSessions(Stored, frozen=True, gc=False):
    has_active: bool
    sessions: tuple[_StoredSession, ...]


@final
@dataclass(frozen=True, slots=True, repr=False)
class PeerSessions:
    """All sessions with one device of a peer.

    Attributes:
        active: What we encrypt with; None before the first, or when it was archived.
        archived: Others that may still receive, the most recently used first.
    """

    active: SessionRecord | None = None
    archived: tuple[SessionRecord, ...] = ()

    @classmethod
    def empty(cls) -> "PeerSessions":
        """Give the sessions with a device that we never talked to."""
        return cls()

    @property
    def has_active(self) -> bool:
        """Whether `encrypt` can be called; otherwise claim a bundle."""
        return self.active is not None

    @property
    def registration_id(self) -> int | None:
        """The peer's registration to name beside an envelope of ours."""
        return None if self.active is None else self.active.peer_registration_id

    @property
    def all(self) -> tuple[SessionRecord, ...]:
        """Every session, the active one first."""
        return self.archived if self.active is None else (self.active, *self.archived)

    def dump(self) -> bytes:
        """Write them for the encrypted store, without skipped keys."""
        sessions = tuple(_stored(session) for session in self.all)
        return pack_state(_StoredSessions(STATE_VERSION, self.has_active, sessions))

    @classmethod
    def load(cls, data: bytes, rows: Iterable[SkippedRow] = ()) -> "PeerSessions":
        """Read what `dump` wrote.

        Args:
            data: The state.
            rows: All stored skipped keys of these sessions, in any order.

        Raises:
            StateDamaged: If the data isn't a state or a row is of no session in it.
        """
        stored = unpack_state("session", data, _StoredSessions)
        by_session: dict[bytes, dict[tuple[bytes, int], SkippedRow]] = {}
        for row in sorted(rows, key=lambda row: row.position):
            own = by_session.setdefault(row.row_id.session_id, {})
            own[(row.row_id.ratchet_key, row.row_id.number)] = row
        sessions = tuple(
            _loaded(values, by_session.pop(values[0], {})) for values in stored.sessions
        )
        if by_session or (stored.has_active and not sessions):
            raise StateDamaged("session")
        if stored.has_active:
            return cls(sessions[0], sessions[1:])
        return cls(None, sessions)

    def __repr__(self) -> str:
        return f"<PeerSessions of {len(self.all)}>"


def _stored(session: SessionRecord) -> _StoredSession:
    header = session.prekey
    return (
        session.session_id,
        session.session_hash,
        session.peer_registration_id,
        session.ratchet.stored(),
        None if header is None else suite1.encode_prekey_header(header),
        session.next_position,
    )


def _loaded(values: _StoredSession, skipped: SkippedKeys) -> SessionRecord:
    session_id, session_hash, registration_id, ratchet, prekey, next_position = values
    try:
        header = None if prekey is None else suite1.decode_prekey_header(prekey)
    except suite1.LayoutError as error:
        raise StateDamaged("session") from error
    return SessionRecord(
        session_id=session_id,
        session_hash=session_hash,
        peer_registration_id=registration_id,
        ratchet=RatchetState(*ratchet),
        prekey=header,
        next_position=next_position,
        skipped=skipped,
    )


def activate(
    sessions: PeerSessions, session: SessionRecord
) -> tuple[PeerSessions, tuple[SkippedRowId, ...]]:
    """Make a session the active one; the last that decrypts wins (Sesame §3.3).

    Returns:
        The sessions, and the skipped keys of those dropped beyond
        `ARCHIVED_SESSIONS_MAX`.
    """
    others = tuple(
        item for item in sessions.all if item.session_id != session.session_id
    )
    kept = others[: suite1.ARCHIVED_SESSIONS_MAX]
    dropped = others[suite1.ARCHIVED_SESSIONS_MAX :]
    removed = tuple(row_id for item in dropped for row_id in item.skipped_ids())
    return PeerSessions(session, kept), removed


def archive_active(sessions: PeerSessions) -> "Sessions":
    """Stop encrypting with the active session: the peer's device re-registered.

    It may still receive what was sent before.
    """
    kept = sessions.all[: suite1.ARCHIVED_SESSIONS_MAX]
    dropped = sessions.all[suite1.ARCHIVED_SESSIONS_MAX :]
    removed = tuple(row_id for item in dropped for row_id in item.skipped_ids())
    return Sessions(PeerSessions(None, kept), SkippedChange(removed=removed))


def expire_skipped(sessions: PeerSessions, now_ms: int) -> "Sessions":
    """Drop skipped keys older than `SKIPPED_KEY_LIFE_MS`."""
    removed: list[SkippedRowId] = []

    def cleaned(session: SessionRecord) -> SessionRecord:
        old = [
            key
            for key, row in session.skipped.items()
            if now_ms - row.created_at_ms > suite1.SKIPPED_KEY_LIFE_MS
        ]
        if not old:
            return session
        kept = dict(session.skipped)
        removed.extend(kept.pop(key).row_id for key in old)
        return replace(session, skipped=kept)

    active = None if sessions.active is None else cleaned(sessions.active)
    archived = tuple(cleaned(session) for session in sessions.archived)
    change = SkippedChange(removed=tuple(removed))
    return Sessions(PeerSessions(active, archived), change)


@final
@dataclass(frozen=True, slots=True)
class Sessions:
    """New sessions, and the rows to write with them.

    Attributes:
        sessions: Store its `dump()`.
        skipped: Rows to insert and delete in the same transaction.
    """

    sessions: PeerSessions
    skipped: SkippedChange = SkippedChange()
