"""The generator checks what it measures: once, and in order."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from wigwag.bench import BenchError
from wigwag.bench._account import Account
from wigwag.bench._link import Door, Link
from wigwag.bench._loop import Loop
from wigwag.bench._pair import (
    BODY_BYTES,
    FIRST_CORR,
    Receiver,
    Sender,
    Tally,
    number_offset,
)
from wigwag.bench._people import Idler
from wigwag.wire import DRAFT, Deliver, Sequenced, encode_frame


class Bench:
    """A pair whose frames come from the test; nobody answers on its links."""

    def __init__(self, port: int) -> None:
        loop, door, tally = Loop(), Door("127.0.0.1", port), Tally()
        self.links = [Link(loop, door, Idler()) for _ in range(2)]
        self.sender = Sender(self.links[0], Account.new(), Account.new(), 1, tally)
        self.receiver = Receiver(
            self.links[1], self.sender, tally, number_offset(DRAFT)
        )
        # Three messages have been written.
        self.sender.sent = 3
        self.sender.times = dict.fromkeys(range(3), 0.0)

    def deliver(self, *numbers: int) -> None:
        """Hands DELIVERs to the receiver, in one read."""
        frames = b"".join(
            encode_frame(self._entry(number), DRAFT) for number in numbers
        )
        self.receiver.on_data(self.links[1], frames, 1.0)

    def sequence(self, *numbers: int) -> None:
        """Hands SEQUENCEDs to the sender, in one read."""
        frames = b"".join(
            encode_frame(
                Sequenced(bytes([9]) * 16, 1, 1, 1), DRAFT, FIRST_CORR + number
            )
            for number in numbers
        )
        self.sender.on_data(self.links[0], frames, 1.0)

    def _entry(self, number: int) -> Deliver:
        tail = (self.sender.first_number + number).to_bytes(4, "big")
        return Deliver(
            number + 1,
            number,
            bytes([3]) * 16,
            number + 1,
            1,
            bytes([1]) * 16,
            1,
            1,
            bytes([9]) * 12 + tail,
            1,
            bytes(BODY_BYTES),
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A pair on two connections to a listener that never speaks."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        made = Bench(listener.getsockname()[1])
        yield made
        for link in made.links:
            link.close()


@pytest.mark.parametrize(
    "numbers",
    [(1,), (0, 2), (0, 0), (1, 0)],
    ids=["late", "lost", "doubled", "swapped"],
)
def test_message_that_is_lost_doubled_or_swapped_fails_the_run(
    bench: Bench, numbers: tuple[int, ...]
) -> None:
    """A server that loses messages is fast; its figure must not come about."""
    with pytest.raises(BenchError, match="lost, doubled or out of order"):
        bench.deliver(*numbers)


@pytest.mark.parametrize("numbers", [(1,), (0, 2), (0, 0)])
def test_answers_out_of_order_fail_the_run(
    bench: Bench, numbers: tuple[int, ...]
) -> None:
    """The window is counted by answers: one that is missing would go unseen."""
    with pytest.raises(BenchError, match="SEQUENCED came out of order"):
        bench.sequence(*numbers)
