"""The outbox against a server that follows the design's state model.

The server here is the fold of the design in fifty lines: dedupe, `after` per
(chat, registration), refusals at admission. Whatever it answers, loses and
repeats, what it stored must be each row once, in the order written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wigwag.client import _outbox as logic
from wigwag.client._ids import ZERO_ID
from wigwag.client._outbox import (
    OUTCOME_WAIT_SECONDS,
    REORDERS_FREE,
    BaseMoved,
    Device,
    Effect,
    Ended,
    EndState,
    Offer,
    Outbox,
    Phase,
    Refusal,
    Row,
    Window,
)
from wigwag.wire import ErrorCode, Outcome

ONE = frozenset({Device(b"u" * 16, 1, 7)})
TWO = ONE | {Device(b"u" * 16, 2, 9)}
CHATS = (b"a" * 16, b"b" * 16)


def row(number: int, chat: int = 0, *, is_ordered: bool = True) -> Row:
    """Makes a row that was never sealed."""
    id_ = number.to_bytes(16, "big")
    return Row(id_, CHATS[chat], is_ordered, expires_ms=1_000_000)


def filled(*rows: Row, is_sealed: bool = True) -> Outbox:
    """Makes a connected outbox of rows."""
    outbox = logic.connect(Outbox(), Window(rows_max=4, bytes_max=400))
    for item in rows:
        outbox = logic.add(outbox, item, ZERO_ID)
        if is_sealed:
            outbox = logic.seal(outbox, item.id, ONE, 100)
    return outbox


def refusal(code: ErrorCode, **facts: object) -> Refusal:
    """Makes a refusal of attempt 1 with outcome none."""
    base = Refusal(code, 1, Outcome.NONE)
    return replace(base, **facts)  # type: ignore[arg-type] # facts are its fields


def test_a_chain_names_the_row_before() -> None:
    """The server stores a pipeline in order by `after` alone."""
    outbox, offers = logic.offer(filled(row(1), row(2), row(3, 1)), 0.0)
    assert [offer.after for offer in offers] == [ZERO_ID, row(1).id, ZERO_ID]
    assert all(offer.is_first for offer in offers)
    assert logic.offer(outbox, 0.0)[1] == ()


def test_signals_stand_outside_the_chain() -> None:
    """Class 3 and 4 have `after` zero, and don't wait behind a waiting message."""
    outbox = filled(row(1), row(2, is_ordered=False))
    outbox = replace(outbox, rows={**outbox.rows, row(1).id: row(1)})
    _, offers = logic.offer(outbox, 0.0)
    assert [(offer.id, offer.after) for offer in offers] == [(row(2).id, ZERO_ID)]


def test_the_window_bounds_what_is_in_flight() -> None:
    """Beyond it the server stops reading, and everything else waits behind."""
    outbox, offers = logic.offer(filled(*(row(n) for n in range(1, 9))), 0.0)
    assert len(offers) == 4
    outbox, _ = logic.sequence(outbox, row(1).id, 1)
    _, offers = logic.offer(outbox, 0.0)
    assert [offer.id for offer in offers] == [row(5).id]


def test_a_row_larger_than_the_window_goes_alone() -> None:
    """It would else wait for ever."""
    outbox = logic.connect(Outbox(), Window(rows_max=4, bytes_max=50))
    outbox = logic.add(outbox, row(1), ZERO_ID)
    outbox = logic.seal(outbox, row(1).id, ONE, 100)
    assert len(logic.offer(outbox, 0.0)[1]) == 1


def test_without_an_answer_the_same_is_offered_again() -> None:
    """An answer may be lost although the connection lives."""
    outbox, first = logic.offer(filled(row(1)), 0.0)
    assert logic.next_due(outbox, 0.0) == OUTCOME_WAIT_SECONDS
    outbox, again = logic.offer(outbox, OUTCOME_WAIT_SECONDS)
    assert [(o.id, o.attempt, o.after) for o in first] == [
        (o.id, o.attempt, o.after) for o in again
    ]
    assert again[0].copy > first[0].copy
    assert not again[0].is_first


