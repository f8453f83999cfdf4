"""Each checker passes a good history and refuses a bad one."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.simulation import _bad_server as bad
from tests.simulation import _story as told
from tests.simulation._checkers import CHECKS, check
from tests.simulation._gather import gather
from tests.simulation._history import (
    Alarm,
    ClientKept,
    Ended,
    Event,
    FrameCame,
    FrameLeft,
    Sent,
    Shown,
)
from tests.simulation._story import good_story, message_id, server_id

from wigwag.wire import (
    Ack,
    Auth,
    AuthOk,
    Deliver,
    ErrorCode,
    Mark,
    Outcome,
    Receipt,
    Refused,
    Send,
    Sequenced,
)

Events = tuple[Event, ...]


def without(events: Events, at: int) -> Events:
    """Leave an event out."""
    return (*events[:at], *events[at + 1 :])


def swapped_log(events: Events, first: int, second: int) -> Events:
    """Let two messages change places in the log."""
    rows = list(told.log_of(events))
    one, two = rows[first], rows[second]
    rows[first] = replace(two, chat_seq=one.chat_seq)
    rows[second] = replace(one, chat_seq=two.chat_seq)
    return told.with_log(events, rows)


def lost_after_ack(events: Events) -> Events:
    """I1: the log forgot an acknowledged message."""
    return told.with_log(events, told.log_of(events)[:-1])


def stored_twice(events: Events) -> Events:
    """I2: a retry became a second entry."""
    rows = told.log_of(events)
    again = replace(rows[3], chat_seq=rows[-1].chat_seq + 1)
    return told.with_log(events, (*rows, again))


def conflict(events: Events) -> Events:
    """I2: an honest client is told CONFLICT."""
    at = told.frames(events, Sequenced, 4)[1]
    event = events[at]
    assert isinstance(event, FrameCame)
    refused = Refused(message_id(4), 1, ErrorCode.CONFLICT, Outcome.NONE, 0)
    return (*events[:at], replace(event, message=refused), *events[at + 1 :])


def hole(events: Events) -> Events:
    """I3: a chat's positions skip a number."""
    rows = told.log_of(events)
    last = replace(rows[-1], chat_seq=rows[-1].chat_seq + 1)
    return told.with_log(events, (*rows[:-1], last))


def shown_backwards(events: Events) -> Events:
    """I3: a consumer is shown a later message first."""
    at = [i for i, event in enumerate(events) if isinstance(event, Shown)]
    first, second = events[at[0]], events[at[1]]
    assert isinstance(first, Shown)
    assert isinstance(second, Shown)
    changed = list(events)
    changed[at[0]] = replace(second, time=first.time)
    changed[at[1]] = replace(first, time=second.time)
    return tuple(changed)


def inbox_backwards(events: Events) -> Events:
    """I3: an inbox holds a chat's messages in another order."""
    at = told.frames(events, Deliver, 2)[0]
    return told.changed(events, at, chat_seq=told.EPOCH)


def prev_changes(events: Events) -> Events:
    """I3: an entry follows another one when it is sent again."""
    return told.changed(events, told.frames(events, Deliver, 4)[1], prev=told.EPOCH + 1)


def two_histories(events: Events) -> Events:
    """I4: a reader has another message at a position than the log."""
    at = told.frames(events, Deliver, 1)[0]
    return told.changed(events, at, client_msg_id=message_id(99))


def no_prefix(events: Events) -> Events:
    """I4: a reader was sent a later message and not an earlier one."""
    return without(events, told.frames(events, Deliver, 1)[0])


def not_delivered(events: Events) -> Events:
    """I5: a member never gets a message."""
    return told.with_kept(events, "bob", told.kept_by(events, "bob")[:-1])


def never_filled(events: Events) -> Events:
    """I5: a stub stays a stub."""
    kept = told.kept_by(events, "bob")
    return told.with_kept(events, "bob", (*kept[:-1], replace(kept[-1], text=None)))


