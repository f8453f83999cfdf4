"""Floods of frames that cost next to nothing to send."""

from collections.abc import Callable

from wigwag.bench.adversary._attack import Flood, Seen, Target, ends_with
from wigwag.bench.adversary._wire import Wire
from wigwag.bench.adversary.floods._pace import again_and_again
from wigwag.wire import DRAFT, Ack, ErrorCode, Ping, encode_frame, frame

# What is written in one go; a run lasts a tenth of a second, so 10,000 a second.
FRAMES = 10_000
UNKNOWN_ODD = 0x7FF1
CALMED = ends_with(ErrorCode.ENHANCE_CALM)


def flood_of(one: Callable[[], bytes]) -> Callable[[Target], Seen]:
    """Return what signs in and writes so many of these frames."""

    def once(target: Target) -> Seen:
        with (
            target.people.borrow() as account,
            Wire.signed_in(target, account) as wire,
        ):
            wire.send(one() * FRAMES)
            return wire.observe_end()

    return once


def _flood(id_: str, title: str, row: str, one: Callable[[], bytes]) -> Flood:
    repeat = again_and_again(flood_of(one), CALMED, actions=FRAMES)
    return Flood(id_, title, row, CALMED, 1, repeat)


FLOODS: tuple[Flood, ...] = (
    _flood(
        "flood-empty",
        "10,000 empty frames at once, again and again",
        "F15",
        lambda: frame(UNKNOWN_ODD, b""),
    ),
    _flood(
        "flood-ping",
        "10,000 PINGs at once, again and again",
        "S11",
        lambda: encode_frame(Ping(1), DRAFT, 7),
    ),
    _flood(
        "flood-ack",
        "10,000 ACKs at once, again and again",
        "F15",
        lambda: encode_frame(Ack(0), DRAFT),
    ),
)
"""Floods that the frame budgets end."""
