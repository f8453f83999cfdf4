"""What to send, when, and what an answer means: decisions alone, no I/O.

An `Outbox` is a value. Each function takes one and returns the next one, with
the effects that the driver must carry out. The rules (ARCHITECTURE.md §3; each
one taken away gives a counterexample in the design's state model):

- Rows are offered in the order they were written. In a chat each row's `after`
  names the row before it that hasn't ended; the first one's names the chat's
  base, the last id of ours that the server is known to have.
- A row ends at SEQUENCED, for whichever copy; at a permanent refusal with
  outcome none that answers its newest copy; at its age limit, as EXPIRED with
  an unknown outcome if it was ever offered; by cancelling, if it never was.
- OUT_OF_ORDER names the last id that the server has. It moves the base only if
  the oldest row of the chat was answered, that copy named the present base, and
  the named id isn't a row of ours; the row is offered again either way.
- DEVICES_STALE asks for new ciphertexts: the row is sealed again and its attempt
  rises. A chat waits behind a row that waits.
- RATE_LIMITED is about the device: everything pauses for the told time, then goes
  on with one row in flight, and one more with each SEQUENCED.
- A row without an answer is offered again, byte for byte the same, after
  `OUTCOME_WAIT_SECONDS` and first of all on every new connection.
- "Offered" must be durable before the first byte of a row's first copy leaves:
  `Offer.is_first` says when the driver has to see to that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from wigwag.client._ids import ZERO_ID
from wigwag.client._outbox_rows import ALLOWANCE_MAX
from wigwag.client._outbox_rows import BaseMoved as BaseMoved
from wigwag.client._outbox_rows import Device as Device
from wigwag.client._outbox_rows import Effect as Effect
from wigwag.client._outbox_rows import Ended as Ended
from wigwag.client._outbox_rows import EndState as EndState
from wigwag.client._outbox_rows import Offer as Offer
from wigwag.client._outbox_rows import Outbox as Outbox
from wigwag.client._outbox_rows import Phase as Phase
from wigwag.client._outbox_rows import Refusal as Refusal
from wigwag.client._outbox_rows import Row as Row
from wigwag.client._outbox_rows import Window as Window
from wigwag.wire import LIMITS, ErrorCode, Outcome, error_class

ROWS_MAX: Final = 10_000
"""An outbox that grows without end hides that nothing is sent; at the server's
10 messages a second this many take a quarter of an hour."""

ATTEMPTS_MAX: Final = 255
"""`attempt` is a u8."""

OUTCOME_WAIT_SECONDS: Final[float] = LIMITS["outcome_wait_seconds"].value

OUTBOX_LIFE_MS: Final = LIMITS["outbox_days"].value * 24 * 3600 * 1000

RETRY_FIRST_SECONDS: Final = 0.5
"""Wait after a refusal that names no time; doubles with each one in a row."""

TOLD_LEAST_SECONDS: Final = 0.05
"""A told time below this would make a loop at line rate of a refusal."""

RETRY_LAST_SECONDS: Final = 60.0
"""A recipient's full inbox may last for days; asking each minute is cheap."""

REORDERS_FREE: Final = 4
"""OUT_OF_ORDER in a row that are answered at once: an honest server needs one for
each row of the chat that ended before; more of them must not become a loop."""


# Inputs


def add(outbox: Outbox, row: Row, base: bytes) -> Outbox:
    """Take a new row, at the end.

    Args:
        outbox: The value.
        row: Sealed (READY) or not (UNSEALED); its id is new.
        base: The chat's base as the store has it, used if the chat has no rows.
    """
    assert row.id not in outbox.rows, "ids are unique"
    bases = outbox.bases
    if row.is_ordered and row.chat not in bases:
        bases = {**bases, row.chat: base}
    return replace(outbox, rows={**outbox.rows, row.id: row}, bases=bases)


def load(
    outbox: Outbox,
    rows: Iterable[Row],
    bases: Mapping[bytes, bytes],
    held: frozenset[bytes],
) -> Outbox:
    """Begin again from what is durable; a connection that is there already stays.

    Args:
        outbox: The value before; its connection's numbers go on.
        rows: The rows as stored, in order.
        bases: Of their chats, as stored.
        held: Chats in which nothing is sent.
    """
    outbox = replace(outbox, rows={}, bases={}, held=held)
    for row in rows:
        outbox = add(outbox, row, bases.get(row.chat, ZERO_ID))
    return outbox