def test_a_refusal_of_an_older_copy_changes_nothing() -> None:
    """The newer copy may be the one that is stored (R-SEND-007)."""
    outbox, (first,) = logic.offer(filled(row(1)), 0.0)
    outbox, (again,) = logic.offer(outbox, OUTCOME_WAIT_SECONDS)
    not_found = refusal(ErrorCode.NOT_FOUND)
    same, effects = logic.refuse(outbox, row(1).id, first.copy, not_found, 10.0)
    assert (same, effects) == (outbox, ())
    _, effects = logic.refuse(outbox, row(1).id, again.copy, not_found, 10.0)
    (ended,) = effects
    assert isinstance(ended, Ended)
    assert (ended.state, ended.code) == (EndState.REJECTED, ErrorCode.NOT_FOUND)


def test_a_sequenced_counts_for_any_copy() -> None:
    """What is durable stays durable, whichever copy brought it."""
    outbox, _ = logic.offer(filled(row(1)), 0.0)
    outbox = logic.connect(logic.disconnect(outbox), Window())
    outbox, effects = logic.sequence(outbox, row(1).id, 1)
    assert BaseMoved(CHATS[0], row(1).id) in effects
    assert not outbox.rows
    assert logic.sequence(outbox, row(1).id, 1) == (outbox, ())


@pytest.mark.parametrize(
    "code",
    [ErrorCode.RATE_LIMITED, ErrorCode.RECIPIENT_FULL, ErrorCode.UNAVAILABLE],
)
def test_a_retryable_refusal_keeps_the_row_and_its_chat(code: ErrorCode) -> None:
    """A later message must not overtake one that has to wait."""
    outbox, offers = logic.offer(filled(row(1)), 0.0)
    waiting = refusal(code, retry_after_seconds=5.0)
    outbox, effects = logic.refuse(outbox, row(1).id, offers[0].copy, waiting, 0.0)
    assert effects == ()
    outbox = logic.add(outbox, row(2), ZERO_ID)
    outbox = logic.seal(outbox, row(2).id, ONE, 100)
    assert logic.offer(outbox, 4.9)[1] == ()
    assert logic.next_due(outbox, 0.0) == 5.0
    outbox, offers = logic.offer(outbox, 5.0)
    assert offers[0].id == row(1).id
    outbox, _ = logic.sequence(outbox, row(1).id, 1)
    offers += logic.offer(outbox, 5.0)[1]
    assert [offer.id for offer in offers] == [row(1).id, row(2).id]


def test_a_rate_limit_slows_the_whole_device_down() -> None:
    """Offering the rest of a pipeline would only be refused as well."""
    outbox, offers = logic.offer(filled(*(row(n) for n in range(1, 5))), 0.0)
    limited = refusal(ErrorCode.RATE_LIMITED, retry_after_seconds=0.1)
    for offer in offers:
        outbox, _ = logic.refuse(outbox, offer.id, offer.copy, limited, 0.0)
    outbox = logic.add(outbox, row(9, 1), ZERO_ID)
    outbox = logic.seal(outbox, row(9, 1).id, ONE, 100)
    assert logic.offer(outbox, 0.09)[1] == ()
    assert logic.next_due(outbox, 0.0) == 0.1
    outbox, offers = logic.offer(outbox, 0.1)
    assert [offer.id for offer in offers] == [row(1).id]
    outbox, _ = logic.sequence(outbox, row(1).id, 1)
    outbox, offers = logic.offer(outbox, 0.1)
    assert [offer.id for offer in offers] == [row(2).id, row(3).id]


def test_what_follows_a_refused_row_waits_no_longer_than_that() -> None:
    """Each row behind it would else earn a minute's wait of its own."""
    outbox = filled(row(1), row(2))
    for turn in range(20):
        now = float(turn)
        outbox, offers = logic.offer(outbox, now)
        copies = {offer.id: offer.copy for offer in offers}
        limited = refusal(ErrorCode.RECIPIENT_FULL, retry_after_seconds=0.5)
        behind = refusal(ErrorCode.OUT_OF_ORDER)
        outbox, _ = logic.refuse(outbox, row(1).id, copies[row(1).id], limited, now)
        outbox, _ = logic.refuse(outbox, row(2).id, copies[row(2).id], behind, now)
    outbox, offers = logic.offer(outbox, 30.0)
    assert len(offers) == 2


