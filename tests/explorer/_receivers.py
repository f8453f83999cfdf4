"""Receiving devices: the real decisions over a store of what was stored.

One entry is taken, stored and committed in one step, as the client's transaction
does; a store is never changed in place, and every one has a number.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Final, NamedTuple

from tests.explorer._names import (
    MESSAGE,
    index_of,
    unpack,
)
from tests.explorer._violation import Violation

from wigwag.client import _inbox as logic
from wigwag.client import _inbox_batch
from wigwag.client._inbox import Held, Inbox, Placement, Verdict
from wigwag.server.core import Gap as GapFound
from wigwag.server.core import GapReason, InboxEntry
from wigwag.wire import (
    DRAFT,
    Deliver,
    Gap,
    Missed,
    Undelivered,
    UndeliveredReason,
    decode_message,
)

HEADER_BYTES: Final = 12

NOW: Final = 0.0
"""Time stands still; a wait is over when the explorer says so."""

BEFORE_ALL: Final = float("-inf")


class Kept(NamedTuple):
    """A message in the store.

    Attributes:
        message: The message.
        is_readable: Whether it is more than a placeholder.
        place: Its chat and its chat_seq, as the server said; 0: not said.
    """

    message: int
    is_readable: bool
    place: tuple[bytes, int]


class Receiver(NamedTuple):
    """A device's inbox and store.

    Attributes:
        inbox: The real value.
        kept: What is stored, by message.
        gaps: First and last of what was told missing.
        excused: Up to here the inbox was dropped because the device registered anew.
        seen: Position and message of each entry.
    """

    inbox: Inbox = Inbox()
    kept: tuple[Kept, ...] = ()
    gaps: tuple[tuple[int, int], ...] = ()
    excused: int = 0
    seen: tuple[tuple[int, bytes], ...] = ()


class Lost(NamedTuple):
    """A message of the device's own that didn't reach one of the other's devices."""

    message: int
    user: bytes
    number: int


