# pyright: reportPrivateUsage=false
# A mutant replaces what is inside; that is what it is for.
"""Bugs planted in the client: its inbox, its ratchets, its events."""

from typing import Final

from tests.simulation._mutant import Mutant, mutant

from wigwag.client import (
    _event_stream,
    _opening,
    _public_events,
    _receiver,
    _store_account,
    _store_events,
    _store_messages,
)
from wigwag.client._connector import Connector
from wigwag.client._inbox import Held
from wigwag.client._receiver import Receiver
from wigwag.client._sqlite import Database
from wigwag.client._store_events import EventRow
from wigwag.client._txn import Txn
from wigwag.wire import Ack, AuthOk, Gap

_real_take_batch = Receiver._take_batch
_real_events_above = _store_events.events_above_txn
_real_held = _store_messages.held_txn
_real_set_counter = _store_account.set_counter_txn


def _cursor_from_before(txn: Txn, name: _store_account.CounterName, value: int) -> None:
    """Store the cursor of the entry before."""
    if name == "cursor":
        value = max(0, value - 1)
    _real_set_counter(txn, name, value)


async def _acknowledge_first(self: Receiver) -> None:
    """Acknowledge a batch, then store it."""
    positions = [
        entry.inbox_seq
        for link, entry in self._queue
        if link is self._link and not isinstance(entry, Gap)
    ]
    if positions and self._link is not None:
        self._link.tell(Ack(position=max(positions)))
    await _real_take_batch(self)


LATE_WORKS: Final = 6
"""Ratchet states are written with every sixth piece of work."""

# By connection: another process's is another one.
_late_states: dict[Database, list[tuple[bytes, int, bytes]]] = {}
_late_works: dict[Database, int] = {}


def _save_some_works_late(self: Txn) -> None:
    """Write ratchet states some works later, when the bytes have long left."""
    waiting = _late_states.setdefault(self._db, [])
    waiting += [
        (user, device, self.opened[user, device].dump())
        for user, device in sorted(self._unsaved)
    ]
    self._unsaved.clear()
    _late_works[self._db] = _late_works.get(self._db, 0) + 1
    if _late_works[self._db] % LATE_WORKS:
        return
    for user, device, state in waiting:
        self.do(
            "INSERT INTO session VALUES (?, ?, ?, 0)"
            " ON CONFLICT DO UPDATE SET state = excluded.state",
            user,
            device,
            state,
        )
    waiting.clear()


def _forget_done(txn: Txn, name: str, seq: int) -> None:
    """Don't store what a consumer has handled."""


def _events_backwards(txn: Txn, seq: int, count_max: int) -> list[EventRow]:
    """Tell a consumer the newest of its events first."""
    return _real_events_above(txn, seq, count_max)[::-1]


def _hold_stubs_alone(txn: Txn, message_id: bytes) -> Held:
    """Take a message that is there for one that is still to come."""
    held = _real_held(txn, message_id)
    return Held.STUB if held is Held.READABLE else held


EVENTS_LOST: Final = 15
"""One event in so many."""


def _some_events(txn: Txn, seq: int, count_max: int) -> list[EventRow]:
    """Pass over an event now and then."""
    rows = _real_events_above(txn, seq, count_max)
    return [row for row in rows if row.seq % EVENTS_LOST]


async def trust_own_store(self: Connector, answer: AuthOk) -> bool:
    """Don't ask whether the server's newest SEND is in the store."""
    del self, answer
    return True


CLIENT_MUTANTS: Final[dict[str, Mutant]] = {
    "cursor_goes_back": mutant(
        "I23", (_receiver, "set_counter_txn", _cursor_from_before)
    ),
    "ack_before_store": mutant("I5 I23", (Receiver, "_take_batch", _acknowledge_first)),
    "ratchet_after_send": mutant("I25", (Txn, "save", _save_some_works_late)),
    "newest_send_not_compared": mutant(
        "I25 I5 I7", (Connector, "_is_ours", trust_own_store)
    ),
    "received_again": mutant("I6 alarm", (_opening, "held_txn", _hold_stubs_alone)),
    "done_forgotten": mutant("I6", (_event_stream, "consumer_done_txn", _forget_done)),
    "events_lost": mutant("I6", (_public_events, "events_above_txn", _some_events)),
    "events_backwards": mutant(
        "I3", (_public_events, "events_above_txn", _events_backwards)
    ),
}
