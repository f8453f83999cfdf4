# pyright: reportPrivateUsage=false
# A mutant replaces what is inside; that is what it is for.
"""Planted bugs: each invariant's proof that the sweep would find its violation.

A mutant replaces a function of the real code at a named seam, for as long as it is
planted. Nothing in the product knows of it. `catches` names the invariants of which
at least one must be reported; another one may be reported first.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from wigwag.client import _receiver, _store_account, _store_events
from wigwag.client._txn import Txn
from wigwag.server._delivery import Delivery
from wigwag.server.core import (
    Ack,
    Answer,
    InboxEntry,
    Send,
    Sequenced,
    _chat_fold,
    _fold,
    _inbox_fold,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._rows import CHATS, MarkRow, SentRow
from wigwag.server.core._values import NO_MESSAGE, Position, next_position
from wigwag.server.engines import _store
from wigwag.server.engines._embedded import EmbeddedEngine, Group

# Stands for whatever a seam's own function takes and returns.
Patch = tuple[object, str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug.

    Attributes:
        name: Its name on the command line.
        catches: Invariants whose checkers may catch it.
        patches: Owner, attribute and what takes its place.
    """

    name: str
    catches: frozenset[str]
    patches: Sequence[Patch]

    @contextmanager
    def planted(self) -> Generator[None, None, None]:
        """Have the bug, for as long as the block lasts."""
        before = [
            (owner, name, getattr(owner, name)) for owner, name, _ in self.patches
        ]
        for owner, name, function in self.patches:
            setattr(owner, name, function)
        try:
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)


# The server: engine


async def _commit_after_answers(self: EmbeddedEngine, group: Group) -> None:
    """Answer a group when it is folded, and commit it then."""
    state, store = self._state, self._store
    clock_ms, ordinal, void_below = state.clock_ms, state.ordinal, state.void_below
    job = self._executor.start(
        lambda: store.write(group.changes, clock_ms, ordinal, void_below)
    )
    self._unanswered = group
    self._answer()
    await job.result()
    state.saved()


async def _commit_after_delivery(self: EmbeddedEngine, group: Group) -> None:
    """Deliver a group's entries when it is folded; the answers wait."""
    self._notifier.tell(group.changes.entries, ())
    await _real_commit(self, group)


def _epoch_going_back(last_epoch: int, now_ms: int) -> int:
    """Open an epoch below the last one."""
    del now_ms
    return last_epoch - 1 if last_epoch else 1 << 30


# The server: folds


def _fold_send_without_dedupe(draft: Draft, send: Send) -> Answer:
    """Fold a known id as if it were new."""
    answer = _real_fold_send(draft, send)
    if isinstance(answer, Sequenced) and answer.ts != draft.now_ms:
        known = draft.get(CHATS, send.chat)
        if known is not None and answer.chat_seq:
            place = _chat_fold._take_place(draft, send, known)
            _inbox_fold.deliver(draft, send, place)
            return Sequenced(send.client_msg_id, send.attempt, place, draft.now_ms)
    return answer


def _fold_send_without_after(draft: Draft, send: Send) -> Answer:
    """Take a message whatever it is to go after."""
    chat = draft.get(CHATS, send.chat)
    last_id = NO_MESSAGE
    if chat is not None:
        registration, tail = chat.tails.get(send.sender, (0, NO_MESSAGE))
        if registration == send.registration_id:
            last_id = tail
    return _real_fold_send(draft, msgspec.structs.replace(send, after=last_id))


def _repeat_with_new_time(send: Send, known: SentRow) -> Answer:
    """Answer a repeated message with another time than the first one."""
    answer = _real_repeat(send, known)
    if isinstance(answer, Sequenced):
        return msgspec.structs.replace(answer, ts=answer.ts + 1)
    return answer


def _position_with_hole(last: Position, epoch: int) -> Position:
    """Leave a position out now and then."""
    place = next_position(last, epoch)
    return place + 1 if place % 10 == 0 else place


def _mark_of_top(row: MarkRow) -> Position:
    """Take everything that was addressed to a user for delivered."""
    return row.top


# The server: sessions


def _send_and_delete(self: Delivery, entry: InboxEntry) -> None:
    """Delete an entry when it was written to the socket."""
    _real_delivery_send(self, entry)
    session = self._outlet
    identity = getattr(session, "identity", None)
    services = getattr(session, "services", None)
    if identity is not None and services is not None:
        registration = identity.registration_id
        ack = Ack(self.device, registration, entry.position)
        services.engine.append(ack, _drop)


def _drop(_: Answer) -> None:
    """Drop an answer."""


# The client


def _cursor_from_before(txn: Txn, name: _store_account.CounterName, value: int) -> None:
    """Store the cursor of the batch before."""
    if name == "cursor":
        value = max(0, value - 1)
    _real_set_counter(txn, name, value)


def _save_one_work_late(self: Txn) -> None:
    """Write ratchet states with the work that follows, when the bytes have left."""
    late = _late_states.pop(id(self._db), [])
    for user, device, state in late:
        self.do(
            "INSERT INTO session VALUES (?, ?, ?, 0)"
            " ON CONFLICT DO UPDATE SET state = excluded.state",
            user,
            device,
            state,
        )
    _late_states[id(self._db)] = [
        (user, device, self.opened[user, device].dump())
        for user, device in sorted(self._unsaved)
    ]
    self._unsaved.clear()


_late_states: dict[int, list[tuple[bytes, int, bytes]]] = {}


def _forget_done(txn: Txn, name: str, seq: int) -> None:
    """Don't store what a consumer has handled."""


_real_commit = EmbeddedEngine._commit
_real_fold_send = _chat_fold.fold_send
_real_repeat = _chat_fold._repeat
_real_delivery_send = Delivery._send
_real_set_counter = _store_account.set_counter_txn


def _mutant(name: str, catches: str, *patches: Patch) -> tuple[str, Mutant]:
    return name, Mutant(name, frozenset(catches.split()), patches)


MUTANTS: Final[dict[str, Mutant]] = dict(
    (
        _mutant(
            "answer_before_commit",
            "I1 I2 I9",
            (EmbeddedEngine, "_commit", _commit_after_answers),
        ),
        _mutant(
            "deliver_before_commit",
            "I2 I4 I5 I8 I23",
            (EmbeddedEngine, "_commit", _commit_after_delivery),
        ),
        _mutant("epoch_goes_back", "I3 I10", (_store, "epoch_at", _epoch_going_back)),
        _mutant("no_dedupe", "I2 I9", (_fold, "fold_send", _fold_send_without_dedupe)),
        _mutant("after_ignored", "I7", (_fold, "fold_send", _fold_send_without_after)),
        _mutant("answer_drifts", "I9", (_chat_fold, "_repeat", _repeat_with_new_time)),
        _mutant(
            "position_left_out",
            "I3",
            (_chat_fold, "next_position", _position_with_hole),
        ),
        _mutant(
            "marked_too_early",
            "I23",
            (_inbox_fold, "mark_of", _mark_of_top),
            (_fold, "mark_of", _mark_of_top),
        ),
        _mutant("delete_before_ack", "I5 I23", (Delivery, "_send", _send_and_delete)),
        _mutant(
            "cursor_goes_back",
            "I23",
            (_receiver, "set_counter_txn", _cursor_from_before),
        ),
        _mutant("ratchet_after_send", "I25", (Txn, "save", _save_one_work_late)),
        _mutant(
            "done_forgotten", "I6", (_store_events, "consumer_done_txn", _forget_done)
        ),
    )
)