def connect(outbox: Outbox, window: Window) -> Outbox:
    """Begin a connection: everything unanswered is to be offered again."""
    return replace(disconnect(outbox), window=window, allowance=ALLOWANCE_MAX)


def disconnect(outbox: Outbox) -> Outbox:
    """End the connection: answers to its copies don't come any more."""
    rows = {
        id_: replace(row, phase=Phase.READY) if row.phase is Phase.IN_FLIGHT else row
        for id_, row in outbox.rows.items()
    }
    return replace(outbox, rows=rows, window=None)


def hold(outbox: Outbox, chat: bytes) -> Outbox:
    """Stop sending in a chat."""
    return replace(outbox, held=outbox.held | {chat})


def release(outbox: Outbox, chat: bytes) -> Outbox:
    """Send in a chat again."""
    return replace(outbox, held=outbox.held - {chat})


def reseal(outbox: Outbox, chat: bytes) -> Outbox:
    """Begin a chat anew with the peer's new keys: its rows need new ciphertexts."""
    rows = {
        id_: replace(row, phase=Phase.UNSEALED, due=0.0) if row.chat == chat else row
        for id_, row in outbox.rows.items()
    }
    return replace(outbox, rows=rows)


def to_seal(outbox: Outbox, now: float) -> tuple[Row, ...]:
    """Return the rows that must be sealed now, in order."""
    return tuple(
        row
        for row in outbox.rows.values()
        if row.phase is Phase.UNSEALED
        and row.due <= now
        and row.attempt < ATTEMPTS_MAX
        and row.chat not in outbox.held
    )


def seal(
    outbox: Outbox, id_: bytes, cover: frozenset[Device], size_bytes: int
) -> Outbox:
    """Note that a row has new ciphertexts; its attempt rises.

    Args:
        outbox: The value.
        id_: The row.
        cover: The devices that they are for.
        size_bytes: Of all of them.
    """
    row = outbox.rows[id_]
    attempt = row.attempt + 1
    assert attempt <= ATTEMPTS_MAX, "the driver stops sealing before"
    row = replace(
        row,
        attempt=attempt,
        size_bytes=size_bytes,
        covers=(*row.covers, (attempt, cover)),
        phase=Phase.READY,
        due=0.0,
    )
    return _put(outbox, row)


def postpone(outbox: Outbox, id_: bytes, now: float) -> Outbox:
    """Note that a row couldn't be sealed, or that sealing would change nothing.

    A row with ciphertexts is offered as it is once its wait is over: a hint that
    the signed device list doesn't bear out changes nothing (E2EE.md §4).
    """
    row = outbox.rows[id_]
    refusals = row.refusals + 1
    phase = Phase.WAITING if row.attempt and row.covers else Phase.UNSEALED
    wait_seconds = _wait_seconds(refusals)
    return _put(
        outbox, replace(row, phase=phase, due=now + wait_seconds, refusals=refusals)
    )


def offer(outbox: Outbox, now: float) -> tuple[Outbox, tuple[Offer, ...]]:
    """Decide what to send now.

    Returns:
        The next value, and the copies to send, in this order.
    """
    window = outbox.window
    if window is None or now < outbox.paused_until:
        return outbox, ()
    flying = [row for row in outbox.rows.values() if row.phase is Phase.IN_FLIGHT]
    rows_left = min(window.rows_max, outbox.allowance) - len(flying)
    bytes_left = window.bytes_max - sum(row.size_bytes for row in flying)
    rows: dict[bytes, Row] = {}
    offers: list[Offer] = []
    copies = outbox.copies
    before: dict[bytes, bytes] = {}
    blocked = set(outbox.held)
    for row in outbox.rows.values():
        if row.chat in blocked and (row.is_ordered or row.chat in outbox.held):
            continue
        is_again = row.phase is Phase.IN_FLIGHT
        if _may_go(row, now):
            # One row always fits, however large, or it would wait for ever.
            fits = rows_left > 0 and (row.size_bytes <= bytes_left or not flying)
            if not is_again and not fits:
                break
            after = before.get(row.chat, outbox.bases.get(row.chat, ZERO_ID))
            copies += 1
            gone = replace(
                row,
                is_offered=True,
                phase=Phase.IN_FLIGHT,
                copy=copies,
                after=after if row.is_ordered else ZERO_ID,
                due=now,
            )
            rows[row.id] = gone
            offers.append(
                Offer(row.id, copies, row.attempt, gone.after, not row.is_offered)
            )
            if not is_again:
                rows_left -= 1
                bytes_left -= row.size_bytes
                flying.append(gone)
        elif not is_again and row.is_ordered:
            blocked.add(row.chat)
        if row.is_ordered:
            before[row.chat] = row.id
    if not offers:
        return outbox, ()
    return replace(outbox, rows={**outbox.rows, **rows}, copies=copies), tuple(offers)