def other_text(events: Events) -> Events:
    """I5: what arrives isn't what was written."""
    kept = told.kept_by(events, "bob")
    return told.with_kept(events, "bob", (*kept[:-1], replace(kept[-1], text="x")))


def still_in_outbox(events: Events) -> Events:
    """I5: a message never leaves its outbox."""
    return tuple(
        replace(event, unsent=(message_id(9),))
        if isinstance(event, ClientKept)
        else event
        for event in events
    )


def kept_twice(events: Events) -> Events:
    """I6: a device stores a message twice."""
    kept = told.kept_by(events, "ann")
    return told.with_kept(events, "ann", (*kept, kept[0]))


def text_twice(events: Events) -> Events:
    """I6: one text comes as two messages."""
    kept = told.kept_by(events, "ann")
    again = replace(kept[0], message_id=message_id(77))
    return told.with_kept(events, "ann", (*kept, again))


def never_shown(events: Events) -> Events:
    """I6: a consumer isn't told of a message."""
    at = next(i for i, event in enumerate(events) if isinstance(event, Shown))
    return without(events, at)


def shown_after_done(events: Events) -> Events:
    """I6: a consumer is shown again what it has handled."""
    event = next(event for event in events if isinstance(event, Shown))
    return (*events, replace(event, time=event.time + 100))


def reordered(events: Events) -> Events:
    """I7: the log has two messages of a device the other way round."""
    return swapped_log(events, 0, 1)


def phantom(events: Events) -> Events:
    """I8: the log has what nobody sent."""
    rows = told.log_of(events)
    ghost = replace(
        rows[-1], chat_seq=rows[-1].chat_seq + 1, client_msg_id=message_id(66)
    )
    return told.with_log(events, (*rows, ghost))


def answer_to_nothing(events: Events) -> Events:
    """I8: a client gets an answer to what never left."""
    at = told.frames(events, Sequenced, 4)[1]
    return told.changed(events, at, client_msg_id=message_id(55))


def stranger(events: Events) -> Events:
    """I8: a message is stored in a chat that its sender isn't in."""
    at = told.frames(events, Send, 4)[0]
    return told.changed(events, at, users=(b"z" * 16,))


def rejected_and_stored(events: Events) -> Events:
    """I8: a message that was refused for good is in the log."""
    return (*events, Ended(999.0, "ann", server_id("ann", 2), "REJECTED"))


def wrong_place(events: Events) -> Events:
    """I9: SEQUENCED names another place."""
    at = told.frames(events, Sequenced, 2)[0]
    return told.changed(events, at, chat_seq=told.EPOCH + 1)


def other_answer(events: Events) -> Events:
    """I9: a repeated SEND gets another answer."""
    return told.changed(events, told.frames(events, Sequenced, 4)[1], sent_at=1)


def effect_before_cause(events: Events) -> Events:
    """I10: an answer is before what it answers."""
    return swapped_log(events, 1, 2)


def ack_back(events: Events) -> Events:
    """I23: a client acknowledges a lower position than before."""
    at = [
        i
        for i, event in enumerate(events)
        if isinstance(event, FrameLeft) and isinstance(event.message, Ack)
    ]
    return told.changed(events, at[1], position=told.EPOCH)


def auth_back(events: Events) -> Events:
    """I23: a client signs in with a lower cursor than it acknowledged."""
    return told.changed(events, _sign_in(events, Auth), cursor=told.EPOCH + 1)


def welcome_back(events: Events) -> Events:
    """I23: the server's cursor is behind what it was told."""
    return told.changed(events, _sign_in(events, AuthOk), acked=told.EPOCH + 1)


def beyond_inbox(events: Events) -> Events:
    """I23: a client acknowledges what it was never sent."""
    at = next(
        i
        for i, event in enumerate(events)
        if isinstance(event, FrameLeft) and isinstance(event.message, Ack)
    )
    return told.changed(events, at, position=told.EPOCH + 9)


def _sign_in(events: Events, kind: type[Auth | AuthOk]) -> int:
    return [
        i
        for i, event in enumerate(events)
        if isinstance(event, FrameLeft | FrameCame) and isinstance(event.message, kind)
    ][2]


