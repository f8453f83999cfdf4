"""Delivery: everything once, in order, within the window, whatever comes between."""

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from wigwag.server._delivery import Delivery
from wigwag.server.core import Entries, Gap, InboxEntry, InboxRead

DEVICE = b"u" * 16 + b"\x01"
ENTRY_BYTES = 100


def entry(position: int, prev: int) -> InboxEntry:
    """An entry whose frame is its position."""
    return InboxEntry(
        position=position,
        prev=prev,
        kind=96,
        frame=position.to_bytes(ENTRY_BYTES),
        chat=b"c" * 16,
        chat_seq=position,
        sender=DEVICE,
        client_msg_id=b"m" * 16,
        ts=0,
        revision=1,
    )


class World:
    """An inbox, and the outlet of a session that reads it."""

    def __init__(self, *, window_entries: int = 4, window_bytes: int = 10**6) -> None:
        self.inbox: list[InboxEntry] = []
        self.sent: list[int] = []
        self.said: list[str] = []
        self.room = 10**6
        self.reads: list[tuple[InboxRead, Callable[[Entries], None]]] = []
        self.delivery = Delivery(
            DEVICE,
            self,
            acked=0,
            last=0,
            window_entries=window_entries,
            window_bytes=window_bytes,
        )

    # The outlet

    def room_bytes(self) -> int:
        """The write buffer's room."""
        return self.room

    def read_inbox(self, request: InboxRead, answer: Callable[[Entries], None]) -> None:
        """Note a read; `answer_read` answers it."""
        assert not self.reads, "one read at a time"
        assert request.count_max >= 1
        assert request.bytes_max >= 1
        self.reads.append((request, answer))

    def send_entries(self, frames: Sequence[bytes]) -> None:
        """Note entries that were sent."""
        self.sent += [int.from_bytes(frame) for frame in frames]

    def say_gap(self, gap: Gap) -> None:
        """Note a gap that was said."""
        self.said.append(f"gap {gap.first}-{gap.last}")

    def say_empty(self, last: int) -> None:
        """Note that the end was said."""
        self.said.append(f"empty {last}")

    def guarded_entries(self, entries: Sequence[InboxEntry]) -> None:
        """Pass entries on."""
        self.delivery.take(entries)

    # The world

    def commit(self, count: int, *, tells: bool = True) -> None:
        """Add entries and tell the watcher, as a commit does."""
        added: list[InboxEntry] = []
        for _ in range(count):
            prev = self.inbox[-1].position if self.inbox else 0
            added.append(entry(prev + 1, prev))
            self.inbox.append(added[-1])
        if tells:
            self.delivery.entries(added)

    def answer_read(self) -> bool:
        """Answer the outstanding read, if there is one."""
        if not self.reads:
            return False
        request, answer = self.reads.pop()
        above = [e for e in self.inbox if e.position > request.above]
        last = self.inbox[-1].position if self.inbox else 0
        answer(Entries(tuple(above[: request.count_max]), (), last))
        return True

    def finish(self) -> None:
        """Let everything happen that can."""
        while True:
            self.delivery.settle()
            if self.answer_read():
                continue
            if self.delivery.unacked:
                self.delivery.acknowledged(self.sent[-1])
                continue
            return


def test_a_live_device_gets_entries_at_once() -> None:
    """No read of the inbox stands between a commit and its delivery."""
    world = World()
    world.commit(3)
    assert world.sent == [1, 2, 3]
    assert not world.reads


def test_the_window_ends_at_its_bound_and_goes_on_with_the_ack() -> None:
    """N are sent, the next is not, until one is acknowledged."""
    world = World(window_entries=3)
    world.commit(3)
    world.commit(2)
    world.delivery.settle()
    assert world.sent == [1, 2, 3]
    assert not world.reads
    world.delivery.acknowledged(1)
    world.delivery.settle()
    assert world.reads[0][0].count_max == 1
    world.finish()
    assert world.sent == [1, 2, 3, 4, 5]


