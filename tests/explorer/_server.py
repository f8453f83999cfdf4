"""The server: the real folds over the model's disk, each state and answer numbered.

States, requests and answers are interned: equal ones have one number, so that a
world is a tuple of small numbers, and a fold that was done is looked up.
"""

from collections.abc import Hashable
from typing import Final, NamedTuple

import msgspec
from tests.explorer._names import index_of, is_signal, unpack
from tests.explorer._tables import Tables, read, start, write
from tests.explorer._violation import Violation

from wigwag.server.core import (
    Answer,
    Device,
    EngineLimits,
    Entries,
    Event,
    Failed,
    InboxEntry,
    InboxRead,
    Meta,
    Outcome,
    Refusal,
    Refused,
    Request,
    RowMissing,
    Send,
    Sequenced,
    State,
    User,
    fold,
    rows,
    wanted,
)
from wigwag.wire import DRAFT, MessageType

LIMITS: Final = EngineLimits()

READ_ROUNDS_MAX: Final = 8
"""As in the engine: rows lead to rows."""

Used = tuple[Device, int, int, int]
"""Sender, registration, message key, message."""


class Given(NamedTuple):
    """An entry that an inbox ever had, whether it is still there or not."""

    position: int
    id: bytes
    message: int
    is_missed: bool


class Ledger(NamedTuple):
    """What the checks remember beside the tables, in step with them.

    Attributes:
        given: By device, sorted: the entries that carry a message.
        used: Message keys of everything stored.
    """

    given: tuple[tuple[Device, tuple[Given, ...]], ...] = ()
    used: tuple[Used, ...] = ()


class Facts(NamedTuple):
    """What the world asks of a state, worked out once.

    Attributes:
        stored: Messages in the log, as a set of bits.
        owed: By device: messages that an entry was made for, likewise.
        given: By device.
    """

    stored: int
    owed: dict[Device, int]
    given: dict[Device, tuple[Given, ...]]


class Group(NamedTuple):
    """What a group of requests came to."""

    state: int
    answers: tuple[int, ...]
    events: tuple[Event, ...]