def _mark(events: Events, number: int, place: int) -> Events:
    at = [
        i
        for i, event in enumerate(events)
        if isinstance(event, FrameCame) and isinstance(event.message, Receipt)
    ][number]
    event = events[at]
    assert isinstance(event, FrameCame)
    assert isinstance(event.message, Receipt)
    mark = Mark(event.message.mark.chat, event.message.mark.user, place)
    return told.changed(events, at, mark=mark)


def mark_back(events: Events) -> Events:
    """I23: a delivered mark goes back."""
    return _mark(events, 1, told.EPOCH)


def mark_beyond(events: Events) -> Events:
    """I23: a delivered mark is beyond the log."""
    return _mark(events, 1, told.EPOCH + 9)


def mark_too_early(events: Events) -> Events:
    """I23: a message is marked as delivered that its receiver hasn't stored."""
    return _mark(events, 0, told.EPOCH + 2)


def alarm(events: Events) -> Events:
    """A part of the system reported a fault of its own."""
    return (*events, Alarm(999.0, "server", "fold_failed"))


def key_used_twice(events: Events) -> Events:
    """I25: two ciphertexts under one message key."""
    at = told.frames(events, Send, 2)[0]
    event = events[at]
    assert isinstance(event, FrameLeft)
    assert isinstance(event.message, Send)
    one = event.message.envelopes[0]
    sealed = told.ciphertext(b"a", 1, b"d")
    envelope = type(one)(one.user, one.device, one.registration_id, sealed)
    return told.changed(events, at, envelopes=(envelope,))


BAD: dict[str, list[Callable[[Events], Events]]] = {
    "I1": [lost_after_ack],
    "I2": [stored_twice, conflict],
    "I3": [hole, shown_backwards, inbox_backwards, prev_changes],
    "I4": [two_histories, no_prefix],
    "I5": [not_delivered, never_filled, other_text, still_in_outbox],
    "I6": [kept_twice, text_twice, never_shown, shown_after_done],
    "I7": [reordered],
    "I8": [phantom, answer_to_nothing, stranger, rejected_and_stored],
    "I9": [wrong_place, other_answer],
    "I10": [effect_before_cause],
    "I14": [
        bad.impostor_let_in,
        bad.impostor_told,
        bad.told_before_sign_in,
        bad.removed_and_served,
    ],
    "I16": [bad.answer_late, bad.answer_missing],
    "I19": [bad.blamed],
    "I20": [bad.recovered_otherwise],
    "I21": [bad.acknowledged_and_sent_again],
    "I24": [bad.handed_out_twice],
    "I23 cursors": [ack_back, auth_back, welcome_back, beyond_inbox],
    "I23 marks": [mark_back, mark_beyond, mark_too_early],
    "I25": [key_used_twice],
    "alarm": [alarm],
}


def test_a_good_history_is_passed() -> None:
    """A checker that cries wolf hides the wolf."""
    assert [str(found) for found in check(told.history(good_story()))] == []


def test_every_checker_has_a_bad_history() -> None:
    """A checker that can't fail is worthless."""
    assert BAD.keys() == CHECKS.keys()


@pytest.mark.parametrize(
    ("name", "spoil"),
    [(name, spoil) for name, spoils in BAD.items() for spoil in spoils],
)
def test_a_bad_history_is_refused(name: str, spoil: Callable[[Events], Events]) -> None:
    """The checker of the invariant that was broken says so itself."""
    events = spoil(good_story())
    story = told.history(events)
    found = list(CHECKS[name](story, gather(story)))
    assert found
    assert {violation.invariant for violation in found} == {name.split()[0]}


def test_a_call_that_never_returned_may_have_sent_its_message() -> None:
    """A crash in send() leaves the outcome open; both outcomes are right."""
    events = tuple(
        event
        for event in good_story()
        if not (isinstance(event, Sent) and event.message_id == server_id("ann", 4))
    )
    assert not check(told.history(events))