def sequence(
    outbox: Outbox, id_: bytes, attempt: int
) -> tuple[Outbox, tuple[Effect, ...]]:
    """Take a SEQUENCED, the answer to whichever copy.

    Args:
        outbox: The value.
        id_: The row; one that has ended before changes nothing.
        attempt: The attempt that is stored.
    """
    row = outbox.rows.get(id_)
    if row is None:
        return outbox, ()
    covers = dict(row.covers)
    missing: frozenset[Device] = frozenset()
    # An attempt that isn't ours to know was stored by another registration, whose
    # sessions are gone: whom it covered can't be told, and asks if he misses it.
    if attempt in covers and attempt != row.attempt:
        missing = covers[row.attempt] - covers[attempt]
    ended = Ended(row, EndState.SEQUENCED, attempt=attempt, copies_for=missing)
    allowance = min(outbox.allowance + 1, ALLOWANCE_MAX)
    outbox = replace(outbox, allowance=allowance)
    if not row.is_ordered:
        return _remove(outbox, row), (ended,)
    bases = {**outbox.bases, row.chat: id_}
    outbox = _remove(replace(outbox, bases=bases), row)
    return outbox, (ended, BaseMoved(row.chat, id_))


def refuse(
    outbox: Outbox, id_: bytes, copy: int, refusal: Refusal, now: float
) -> tuple[Outbox, tuple[Effect, ...]]:
    """Take a REFUSED, which counts only as the answer to the newest copy.

    Args:
        outbox: The value.
        id_: The row.
        copy: The copy that it answers.
        refusal: What it says.
        now: Steady clock, in seconds.
    """
    row = outbox.rows.get(id_)
    if row is None or row.phase is not Phase.IN_FLIGHT:
        return outbox, ()
    if copy != row.copy or refusal.attempt != row.attempt:
        return outbox, ()
    match refusal.code:
        case ErrorCode.OUT_OF_ORDER if row.is_ordered:
            return _reorder(outbox, row, refusal.last_id, now)
        case ErrorCode.DEVICES_STALE | ErrorCode.STALE_EPOCH:
            return _stale(outbox, row, now), ()
        case _:
            pass
    if error_class(refusal.code) == "permanent" and refusal.outcome is Outcome.NONE:
        ended = Ended(row, EndState.REJECTED, refusal.code, attempt=row.attempt)
        return _remove(outbox, row), (ended,)
    refusals = row.refusals + 1
    told = refusal.retry_after_seconds
    # A server that tells a time knows best; guessing longer would only add to it.
    wait = max(told, TOLD_LEAST_SECONDS) if told else _wait_seconds(refusals)
    due = now + wait
    waiting = replace(row, phase=Phase.WAITING, due=due, refusals=refusals)
    if error_class(refusal.code) == "slow_down":
        pause = max(outbox.paused_until, due)
        outbox = replace(outbox, allowance=1, paused_until=pause)
    return _put(outbox, waiting), ()


def expire(outbox: Outbox, now_ms: int) -> tuple[Outbox, tuple[Effect, ...]]:
    """End the rows whose time is over.

    Args:
        outbox: The value.
        now_ms: Server-corrected time.
    """
    effects: list[Effect] = []
    for row in outbox.rows.values():
        if row.expires_ms <= now_ms:
            outbox = _remove(outbox, row)
            effects.append(
                Ended(
                    row,
                    EndState.EXPIRED,
                    is_unknown=row.is_offered,
                    attempt=row.attempt,
                )
            )
    return outbox, tuple(effects)


def reject(outbox: Outbox, id_: bytes, code: int) -> tuple[Outbox, tuple[Effect, ...]]:
    """End a row that can't be sealed, for there is nobody to seal it for.

    One that was offered stays: a copy of it may be stored, and this is no answer to it.

    Args:
        outbox: The value.
        id_: The row.
        code: Why: what the server said of the account.
    """
    row = outbox.rows.get(id_)
    if row is None or row.is_offered:
        return outbox, ()
    ended = Ended(row, EndState.REJECTED, code, attempt=row.attempt)
    return _remove(outbox, row), (ended,)