def test_a_permanent_refusal_with_unknown_outcome_is_tried_again() -> None:
    """What may have been stored can't be shown as failed."""
    outbox, offers = logic.offer(filled(row(1)), 0.0)
    unknown = refusal(ErrorCode.INTERNAL, outcome=Outcome.UNKNOWN)
    outbox, effects = logic.refuse(outbox, row(1).id, offers[0].copy, unknown, 0.0)
    assert effects == ()
    assert outbox.rows[row(1).id].phase is Phase.WAITING


def test_stale_devices_ask_for_new_ciphertexts_under_the_next_attempt() -> None:
    """Equal id and attempt with another body would be a CONFLICT."""
    outbox, offers = logic.offer(filled(row(1), row(2)), 0.0)
    stale = refusal(ErrorCode.DEVICES_STALE)
    outbox, _ = logic.refuse(outbox, row(1).id, offers[0].copy, stale, 0.0)
    assert [item.id for item in logic.to_seal(outbox, 0.0)] == [row(1).id]
    out_of_order = refusal(ErrorCode.OUT_OF_ORDER)
    outbox, _ = logic.refuse(outbox, row(2).id, offers[1].copy, out_of_order, 0.0)
    assert logic.offer(outbox, 0.0)[1] == ()
    outbox = logic.seal(outbox, row(1).id, TWO, 200)
    _, offers = logic.offer(outbox, 0.0)
    assert [(offer.attempt, offer.after) for offer in offers] == [
        (2, ZERO_ID),
        (1, row(1).id),
    ]


def test_an_older_attempt_that_was_stored_asks_for_copies() -> None:
    """Devices that only the newer attempt covered would never get the message."""
    outbox, _ = logic.offer(filled(row(1)), 0.0)
    outbox = logic.disconnect(outbox)
    outbox = logic.seal(outbox, row(1).id, TWO, 200)
    _, effects = logic.sequence(outbox, row(1).id, 1)
    (ended,) = (effect for effect in effects if isinstance(effect, Ended))
    assert ended.copies_for == TWO - ONE


def test_an_attempt_of_another_registration_asks_for_no_copies() -> None:
    """Its coverage is not ours to know; whoever misses it asks."""
    outbox, _ = logic.offer(filled(row(1)), 0.0)
    outbox = logic.seal(logic.re_register(outbox), row(1).id, TWO, 200)
    assert outbox.rows[row(1).id].attempt == 2
    _, effects = logic.sequence(outbox, row(1).id, 1)
    (ended,) = (effect for effect in effects if isinstance(effect, Ended))
    assert ended.copies_for == frozenset()


def test_a_hint_that_changes_nothing_waits_longer_each_time() -> None:
    """A server that says DEVICES_STALE without a cause must not make a loop."""
    outbox = filled(row(1))
    waits: list[float] = []
    for _ in range(4):
        outbox = logic.postpone(outbox, row(1).id, 0.0)
        waits.append(outbox.rows[row(1).id].due)
    assert waits == [0.5, 1.0, 2.0, 4.0]
    assert outbox.rows[row(1).id].attempt == 1


def test_out_of_order_that_names_a_row_of_ours_moves_nothing() -> None:
    """Going after a later message of ours would turn the order around."""
    outbox, offers = logic.offer(filled(row(1), row(2)), 0.0)
    named = refusal(ErrorCode.OUT_OF_ORDER, last_id=row(2).id)
    outbox, effects = logic.refuse(outbox, row(1).id, offers[0].copy, named, 0.0)
    assert effects == ()
    _, offers = logic.offer(outbox, 0.0)
    assert [(offer.id, offer.after) for offer in offers] == [(row(1).id, ZERO_ID)]


def test_out_of_order_without_end_is_slowed_down() -> None:
    """A server that never accepts must not be asked at line rate."""
    outbox = filled(row(1))
    for _ in range(REORDERS_FREE):
        outbox, (offer,) = logic.offer(outbox, 0.0)
        wrong = refusal(ErrorCode.OUT_OF_ORDER, last_id=offer.copy.to_bytes(16, "big"))
        outbox, _ = logic.refuse(outbox, row(1).id, offer.copy, wrong, 0.0)
    outbox, (offer,) = logic.offer(outbox, 0.0)
    wrong = refusal(ErrorCode.OUT_OF_ORDER)
    outbox, _ = logic.refuse(outbox, row(1).id, offer.copy, wrong, 0.0)
    assert logic.offer(outbox, 0.0)[1] == ()


