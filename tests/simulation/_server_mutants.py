# pyright: reportPrivateUsage=false
# A mutant replaces what is inside; that is what it is for.
"""Bugs planted in the server: its engine, its folds, its sessions."""

from collections.abc import Sequence
from typing import Final

import msgspec
from tests.simulation._mutant import Mutant, mutant
from tests.simulation._tap import HEADER

from wigwag.server._inbox_feed import InboxFeed
from wigwag.server._peer import Identity
from wigwag.server.core import (
    Ack,
    Answer,
    Refusal,
    Refused,
    Send,
    Sequenced,
    _chat_fold,
    _fold,
    _inbox_fold,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._rows import CHATS, ChatRow, MarkRow, SentRow
from wigwag.server.core._values import NO_MESSAGE, USER_BYTES, Position, next_position
from wigwag.server.engines._embedded import EmbeddedEngine, Group

_real_commit = EmbeddedEngine._commit
_real_fold_send = _chat_fold.fold_send
_real_take_place = _chat_fold._take_place
_real_repeat = _chat_fold._repeat
_real_send_entries = InboxFeed.send_entries

EPOCH_STEP: Final = 1 << 32
"""A position's epoch is its upper half."""

POSITIONS_LEFT_OUT: Final = 10
"""One position in so many."""


# Engine


async def _commit_after_answers(self: EmbeddedEngine, group: Group) -> None:
    """Answer a group when it is folded, and commit it then."""
    state, store = self._state, self._store
    clock_ms, ordinal, void_below = state.clock_ms, state.ordinal, state.void_below
    job = self._executor.start(
        lambda: store.write(group.changes, clock_ms, ordinal, void_below)
    )
    self._answer()
    self._unanswered = group
    self._answer()
    await job.result()
    state.saved()


async def _commit_after_delivery(self: EmbeddedEngine, group: Group) -> None:
    """Deliver a group's entries when it is folded; the answers wait."""
    self._notifier.tell(group.changes.entries, ())
    await _real_commit(self, group)


# Folds


def _fold_send_without_dedupe(draft: Draft, send: Send) -> Answer:
    """Give a known id a place of its own again."""
    answer = _real_fold_send(draft, send)
    is_repeat = isinstance(answer, Sequenced) and answer.ts != draft.now_ms
    chat = draft.get(CHATS, send.chat)
    if not is_repeat or chat is None or send.after == NO_MESSAGE:
        return answer
    place = _chat_fold._take_place(draft, send, chat)
    rosters = [draft.roster(user) for user in send.users]
    _inbox_fold.deliver(draft, send, place, rosters)
    return Sequenced(send.client_msg_id, send.attempt, place, draft.now_ms)


def _fold_send_without_after(draft: Draft, send: Send) -> Answer:
    """Take a message whatever it is to go after."""
    chat = draft.get(CHATS, send.chat)
    last_id = NO_MESSAGE
    if chat is not None:
        registration, tail = chat.tails.get(send.sender, (0, NO_MESSAGE))
        if registration == send.registration_id:
            last_id = tail
    return _real_fold_send(draft, msgspec.structs.replace(send, after=last_id))


def _fold_send_though_refused(draft: Draft, send: Send) -> Answer:
    """Store what is refused, and refuse it for good."""
    if send.marked is None:
        return _real_fold_send(draft, send)
    answer = _real_fold_send(draft, msgspec.structs.replace(send, marked=None))
    if not isinstance(answer, Sequenced):
        return answer
    return Refused(send.client_msg_id, send.attempt, Refusal.FORBIDDEN)


def _repeat_with_new_time(send: Send, known: SentRow) -> Answer:
    """Answer a repeated message with another time than the first one."""
    answer = _real_repeat(send, known)
    if isinstance(answer, Sequenced):
        return msgspec.structs.replace(answer, ts=answer.ts + 1)
    return answer


def _position_with_hole(last: Position, epoch: int) -> Position:
    """Leave a position out now and then."""
    place = next_position(last, epoch)
    return place + 1 if place % POSITIONS_LEFT_OUT == 0 else place


def _take_lower_place(draft: Draft, send: Send, chat: ChatRow) -> Position:
    """Put what one of the two users writes below all that the other one wrote."""
    place = _real_take_place(draft, send, chat)
    if send.sender[:USER_BYTES] != max(chat.users):
        return place
    lower = place - EPOCH_STEP
    draft.log[-1] = msgspec.structs.replace(draft.log[-1], chat_seq=lower)
    return lower


def _mark_of_top(row: MarkRow) -> Position:
    """Take everything that was addressed to a user for delivered."""
    return row.top


# Sessions


def _send_and_delete(self: InboxFeed, frames: Sequence[bytes]) -> None:
    """Delete an entry when it was written to the socket."""
    _real_send_entries(self, frames)
    session = self._session
    identity = session.identity
    if identity is not None:
        position = int.from_bytes(frames[-1][HEADER.size : HEADER.size + 8])
        ack = Ack(identity.device, identity.registration_id, position)
        session.services.engine.append(ack, _drop)


def _drop(_: Answer) -> None:
    """Drop an answer."""


def _supersede_nothing(self: Identity, other: Identity) -> bool:
    """Let every sign-in end the connection that there is, however old it is."""
    del self, other
    return False


SERVER_MUTANTS: Final[dict[str, Mutant]] = {
    "answer_before_commit": mutant(
        "I1 I9", (EmbeddedEngine, "_commit", _commit_after_answers)
    ),
    "deliver_before_commit": mutant(
        "I2 I4 I5 I8", (EmbeddedEngine, "_commit", _commit_after_delivery)
    ),
    "no_dedupe": mutant("I2", (_fold, "fold_send", _fold_send_without_dedupe)),
    "after_ignored": mutant("I7", (_fold, "fold_send", _fold_send_without_after)),
    "refused_and_stored": mutant("I8", (_fold, "fold_send", _fold_send_though_refused)),
    "answer_drifts": mutant("I9", (_chat_fold, "_repeat", _repeat_with_new_time)),
    "position_left_out": mutant(
        "I3", (_chat_fold, "next_position", _position_with_hole)
    ),
    "replies_placed_before": mutant(
        "I10", (_chat_fold, "_take_place", _take_lower_place)
    ),
    "marked_too_early": mutant(
        "I23", (_inbox_fold, "mark_of", _mark_of_top), (_fold, "mark_of", _mark_of_top)
    ),
    "delete_before_ack": mutant("I5", (InboxFeed, "send_entries", _send_and_delete)),
    "old_sign_in_displaces": mutant(
        "I5 alarm", (Identity, "supersedes", _supersede_nothing)
    ),
}