class Receivers:
    """All states that receivers were in, and how they follow from each other."""

    def __init__(self) -> None:
        self._numbers: dict[Receiver, int] = {}
        self.states: list[Receiver] = []
        self._memo: dict[Hashable, tuple[int, Lost | None]] = {}
        self._entries: dict[InboxEntry, int] = {}
        self._messages: list[Deliver | Missed | Undelivered] = []
        self._acks: dict[int, tuple[int, int] | None] = {}

    def number_of(self, state: Receiver) -> int:
        """Number a state."""
        number = self._numbers.setdefault(state, len(self.states))
        if number == len(self.states):
            self.states.append(state)
        return number

    def entry_of(self, entry: InboxEntry) -> int:
        """Number an entry; its frame is decoded as a client does."""
        number = self._entries.get(entry)
        if number is None:
            message = decode_message(entry.kind, DRAFT, entry.frame[HEADER_BYTES:])
            assert isinstance(message, Deliver | Missed | Undelivered)
            number = self._entries[entry] = len(self._messages)
            self._messages.append(message)
        return number

    def describe(self, entry: int) -> str:
        """Name an entry in a story."""
        message = self._messages[entry]
        place = f"{message.inbox_seq >> 32}:{message.inbox_seq & 0xFFFF_FFFF}"
        name = f"{type(message).__name__} {index_of(message.client_msg_id)}"
        return f"{name} at {place}"

    # Steps

    def connect(self, number: int) -> tuple[int, int]:
        """Begin a connection; the cursor that AUTH names, and the state then."""
        key = ("connect", number)
        found = self._memo.get(key)
        state = self.states[number]
        cursor, covered = state.inbox.cursor, state.inbox.covered
        if found is None:
            inbox = logic.connect(state.inbox, cursor=cursor, covered=covered)
            after = self.number_of(state._replace(inbox=inbox))
            found = self._memo[key] = (after, None)
        return found[0], cursor

    def take_gap(self, number: int, gap: GapFound, given: tuple[int, ...]) -> int:
        """Take a GAP.

        Args:
            number: The state.
            gap: What it says.
            given: Positions of entries that the server ever made for the device, and
                that the device hasn't stored.
        """
        key = ("gap", number, gap, given)
        found = self._memo.get(key)
        if found is None:
            after = self._take_gap(self.states[number], gap, given)
            found = self._memo[key] = (self.number_of(after), None)
        return found[0]

    def take(self, number: int, entry: int) -> tuple[int, Lost | None]:
        """Take and store an entry."""
        key = ("take", number, entry)
        found = self._memo.get(key)
        if found is None:
            after, lost = self._take(self.states[number], self._messages[entry])
            found = self._memo[key] = (self.number_of(after), lost)
        return found

    def acknowledge(self, number: int) -> tuple[int, int] | None:
        """Return the position to acknowledge and the state then, or None."""
        if number not in self._acks:
            state = self.states[number]
            position = logic.to_ack(state.inbox, NOW)
            self._acks[number] = None
            if position is not None:
                inbox = replace(logic.ack(state.inbox, NOW), acked_at=BEFORE_ALL)
                after = self.number_of(state._replace(inbox=inbox))
                self._acks[number] = (position, after)
        return self._acks[number]

    def excuse(self, number: int, upto: int) -> int:
        """Note that a new registration dropped the inbox up to a position."""
        return self.number_of(self.states[number]._replace(excused=upto))

    # The doing

    def _take_gap(
        self, state: Receiver, gap: GapFound, given: tuple[int, ...]
    ) -> Receiver:
        message = Gap(first=gap.first, last=gap.last, reason=gap.reason)
        judged, inbox, verdict = _inbox_batch.judge_batch(state.inbox, [message])
        if verdict is not Verdict.TAKE or not judged:
            raise Violation(f"a GAP from {gap.first} to {gap.last} is {verdict.value}")
        if gap.reason == GapReason.ALREADY_ACKED:
            lost = [
                one
                for one in given
                if max(gap.first, state.excused + 1) <= one <= gap.last
            ]
            if lost:
                raise Violation(
                    "a device that was never rolled back gets GAP(ALREADY_ACKED):"
                    " entries are lost"
                )
        inbox = replace(logic.store(inbox, inbox.taken, 0), unacked=0)
        gaps = tuple(sorted({*state.gaps, (gap.first, gap.last)}))
        return state._replace(inbox=inbox, gaps=gaps)

    def _take(
        self, state: Receiver, message: Deliver | Missed | Undelivered
    ) -> tuple[Receiver, Lost | None]:
        judged, inbox, verdict = _inbox_batch.judge_batch(state.inbox, [message])
        if verdict is not Verdict.TAKE or (judged and judged[0][1] is not None):
            raise Violation(
                f"a hole below {message.inbox_seq} without GAP: {verdict.value}"
            )
        told = (message.inbox_seq, message.client_msg_id)
        for one in state.seen:
            if one[0] == told[0] and one[1] != told[1]:
                raise Violation(f"position {told[0]} was given to two entries")
        if not judged:
            return state, None
        inbox = replace(logic.store(inbox, inbox.taken, 1), unacked=0)
        seen = tuple(sorted({*state.seen, told}))
        state = state._replace(inbox=inbox, seen=seen)
        match message:
            case Deliver():
                opened = unpack(message.ciphertext)
                seq = message.chat_seq if opened.kind == MESSAGE else 0
                place = (message.chat, seq)
                return _put(state, Kept(opened.message, True, place)), None
            case Missed():
                place = (message.chat, message.chat_seq)
                index = index_of(message.client_msg_id)
                return _put(state, Kept(index, False, place)), None
            case Undelivered():
                if message.reason != UndeliveredReason.REREGISTERED:
                    return state, None
                # A signal's id leads to the message that it stands for.
                index = index_of(message.client_msg_id)
                return state, Lost(index, message.user, message.device)


def _put(state: Receiver, new: Kept) -> Receiver:
    """Store a message where it belongs, as the real decision says."""
    old = next((one for one in state.kept if one.message == new.message), None)
    held = Held.NOTHING
    if old is not None:
        held = Held.READABLE if old.is_readable else Held.STUB
    placement = logic.place(held, new.is_readable)
    if placement is Placement.KEEP:
        return state
    if placement is Placement.INSERT and old is not None:
        raise Violation(f"message {new.message} is stored twice")
    for one in state.kept:
        if new.place[1] and one.place == new.place and one.message != new.message:
            raise Violation(
                f"one chat_seq for two messages, {one.message} and {new.message}"
            )
    place = old.place if old is not None and not new.place[1] else new.place
    others = [one for one in state.kept if one is not old]
    kept = tuple(sorted([*others, new._replace(place=place)]))
    return state._replace(kept=kept)