def test_only_what_was_never_offered_can_be_cancelled() -> None:
    """A copy that left may be stored although its answer is lost (rule 10)."""
    outbox, _ = logic.offer(filled(row(1)), 0.0)
    outbox = logic.add(outbox, row(2), ZERO_ID)
    assert logic.cancel(outbox, row(1).id) == (outbox, ())
    outbox, effects = logic.cancel(outbox, row(2).id)
    assert [type(effect) for effect in effects] == [Ended]
    assert row(2).id not in outbox.rows
    assert logic.cancel(outbox, row(3).id) == (outbox, ())


def test_only_what_was_never_offered_ends_because_nobody_is_there() -> None:
    """A copy that left may be stored although the account is gone since (rule 10)."""
    outbox, _ = logic.offer(filled(row(1)), 0.0)
    outbox = logic.add(outbox, row(2), ZERO_ID)
    code = int(ErrorCode.NOT_FOUND)
    assert logic.reject(outbox, row(1).id, code) == (outbox, ())
    assert logic.reject(outbox, row(3).id, code) == (outbox, ())
    after, effects = logic.reject(outbox, row(2).id, code)
    assert effects == (Ended(outbox.rows[row(2).id], EndState.REJECTED, code),)
    assert set(after.rows) == {row(1).id}
    assert after.bases == outbox.bases


def test_a_row_that_was_offered_expires_with_an_unknown_outcome() -> None:
    """To say "not delivered" would be a lie if only the answers were lost."""
    outbox, _ = logic.offer(filled(row(1)), 0.0)
    outbox = logic.add(outbox, row(2), ZERO_ID)
    assert logic.expire(outbox, 999_999) == (outbox, ())
    outbox, effects = logic.expire(outbox, 1_000_000)
    assert [
        (effect.state, effect.is_unknown)
        for effect in effects
        if isinstance(effect, Ended)
    ] == [(EndState.EXPIRED, True), (EndState.EXPIRED, False)]
    assert not outbox.rows
    assert not outbox.bases


def test_nothing_is_offered_in_a_held_chat() -> None:
    """A peer whose key changed gets nothing until the user says so."""
    outbox = logic.hold(filled(row(1), row(2, 1)), CHATS[0])
    outbox, offers = logic.offer(outbox, 0.0)
    assert [offer.id for offer in offers] == [row(2).id]
    _, offers = logic.offer(logic.release(outbox, CHATS[0]), 0.0)
    assert [offer.id for offer in offers] == [row(1).id]


def test_nothing_is_sealed_in_a_held_chat() -> None:
    """Sealing would use the key that is in doubt."""
    outbox = logic.hold(filled(row(1), is_sealed=False), CHATS[0])
    assert logic.to_seal(outbox, 0.0) == ()


def test_offline_nothing_is_offered() -> None:
    """There is nobody to offer it to."""
    outbox = logic.disconnect(filled(row(1)))
    assert logic.offer(outbox, 0.0) == (outbox, ())


def test_the_key_tells_values_apart() -> None:
    """Explorers recognise a state by it."""
    outbox = filled(row(1))
    assert hash(outbox.key()) == hash(filled(row(1)).key())
    assert logic.offer(outbox, 0.0)[0].key() != outbox.key()


@dataclass
class Server:
    """The chat fold of the design, one registration."""

    log: list[bytes] = field(default_factory=list[bytes])
    index: dict[bytes, int] = field(default_factory=dict[bytes, int])
    tails: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    refused: set[bytes] = field(default_factory=set[bytes])
    cover: frozenset[Device] = ONE

    def answer(
        self, offer: Offer, sent: Row, is_definite: bool, is_busy: bool
    ) -> tuple[str, int, Refusal | None]:
        """Folds one SEND; the bools are what admission says of it."""
        if offer.id in self.index:
            return "sequenced", self.index[offer.id], None
        none = Refusal(0, offer.attempt, Outcome.NONE)
        if is_definite:
            self.refused.add(offer.id)
            return "refused", 0, replace(none, code=ErrorCode.NOT_FOUND)
        if is_busy:
            return "refused", 0, replace(none, code=ErrorCode.RATE_LIMITED)
        if dict(sent.covers)[offer.attempt] != self.cover:
            return "refused", 0, replace(none, code=ErrorCode.DEVICES_STALE)
        tail = self.tails.get(sent.chat, ZERO_ID)
        if sent.is_ordered and tail != offer.after:
            reorder = replace(none, code=ErrorCode.OUT_OF_ORDER, last_id=tail)
            return "refused", 0, reorder
        self.index[offer.id] = offer.attempt
        if sent.is_ordered:
            self.log.append(offer.id)
            self.tails[sent.chat] = offer.id
        return "sequenced", offer.attempt, None


