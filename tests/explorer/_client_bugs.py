# pyright: reportPrivateUsage=false
# A planted bug replaces what is inside; that is what it is for.
"""Bugs planted in the outbox and in the inbox."""

from dataclasses import replace

from wigwag.client import _inbox, _outbox
from wigwag.client._inbox import Held, Hole, Inbox, Placement, Verdict
from wigwag.client._outbox import Device, Effect, Offer, Outbox, Refusal
from wigwag.client._store_outbox import Made
from wigwag.wire import ErrorCode

_real_refuse = _outbox.refuse
_real_offer = _outbox.offer
_real_seal = _outbox.seal
_real_judge = _inbox.judge
_real_place = _inbox.place


def refuse_without_rechain(
    outbox: Outbox, id_: bytes, copy: int, refusal: Refusal, now: float
) -> tuple[Outbox, tuple[Effect, ...]]:
    """Never move a chat's base to what the server names."""
    after, effects = _real_refuse(outbox, id_, copy, refusal, now)
    if refusal.code == ErrorCode.OUT_OF_ORDER:
        return replace(after, bases=outbox.bases), ()
    return after, effects


def refuse_any_copy(
    outbox: Outbox, id_: bytes, copy: int, refusal: Refusal, now: float
) -> tuple[Outbox, tuple[Effect, ...]]:
    """Take the refusal of an older copy for the newest one's."""
    row = outbox.rows.get(id_)
    if row is not None:
        copy, refusal = row.copy, replace(refusal, attempt=row.attempt)
    return _real_refuse(outbox, id_, copy, refusal, now)


def offer_without_mark(outbox: Outbox, now: float) -> tuple[Outbox, tuple[Offer, ...]]:
    """Never ask for the "offered" mark to be durable."""
    after, offers = _real_offer(outbox, now)
    return after, tuple(replace(one, is_first=False) for one in offers)


def seal_as_before(
    outbox: Outbox, id_: bytes, cover: frozenset[Device], size_bytes: int
) -> Outbox:
    """Give other ciphertexts the number of the ones before."""
    before = outbox.rows[id_]
    outbox = _real_seal(outbox, id_, cover, size_bytes)
    row = outbox.rows[id_]
    attempt = max(before.attempt, 1)
    row = replace(row, attempt=attempt, covers=((attempt, cover),))
    return replace(outbox, rows={**outbox.rows, id_: row})


def never_old(last_attempt: int, made: Made) -> bool:
    """Find old copies by their generation alone."""
    del last_attempt, made
    return False


def old_whatever_the_attempt(last_attempt: int, made: Made) -> bool:
    """Take a row for the one that the server has, whatever its attempt."""
    del last_attempt
    return not made.is_known and not made.attempt


def server_never_lost(
    newest_id: bytes | None, last_stored_id: bytes, *, is_waiting: bool
) -> bool:
    """Take every server for one that has all that it answered."""
    del newest_id, last_stored_id, is_waiting
    return False


def judge_without_cursor(
    inbox: Inbox, position: int, prev: int
) -> tuple[Inbox, Verdict, Hole | None]:
    """Take what is at or below the cursor once more."""
    after, verdict, hole = _real_judge(inbox, position, prev)
    return after, Verdict.TAKE if verdict is Verdict.DROP else verdict, hole


def place_without_dedupe(held: Held, is_readable: bool) -> Placement:
    """Insert whatever arrives."""
    del held
    return _real_place(Held.NOTHING, is_readable)
