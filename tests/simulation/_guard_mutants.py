# pyright: reportPrivateUsage=false
# A mutant replaces what is inside; that is what it is for.
"""Bugs planted in what guards the server: sign-in, isolation, disk, recovery, keys."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from tests.simulation._client_mutants import trust_own_store
from tests.simulation._mutant import Mutant, mutant

from wigwag.client._connector import Connector
from wigwag.server._session import Session
from wigwag.server.core import (
    Answer,
    Connect,
    Device,
    Outcome,
    Request,
    Sequenced,
    _connect,
    _directory,
    _fold,
    _inbox_read,
    _prekeys,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._prekeys import _take as _real_take
from wigwag.server.core._rows import HEADS, SENDERS, PageRef
from wigwag.server.core._state import Meta
from wigwag.server.core._values import Position
from wigwag.server.engines import _database, _store
from wigwag.server.engines._embedded import EmbeddedEngine, Group
from wigwag.server.engines._notify import Notifier
from wigwag.server.engines._sql import Database
from wigwag.server.handlers import _account
from wigwag.server.ports import CommitUncertainError
from wigwag.wire import ErrorCode, RemoteProtocolError

_real_connect = _connect.fold_connect
_real_commit = EmbeddedEngine._commit
_real_begin = _store._begin
_real_answer = Notifier.answer
_real_peer_failed = Session._peer_failed

ANSWERS_DROPPED: Final = 20
"""One answer in so many."""


# Sessions


def _verify_nothing(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Take every signature for a right one."""


def _end_everybody(self: Session, error: RemoteProtocolError) -> None:
    """Take one peer's bad frame for everybody's."""
    _real_peer_failed(self, error)
    for session in self.services.hub.sessions():
        if session is not self:
            session.close_with(ErrorCode.ENHANCE_CALM)


# Engine


def _drop_some_answers(
    self: Notifier,
    request: Request,
    answer: Callable[[Answer], None],
    outcome: Outcome,
) -> None:
    """Forget an answer now and then."""
    said = outcome.answer
    if isinstance(said, Sequenced) and said.client_msg_id[-1] % ANSWERS_DROPPED == 0:
        return
    _real_answer(self, request, answer, outcome)


async def _take_errors_for_success(self: EmbeddedEngine, group: Group) -> None:
    """Go on after a commit of which nothing is known."""
    try:
        await _real_commit(self, group)
    except CommitUncertainError:
        self._state.saved()
        self._unanswered = group


async def _take_full_disk_for_success(self: EmbeddedEngine, group: Group) -> None:
    """Answer a group that was rolled back for want of space as if it were stored."""
    self._state.saved()
    self._unanswered = group


def _begin_without_last(
    path: Path,
    database: Database,
    now_ms: int,
    proven: Position,
    accept_clock: bool,
    accept_loss: bool,
) -> Meta:
    """Lose the newest message of a table at each start."""
    meta = _real_begin(path, database, now_ms, proven, accept_clock, accept_loss)
    names = database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'chat_log_%'"
    )
    for (name,) in list(names):
        database.execute(
            f"DELETE FROM {name} WHERE (chat, chat_seq) ="  # noqa: S608 - a table's name
            f" (SELECT chat, chat_seq FROM {name} ORDER BY chat_seq DESC LIMIT 1)"
        )
    return meta


# Folds


def _take_without_advancing(
    draft: Draft,
    device: Device,
    kind: int,
    size: int,
    pages: tuple[PageRef, ...],
    index: int,
) -> tuple[bytes, tuple[PageRef, ...], int]:
    """Hand a key out and leave it where it is."""
    packed, _, _ = _real_take(draft, device, kind, size, pages, index)
    return packed, pages, index


def _revoke_nothing(draft: Draft, device: Device) -> None:
    """Take a device's number off its account's list, and leave all else as it is."""
    del draft, device


def _acknowledge_nothing(draft: Draft, device: Device, upto: Position) -> Position:
    """Keep a cursor and all below it, whatever a device says."""
    del upto
    return draft.must_get(HEADS, device).acked


def _connect_any_generation(draft: Draft, request: Connect) -> Answer:
    """Let an old copy of a store in, as if it were the newest."""
    sender = draft.get(SENDERS, request.device)
    if sender is not None and request.generation <= sender.generation:
        raised = sender.generation + 1
        request = msgspec.structs.replace(request, generation=raised)
    return _real_connect(draft, request)


def _keep_epoch(
    path: Path,
    database: Database,
    now_ms: int,
    proven: Position,
    accept_clock: bool,
    accept_loss: bool,
) -> Meta:
    """Start in the epoch that the log ended in."""
    meta = _real_begin(path, database, now_ms, proven, accept_clock, accept_loss)
    *before, _ = meta.epochs
    if not before:
        return meta
    return msgspec.structs.replace(meta, epochs=tuple(before))


GUARD_MUTANTS: Final[dict[str, Mutant]] = {
    "impostors_let_in": mutant("I14", (_account, "verify", _verify_nothing)),
    "removed_still_served": mutant("I14", (_directory, "_revoke", _revoke_nothing)),
    "one_bad_ends_all": mutant("I19", (Session, "_peer_failed", _end_everybody)),
    "answers_dropped": mutant("I16", (Notifier, "answer", _drop_some_answers)),
    "error_taken_for_success": mutant(
        "I1", (EmbeddedEngine, "_commit", _take_errors_for_success)
    ),
    "full_disk_taken_for_success": mutant(
        "I1", (EmbeddedEngine, "_refuse_all", _take_full_disk_for_success)
    ),
    "nothing_synced": mutant(
        "I1 alarm",
        (_database, "_PRAGMAS", (*_database._PRAGMAS, "PRAGMA synchronous = NORMAL")),
    ),
    "recovery_loses_last": mutant("I1 I20", (_store, "_begin", _begin_without_last)),
    "epoch_kept_over_restore": mutant("I2 I3 I4 I9", (_store, "_begin", _keep_epoch)),
    # Either of two checks finds an old copy out: the bug is that both are gone.
    "old_copy_let_in": mutant(
        "I25 I5",
        (_fold, "fold_connect", _connect_any_generation),
        (Connector, "_is_ours", trust_own_store),
    ),
    "prekey_handed_twice": mutant("I24", (_prekeys, "_take", _take_without_advancing)),
    "cursor_ignored": mutant(
        "I21",
        (_connect, "acknowledge", _acknowledge_nothing),
        (_inbox_read, "acknowledge", _acknowledge_nothing),
    ),
}