def cancel(outbox: Outbox, id_: bytes) -> tuple[Outbox, tuple[Effect, ...]]:
    """End a row that was never offered; any other stays, and nothing is returned."""
    row = outbox.rows.get(id_)
    if row is None or row.is_offered:
        return outbox, ()
    return _remove(outbox, row), (Ended(row, EndState.CANCELLED, attempt=row.attempt),)


def re_register(outbox: Outbox) -> Outbox:
    """Begin a new registration: sessions are gone, chains start at zero.

    Every row is sealed again, under its own id, with the next attempt.
    """
    rows = {
        id_: replace(row, phase=Phase.UNSEALED, covers=(), due=0.0, refusals=0)
        for id_, row in outbox.rows.items()
    }
    bases = dict.fromkeys(outbox.bases, ZERO_ID)
    return replace(outbox, rows=rows, bases=bases, window=None)


Due = Callable[[Outbox, float], float | None]
"""Such as `next_due`."""


def next_due(outbox: Outbox, now: float) -> float | None:
    """Return when `offer` or `to_seal` may have something new, or None.

    What is due already is not counted: it waits for the window or for its chat.
    """
    times = [
        row.due + (OUTCOME_WAIT_SECONDS if row.phase is Phase.IN_FLIGHT else 0.0)
        for row in outbox.rows.values()
        if row.phase is not Phase.READY
    ]
    times.append(outbox.paused_until)
    return min((time for time in times if time > now), default=None)


# Helpers


def _may_go(row: Row, now: float) -> bool:
    match row.phase:
        case Phase.READY:
            return True
        case Phase.WAITING:
            return row.due <= now
        case Phase.IN_FLIGHT:
            return row.due + OUTCOME_WAIT_SECONDS <= now
        case Phase.UNSEALED:
            return False


def _stale(outbox: Outbox, row: Row, now: float) -> Outbox:
    refusals = row.refusals + 1
    if row.attempt >= ATTEMPTS_MAX:
        # No number is left for other ciphertexts: these may still be taken.
        due = now + _wait_seconds(refusals)
        return _put(
            outbox, replace(row, phase=Phase.WAITING, due=due, refusals=refusals)
        )
    wait = 0.0 if refusals <= REORDERS_FREE else _wait_seconds(refusals)
    return _put(
        outbox,
        replace(row, phase=Phase.UNSEALED, due=now + wait, refusals=refusals),
    )


def _reorder(
    outbox: Outbox, row: Row, last_id: bytes, now: float
) -> tuple[Outbox, tuple[Effect, ...]]:
    oldest = next(
        other
        for other in outbox.rows.values()
        if other.chat == row.chat and other.is_ordered
    )
    effects: tuple[Effect, ...] = ()
    if (
        oldest.id == row.id
        and row.after == outbox.bases[row.chat]
        and last_id not in outbox.rows
    ):
        outbox = replace(outbox, bases={**outbox.bases, row.chat: last_id})
        effects = (BaseMoved(row.chat, last_id),)
    # Behind another row of the chat it is that one's refusal, and not counted.
    refusals = row.refusals + (oldest.id == row.id)
    if refusals <= REORDERS_FREE:
        again = replace(row, phase=Phase.READY, refusals=refusals)
    else:
        due = now + _wait_seconds(refusals - REORDERS_FREE)
        again = replace(row, phase=Phase.WAITING, due=due, refusals=refusals)
    return _put(outbox, again), effects


def _wait_seconds(refusals: int) -> float:
    doublings = min(refusals - 1, 10)
    return min(RETRY_FIRST_SECONDS * (1 << doublings), RETRY_LAST_SECONDS)


def _put(outbox: Outbox, row: Row) -> Outbox:
    return replace(outbox, rows={**outbox.rows, row.id: row})


def _remove(outbox: Outbox, row: Row) -> Outbox:
    rows = dict(outbox.rows)
    del rows[row.id]
    bases = outbox.bases
    if not any(other.chat == row.chat and other.is_ordered for other in rows.values()):
        bases = {chat: base for chat, base in bases.items() if chat != row.chat}
    return replace(outbox, rows=rows, bases=bases)