def test_the_window_is_bounded_in_bytes_too() -> None:
    """Large entries fill it with fewer."""
    world = World(window_entries=100, window_bytes=2 * ENTRY_BYTES)
    world.commit(5)
    assert world.sent == [1, 2]
    world.finish()
    assert world.sent == [1, 2, 3, 4, 5]


def test_nothing_is_sent_while_the_write_buffer_is_full() -> None:
    """A slow reader costs no memory but what it has."""
    world = World()
    world.room = 0
    world.commit(1)
    world.delivery.settle()
    assert not world.sent
    assert not world.reads
    world.room = 1
    world.finish()
    assert world.sent == [1]


def test_entries_that_arrive_during_a_read_are_not_lost() -> None:
    """The read may have been answered before they were added."""
    world = World(window_entries=100)
    world.commit(2, tells=False)
    world.commit(1)  # joins nothing that was sent
    world.delivery.settle()
    request, answer = world.reads.pop()
    stale = Entries(tuple(world.inbox[:3]), (), 3)
    world.commit(2)
    answer(stale)
    assert request.above == 0
    assert world.sent == [1, 2, 3]
    world.finish()
    assert world.sent == [1, 2, 3, 4, 5]


def test_empty_is_said_after_the_last_entry_and_once() -> None:
    """A client that waits for it knows that it has everything (R-INBOX-010)."""
    world = World(window_entries=2)
    world.delivery.settle()
    assert world.said == ["empty 0"]
    world.commit(1)
    world.delivery.settle()
    assert world.said == ["empty 0"]
    world.commit(3)
    world.finish()
    assert world.said == ["empty 0", "empty 4"]


def test_what_was_dropped_is_said_before_what_follows() -> None:
    """A gap is never silent (R-INBOX-009)."""
    world = World()
    world.commit(3, tells=False)
    world.commit(1)
    world.delivery.settle()
    _, answer = world.reads.pop()
    answer(Entries((world.inbox[3],), (Gap(1, 3, 4),), 4))
    assert world.said == ["gap 1-3"]
    assert world.sent == [4]
    world.finish()
    assert world.said == ["gap 1-3", "empty 4"]


def test_an_inbox_whose_rest_is_gone_is_caught_up() -> None:
    """Entries may expire between the sign-in and the read."""
    world = World()
    world.commit(2, tells=False)
    world.commit(1)
    world.delivery.settle()
    _, answer = world.reads.pop()
    answer(Entries((), (), 3))
    assert world.delivery.is_live
    assert world.delivery.sent == 3
    world.commit(1)
    assert world.sent == [4]


def test_a_stopped_delivery_drops_what_comes_late() -> None:
    """A displaced connection must send nothing more."""
    world = World()
    world.commit(1, tells=False)
    world.commit(1)
    world.delivery.settle()
    _, answer = world.reads.pop()
    world.delivery.stop()
    answer(Entries(tuple(world.inbox), (), 2))
    world.commit(1)
    world.delivery.settle()
    assert not world.sent
    assert not world.said


@given(
    steps=st.lists(
        st.sampled_from(["commit", "commit untold", "settle", "read", "ack", "block"]),
        max_size=60,
    ),
    window=st.integers(1, 5),
)
def test_everything_is_sent_once_and_in_order(steps: list[str], window: int) -> None:
    """Whatever the order of commits, reads, acks and full buffers (I5, I6)."""
    world = World(window_entries=window)
    for step in steps:
        match step:
            case "commit":
                world.commit(2)
            case "commit untold":
                # As when the watcher came after the commit: the next one tells.
                world.commit(1, tells=False)
            case "settle":
                world.delivery.settle()
            case "read":
                world.answer_read()
            case "ack":
                if world.sent:
                    world.delivery.acknowledged(world.sent[len(world.sent) // 2])
            case _:
                world.room = 0 if world.room else 10**6
        assert world.delivery.unacked <= window
        assert world.sent == list(range(1, len(world.sent) + 1))
    world.room = 10**6
    world.commit(1)
    world.finish()
    assert world.sent == [e.position for e in world.inbox]