class Server:
    """All states that were reached, and how they follow from each other.

    Args:
        is_frugal: Whether a message key may close one message only.
        may_miss: Whether a listed device may be left without an envelope.
    """

    def __init__(self, *, is_frugal: bool, may_miss: bool) -> None:
        self._is_frugal = is_frugal
        self._may_miss = may_miss
        self._numbers: dict[Hashable, int] = {}
        self._states: list[tuple[Tables, Ledger]] = []
        self.facts: list[Facts] = []
        self._request_numbers: dict[Request, int] = {}
        self.requests: list[Request] = []
        self._answer_numbers: dict[Answer, int] = {}
        self.answers: list[Answer] = []
        self._groups: dict[tuple[int, tuple[int, ...]], Group] = {}
        self._starts: dict[tuple[int, int], int] = {}
        self._reads: dict[tuple[int, Device, int], tuple[int, InboxEntry | None]] = {}
        self._edits: dict[tuple[int, Device], int] = {}
        self._marked: dict[tuple[int, int, bool], int] = {}
        self.folds = 0

    # Numbers

    def state_of(self, tables: Tables, ledger: Ledger) -> int:
        """Number a state; its invariants are judged when it is new."""
        key = (tables.key(), ledger)
        number = self._numbers.get(key)
        if number is None:
            facts = _facts(tables, ledger, may_miss=self._may_miss)
            number = self._numbers[key] = len(self._states)
            self._states.append((tables, ledger))
            self.facts.append(facts)
        return number

    def tables(self, state: int) -> Tables:
        """Return what is on the disk."""
        return self._states[state][0]

    def request_of(self, request: Request) -> int:
        """Number a request."""
        number = self._request_numbers.setdefault(request, len(self.requests))
        if number == len(self.requests):
            self.requests.append(request)
        return number

    def _answer_of(self, answer: Answer) -> int:
        number = self._answer_numbers.setdefault(answer, len(self.answers))
        if number == len(self.answers):
            self.answers.append(answer)
        return number

    # Steps

    def fold(self, state: int, requests: tuple[int, ...]) -> Group:
        """Fold and commit a group."""
        key = (state, requests)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._fold(state, requests)
        return group

    def start(self, state: int, now_ms: int) -> int:
        """Start from what is on the disk."""
        key = (state, now_ms)
        number = self._starts.get(key)
        if number is None:
            tables, ledger = self._states[state]
            number = self._starts[key] = self.state_of(start(tables, now_ms), ledger)
        return number

    def read_next(
        self, state: int, device: Device, above: int
    ) -> tuple[int, InboxEntry | None]:
        """Read the entry that a connection is sent next; the state after that."""
        key = (state, device, above)
        found = self._reads.get(key)
        if found is None:
            request = self.request_of(InboxRead(device, above, 1, 1))
            group = self.fold(state, (request,))
            answer = self.answers[group.answers[0]]
            assert isinstance(answer, Entries)
            entry = answer.entries[0] if answer.entries else None
            found = self._reads[key] = (group.state, entry)
        return found

    def admit(self, request: int, generation: int, *, is_refused: bool) -> int:
        """Return the request that a session makes of a SEND."""
        key = (request, generation, is_refused)
        number = self._marked.get(key)
        if number is None:
            send = msgspec.structs.replace(
                self.requests[request],
                generation=generation,
                marked=Refusal.NOT_FOUND if is_refused else None,
            )
            number = self._marked[key] = self.request_of(send)
        return number

    def with_first_generation(self, state: int, device: Device) -> int:
        """Number a device's generations anew, from 1: nothing older is left."""
        key = (state, device)
        number = self._edits.get(key)
        if number is None:
            tables, ledger = self._states[state]
            row = tables.must_have(rows.SENDERS, device)
            row = msgspec.structs.replace(row, generation=1)
            edited = tables.with_row(rows.SENDERS, device, row)
            number = self._edits[key] = self.state_of(edited, ledger)
        return number

    def roster(self, state: int, user: User) -> rows.RosterRow:
        """Return the devices of an account that can be reached."""
        return self.tables(state).row(rows.ROSTERS, user) or ()

    def is_sent(self, state: int, device: Device, id_: bytes, chat: bytes) -> bool:
        """Say whether a client_msg_id is known."""
        key = rows.sent_key(device, id_, chat)
        return self.tables(state).row(rows.SENT, key) is not None

    # Folding

    def _fold(self, state: int, numbers: tuple[int, ...]) -> Group:
        tables, ledger = self._states[state]
        requests = [self.requests[number] for number in numbers]
        cold, outcomes, after = _fold_group(tables, requests, is_warm=False)
        _, again, warm = _fold_group(tables, requests, is_warm=True)
        self.folds += 2 * len(requests)
        for request, outcome in zip(requests, outcomes, strict=True):
            _judge(request, outcome)
        if outcomes != again or after.key() != warm.key():
            raise Violation("what is in memory and what is on the disk differ")
        ledger = self._note(ledger, cold, requests, outcomes)
        return Group(
            self.state_of(after, ledger),
            tuple(self._answer_of(outcome.answer) for outcome in outcomes),
            tuple(event for outcome in outcomes for event in outcome.events),
        )

    def _note(
        self,
        ledger: Ledger,
        state: State,
        requests: list[Request],
        outcomes: list[Outcome],
    ) -> Ledger:
        """Remember what a group gave to devices, and the message keys it stored."""
        given = {device: list(found) for device, found in ledger.given}
        for device, entry in state.changes.entries:
            if entry.kind == MessageType.UNDELIVERED:
                continue
            of_device = given.setdefault(device, [])
            id_ = entry.client_msg_id
            # What a restored inbox gives another number is no second entry.
            of_device[:] = [one for one in of_device if one.id != id_]
            is_missed = entry.kind == MessageType.MISSED
            of_device.append(Given(entry.position, id_, index_of(id_), is_missed))
        used = ledger.used
        if self._is_frugal:
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(request, Send) and _is_stored(state, request, outcome):
                    used = _use(used, request)
        return Ledger(
            tuple(sorted((device, tuple(found)) for device, found in given.items())),
            used,
        )


def _fold_group(
    tables: Tables, requests: list[Request], *, is_warm: bool
) -> tuple[State, list[Outcome], Tables]:
    """Fold a group as the engine does.

    Args:
        tables: What is on the disk.
        requests: The group.
        is_warm: Whether memory holds all of it, or nothing yet.
    """
    meta = tables.meta
    state = State(Meta(meta.clock_ms, meta.void_below, meta.epochs), LIMITS, DRAFT)
    # Only that places in the log rise counts; records that left no row are skipped.
    state.ordinal = _last_ordinal(tables, state.epoch)
    if is_warm:
        _warm(state, tables)
    state.begin_group(meta.clock_ms)
    outcomes = [_fold_one(state, tables, request) for request in requests]
    state.end_group()
    changes = state.changes
    after = write(tables, changes, state.clock_ms, state.void_below)
    return state, outcomes, after


