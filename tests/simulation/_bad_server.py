"""Hand-made histories in which the server breaks a promise to somebody: I14 to I24."""

from dataclasses import replace

from tests.simulation import _story as told
from tests.simulation._history import (
    RUDE,
    Event,
    FrameCame,
    FrameLeft,
    Gone,
    ServerKept,
    Settled,
)
from tests.simulation._story import ACCOUNTS, CHAT

from wigwag.wire import (
    AuthOk,
    Bundle,
    Bundles,
    Deliver,
    EcPrekey,
    ErrorCode,
    Goaway,
    Hello,
    KemPrekey,
    Mark,
    Receipt,
    Sequenced,
    SignedPrekey,
)

Events = tuple[Event, ...]


def impostor_let_in(events: Events) -> Events:
    """I14: somebody with a key of his own is signed in."""
    answer = AuthOk(0, 0, bytes(16), 0, 9, 9, 1)
    return (*events, FrameCame(999.0, RUDE, 77, 1, answer))


def impostor_told(events: Events) -> Events:
    """I14: whoever has no account is sent what concerns others."""
    told_him = Receipt(Mark(CHAT, ACCOUNTS["bob"], told.EPOCH))
    return (*events, FrameCame(999.0, RUDE, 77, 0, told_him))


def told_before_sign_in(events: Events) -> Events:
    """I14: a client gets an entry on a connection that hasn't signed in."""
    at = told.frames(events, Deliver, 1)[0]
    event = events[at]
    assert isinstance(event, FrameCame)
    return (*events[:at], replace(event, connection=78), *events[at:])


def removed_and_served(events: Events) -> Events:
    """I14: a device that was told that it is removed signs in once more."""
    hello = Hello(bytes(32), 0, 0, 0, (), 262_144, 256, "")
    again = FrameLeft(999.0, "ann", 79, 1, hello)
    answer = AuthOk(0, 0, bytes(16), 0, 9, 9, 1)
    served = FrameCame(999.0, "ann", 79, 2, answer)
    return (*events, Gone(998.0, "ann"), again, served)


def answer_late(events: Events) -> Events:
    """I16: a SEND gets its answer after a minute, and no fault explains it."""
    at = told.frames(events, Sequenced, 1)[0]
    return (
        *events[:at],
        *(replace(event, time=event.time + 60) for event in events[at:]),
    )


def answer_missing(events: Events) -> Events:
    """I16: a SEND gets no answer at all, while others do."""
    at = told.frames(events, Sequenced, 1)[0]
    return (*events[:at], *events[at + 1 :])


def blamed(events: Events) -> Events:
    """I19: an honest client is told to calm down."""
    off = Goaway(ErrorCode.ENHANCE_CALM, 0, 0)
    at = next(i for i, event in enumerate(events) if isinstance(event, Settled))
    return (*events[:at], FrameCame(999.0, "ann", 1, 0, off), *events[at:])


def recovered_otherwise(events: Events) -> Events:
    """I20: the second start leaves another log than the first."""
    kept = next(event for event in events if isinstance(event, ServerKept))
    return (*events, replace(kept, log=kept.log[:-1]))


def acknowledged_and_sent_again(events: Events) -> Events:
    """I21: a device is sent an entry that it had said it has."""
    at = told.frames(events, Deliver, 1)[0]
    event = events[at]
    assert isinstance(event, FrameCame)
    end = next(i for i, one in enumerate(events) if isinstance(one, Settled))
    return (*events[:end], event, *events[end:])


def handed_out(process: str, kem_id: int) -> FrameCame:
    """Let somebody be handed Bob's first one-time prekeys."""
    signed = SignedPrekey(1, bytes(32), 0, 0, bytes(64))
    one_time = (EcPrekey(5, bytes(32)),)
    kem = KemPrekey(kem_id, False, bytes(1568), bytes(64))
    bundle = Bundle(1, 1, 7, signed, one_time, kem)
    bundles = Bundles(ACCOUNTS["bob"], 1, (bundle,))
    connection = {"ann": 1, "bob": 2}[process]
    return FrameCame(999.0, process, connection, 1, bundles)


def handed_out_twice(events: Events) -> Events:
    """I24: two claims are given the same one-time prekey."""
    at = next(i for i, event in enumerate(events) if isinstance(event, Settled))
    twice = handed_out("ann", 8), handed_out("ann", 9)
    return (*events[:at], *twice, *events[at:])
