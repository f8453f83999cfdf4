"""One record in, one answer and its changes out.

Rule 11: a fold that raises is our bug and costs its own record only. Its changes
are dropped, its request is answered INTERNAL (outcome none), the rest of the
group goes on.
"""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

import msgspec

from wigwag.server.core._answers import (
    Answer,
    EngineStatus,
    Failed,
    Marks,
    Refused,
)
from wigwag.server.core._chat_fold import fold_send
from wigwag.server.core._connect import fold_connect
from wigwag.server.core._directory import (
    fold_account_lookup,
    fold_claim_name,
    fold_create_invite,
    fold_delete_account,
    fold_get_lists,
    fold_lookup,
    fold_name_of,
    fold_publish_list,
    fold_re_register,
    fold_register,
    fold_resolve,
)
from wigwag.server.core._draft import Draft
from wigwag.server.core._events import Event
from wigwag.server.core._inbox_drop import fold_tick
from wigwag.server.core._inbox_read import fold_ack, fold_inbox_read
from wigwag.server.core._marks import mark_of
from wigwag.server.core._prekeys import fold_claim, fold_count, fold_upload
from wigwag.server.core._refusals import Refusal
from wigwag.server.core._requests import (
    AccountDelete,
    AccountLookup,
    Ack,
    Connect,
    DeviceListGet,
    DeviceListPublish,
    DeviceLookup,
    InboxRead,
    InviteCreate,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ReceiptsGet,
    Register,
    Request,
    ReRegister,
    Send,
    Status,
    Tick,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
)
from wigwag.server.core._rows import CHATS, COUNTS, MARKS
from wigwag.server.core._state import RowMissing, State
from wigwag.server.core._values import Mark


class Outcome(msgspec.Struct, frozen=True):
    """What a record's fold came to.

    Attributes:
        answer: For whoever asked, after the commit.
        events: For sessions and operators, after the commit.
        error: Our bug, if the fold raised; the answer is INTERNAL then.
    """

    answer: Answer
    events: Sequence[Event] = ()
    error: Exception | None = None


def fold(request: Request, state: State) -> Outcome:
    """Fold one record into the state.

    Raises:
        RowMissing: A row must be read first; nothing has changed.
    """
    draft = Draft(state)
    try:
        answer = _fold(draft, request)
        draft.apply()
    except RowMissing:
        draft.revert()
        raise
    except Exception as error:
        draft.revert()
        return Outcome(refuse(request, Refusal.INTERNAL), (), error)
    return Outcome(answer, draft.events)


def refuse(request: Request, code: Refusal) -> Answer:
    """Build the answer that refuses a request whose effect is none."""
    if isinstance(request, Send):
        return Refused(request.client_msg_id, request.attempt, code)
    return Failed(code)


def is_growth(request: Request) -> bool:
    """Whether a full disk refuses it; all else works from the reserve."""
    return isinstance(
        request, Send | Register | PrekeysUpload | InviteCreate | UsernameClaim
    )


def _fold(draft: Draft, request: Request) -> Answer:
    match request:
        case Send():
            return fold_send(draft, request)
        case Ack():
            return fold_ack(draft, request)
        case InboxRead():
            return fold_inbox_read(draft, request)
        case Connect():
            return fold_connect(draft, request)
        case DeviceLookup():
            return fold_lookup(draft, request)
        case ReceiptsGet():
            return _fold_receipts(draft, request)
        case Tick():
            return fold_tick(draft, request)
        case Status():
            return _fold_status(draft)
        case _:
            return _fold_directory(draft, request)


_Directory: TypeAlias = (
    Register
    | ReRegister
    | AccountLookup
    | AccountDelete
    | UsernameClaim
    | UsernameResolve
    | UsernameOf
    | DeviceListPublish
    | DeviceListGet
    | PrekeysUpload
    | PrekeysCount
    | PrekeysClaim
    | InviteCreate
)


def _fold_directory(draft: Draft, request: _Directory) -> Answer:
    match request:
        case Register():
            return fold_register(draft, request)
        case ReRegister():
            return fold_re_register(draft, request)
        case AccountLookup():
            return fold_account_lookup(draft, request)
        case AccountDelete():
            return fold_delete_account(draft, request)
        case UsernameClaim():
            return fold_claim_name(draft, request)
        case UsernameResolve():
            return fold_resolve(draft, request)
        case UsernameOf():
            return fold_name_of(draft, request)
        case DeviceListPublish():
            return fold_publish_list(draft, request)
        case DeviceListGet():
            return fold_get_lists(draft, request)
        case PrekeysUpload():
            return fold_upload(draft, request)
        case PrekeysCount():
            return fold_count(draft, request)
        case PrekeysClaim():
            return fold_claim(draft, request)
        case InviteCreate():
            return fold_create_invite(draft, request)
        case _:
            assert_never(request)


def _fold_receipts(draft: Draft, request: ReceiptsGet) -> Answer:
    """Return the marks of the other members of the requester's chats."""
    marks: list[Mark] = []
    for chat in sorted(set(request.chats)):
        row = draft.get(CHATS, chat)
        if row is None or request.user not in row.users:
            continue
        for user in row.users:
            mark = draft.get(MARKS, chat + user)
            if user != request.user and mark is not None:
                marks.append(Mark(chat, user, mark_of(mark)))
    return Marks(tuple(marks))


def _fold_status(draft: Draft) -> Answer:
    counts = draft.must_get(COUNTS, None)
    return EngineStatus(
        counts.accounts,
        counts.devices,
        counts.chats,
        counts.inbox_bytes,
        draft.epoch,
        draft.now_ms,
        counts.database_bytes,
        draft.state.is_space_low,
    )