def _fold_one(state: State, tables: Tables, request: Request) -> Outcome:
    place = state.ordinal
    for _ in range(READ_ROUNDS_MAX):
        state.ordinal = place
        try:
            outcome = fold(request, state)
            if not isinstance(outcome.answer, Sequenced):
                state.ordinal = place
            return outcome
        except RowMissing as missing:
            keys = wanted([request], state)
            if not keys:
                text = f"a fold wants {missing.table.name} that none foresaw"
                raise Violation(text) from missing
            while keys:
                for table, key, row in read(tables, keys):
                    state.load(table, key, row)
                keys = wanted([request], state)
    raise Violation("rows lead to rows without end")


def _warm(state: State, tables: Tables) -> None:
    for (index, key), row in tables.stored.items():
        table = rows.TABLES[index]
        if table.is_kept:
            state.load(table, key, row)
    for device, entries in tables.inboxes.items():
        for entry in entries:
            state.add_entry(device, entry)
    state.grown.clear()


def _last_ordinal(tables: Tables, epoch: int) -> int:
    places = [row.source for row in tables.log]
    for (index, _), row in tables.stored.items():
        if index == rows.MARKS.index:
            assert isinstance(row, rows.MarkRow)
            places.append(row.source)
    return max((one & 0xFFFF_FFFF for one in places if one >> 32 == epoch), default=0)


def _judge(request: Request, outcome: Outcome) -> None:
    """Judge an answer that no honest client may get."""
    if outcome.error is not None:
        raise Violation(f"a fold raised {outcome.error!r}")
    answer = outcome.answer
    if isinstance(answer, Refused) and answer.code in (
        *(Refusal.CONFLICT, Refusal.EXPIRED, Refusal.INTERNAL, Refusal.FORBIDDEN),
    ):
        index = index_of(answer.client_msg_id)
        text = f"{answer.code} for an honest client, message {index}"
        raise Violation(f"{text}, attempt {answer.attempt}")
    if isinstance(answer, Failed) and answer.code is not Refusal.AUTH_FAILED:
        kind = type(request).__name__
        raise Violation(f"{answer.code} for an honest client's {kind}")


def _is_stored(state: State, send: Send, outcome: Outcome) -> bool:
    """Say whether a group stored a SEND, this attempt of it."""
    if not isinstance(outcome.answer, Sequenced):
        return False
    key = rows.sent_key(send.sender, send.client_msg_id, send.chat)
    row = state.changes.rows[rows.SENT.index].get(key)
    return row is not None and (row.attempt, row.registration_id) == (
        send.attempt,
        send.registration_id,
    )


def _use(used: tuple[Used, ...], send: Send) -> tuple[Used, ...]:
    """Note the message keys of a SEND that is stored."""
    for envelope in send.envelopes:
        opened = unpack(envelope.ciphertext)
        one = (send.sender, opened.registration, opened.ratchet, opened.message)
        for other in used:
            if other[:3] == one[:3] and other[3] != one[3]:
                raise Violation(
                    f"message key {opened.ratchet} closes two stored messages,"
                    f" {other[3]} and {one[3]}"
                )
        if one not in used:
            used = tuple(sorted((*used, one)))
    return used


def _facts(tables: Tables, ledger: Ledger, *, may_miss: bool) -> Facts:
    """Work out what the world asks of a state.

    Raises:
        Violation: The log is not as it must be.
    """
    stored = 0
    by_chat: dict[bytes, list[rows.LogRow]] = {}
    for row in tables.log:
        by_chat.setdefault(row.chat, []).append(row)
    for log in by_chat.values():
        places = [row.chat_seq for row in log]
        if places != sorted(set(places)):
            raise Violation("chat_seq does not rise")
        last: dict[Device, int] = {}
        for row in log:
            index = index_of(row.client_msg_id)
            if stored >> index & 1:
                raise Violation(f"two entries of the log for message {index}")
            stored |= 1 << index
            if last.get(row.sender, 0) > index:
                raise Violation(
                    f"message {index} is behind {last[row.sender]}:"
                    " not the order that the client wrote them in"
                )
            last[row.sender] = index
    owed: dict[Device, int] = {}
    for device, given in ledger.given:
        for one in given:
            if one.is_missed and not may_miss:
                raise Violation(f"message {one.message} has no envelope for a device")
            if not is_signal(one.id):
                owed[device] = owed.get(device, 0) | 1 << one.message
    return Facts(stored, owed, dict(ledger.given))