Sent = tuple[Offer, Row]


@dataclass
class World:
    """A client and a server, with FIFO queues that can be cut."""

    outbox: Outbox
    server: Server = field(default_factory=Server)
    upward: list[Sent] = field(default_factory=list[Sent])
    downward: list[tuple[Offer, tuple[str, int, Refusal | None]]] = field(
        default_factory=list[tuple[Offer, tuple[str, int, Refusal | None]]]
    )
    ended: dict[bytes, EndState] = field(default_factory=dict[bytes, EndState])
    now: float = 0.0

    def effects(self, step: tuple[Outbox, tuple[Effect, ...]]) -> None:
        """Takes the client's next value."""
        self.outbox, effects = step
        for effect in effects:
            if isinstance(effect, Ended):
                assert effect.row.id not in self.ended, "a row ends once"
                self.ended[effect.row.id] = effect.state

    def send(self) -> None:
        """Lets the client offer what it wants to."""
        for item in logic.to_seal(self.outbox, self.now):
            self.outbox = logic.seal(self.outbox, item.id, self.server.cover, 100)
        self.outbox, offers = logic.offer(self.outbox, self.now)
        self.upward += [(offer, self.outbox.rows[offer.id]) for offer in offers]

    def serve(self, is_definite: bool = False, is_busy: bool = False) -> None:
        """Lets the server answer one SEND."""
        if self.upward:
            offer, sent = self.upward.pop(0)
            answer = self.server.answer(offer, sent, is_definite, is_busy)
            self.downward.append((offer, answer))

    def hear(self) -> None:
        """Lets the client take one answer."""
        if not self.downward:
            return
        offer, (kind, attempt, refused) = self.downward.pop(0)
        if refused is None:
            assert kind == "sequenced"
            self.effects(logic.sequence(self.outbox, offer.id, attempt))
        else:
            self.effects(
                logic.refuse(self.outbox, offer.id, offer.copy, refused, self.now)
            )

    def cut(self) -> None:
        """Loses the connection; what was on the way is lost (the fence)."""
        self.upward.clear()
        self.downward.clear()
        self.outbox = logic.connect(logic.disconnect(self.outbox), Window(3, 1000))


STEPS: dict[str, Callable[[World], None]] = {
    "send": World.send,
    "serve": World.serve,
    "hear": World.hear,
    "cut": World.cut,
    "refuse": lambda world: world.serve(is_definite=True),
    "busy": lambda world: world.serve(is_busy=True),
    "wait": lambda world: setattr(world, "now", world.now + OUTCOME_WAIT_SECONDS),
    "list": lambda world: setattr(
        world.server, "cover", TWO if world.server.cover == ONE else ONE
    ),
}


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=60),
    chats=st.lists(st.integers(0, 1), min_size=1, max_size=6),
)
def test_every_row_ends_once_and_in_order(steps: list[str], chats: list[int]) -> None:
    """Nothing lost, doubled or reordered, whatever happens on the way (I1, I2, I7)."""
    rows = [row(number, chat) for number, chat in enumerate(chats, 1)]
    world = World(filled(*rows, is_sealed=False))
    for step in steps:
        STEPS[step](world)
    for _ in range(400):
        if not world.outbox.rows:
            break
        world.send()
        world.serve()
        world.hear()
        if not world.upward and not world.downward:
            world.now += 1.0
    assert set(world.ended) == {item.id for item in rows}
    stored = {id_ for id_, end in world.ended.items() if end is EndState.SEQUENCED}
    assert stored == set(world.server.log)
    rejected = {id_ for id_, end in world.ended.items() if end is EndState.REJECTED}
    assert not rejected & set(world.server.log)
    for chat in CHATS:
        own = [item.id for item in rows if item.chat == chat]
        in_log = [id_ for id_ in world.server.log if id_ in own]
        assert in_log == sorted(set(in_log))
