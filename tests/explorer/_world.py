"""One state of everything: a tuple of small numbers, so that it is quickly hashed."""

from typing import NamedTuple

from tests.explorer._scenario import FAULTS

ANSWER = 0
ENTRY = 1
GAP = 2
"""What a frame to a device is."""

Frame = tuple[int, ...]
"""Kind, then: request, copy, answer; or the entry's number; or the gap's."""

Sent = tuple[int, int, int]
"""A SEND underway: its request without numbers, its copy, its generation."""


class Line(NamedTuple):
    """A connection, first in, first out, both ways.

    Attributes:
        is_alive: Whether the server is still there; what it sent may still be read.
        up: What the server has not read.
        down: What the device has not read.
        sent: Highest position of the device's inbox that was sent.
    """

    is_alive: bool
    up: tuple[Sent, ...]
    down: tuple[Frame, ...]
    sent: int


class Node(NamedTuple):
    """A device.

    Attributes:
        outbox: Its state as a sender; -1: it sends nothing.
        inbox: Its state as a receiver; -1: what it is sent isn't explored.
        registration: Its registration.
        generation: Durable; raised before each connect.
        line: Its connection; None: none.
        old: Frames of older connections that the server may still read.
    """

    outbox: int
    inbox: int
    registration: int
    generation: int
    line: Line | None
    old: tuple[Sent, ...]


class Copied(NamedTuple):
    """A copy of a device's profile."""

    node: int
    outbox: int
    registration: int
    generation: int


Waiting = tuple[int, int, int]
"""A request in the queue: its number, whose it is, its copy; -1, 0: nobody waits."""

Reply = tuple[int, int, int, int]
"""Node, request, copy, answer."""


class World(NamedTuple):
    """Everything.

    Attributes:
        nodes: Senders, then receivers.
        state: The server's, as committed.
        queue: Requests that wait for a group.
        replies: Answers of the committed group, not given yet.
        is_blocked: Whether the account written to refuses.
        budget: Faults left, by kind.
        changes: Device changes left.
        acked: Messages that a sender was told are stored.
        dead: Messages that were refused for good, or cancelled.
        exempt: Messages that a restored folder lost.
        backup: The state of the backup; -1: there is none.
        starts: Starts of the server.
        copied: The copied profile.
    """

    nodes: tuple[Node, ...]
    state: int
    queue: tuple[Waiting, ...]
    replies: tuple[Reply, ...]
    is_blocked: bool
    budget: tuple[int, ...]
    changes: int
    acked: int
    dead: int
    exempt: int
    backup: int
    starts: int
    copied: Copied | None

    def with_node(self, index: int, node: Node) -> "World":
        """Return the world with another node."""
        nodes = (*self.nodes[:index], node, *self.nodes[index + 1 :])
        return self._replace(nodes=nodes)

    def left(self, fault: str) -> int:
        """Return how often a fault may still happen."""
        return self.budget[_PLACES[fault]]

    def spend(self, fault: str) -> "World":
        """Return the world after one fault of a kind."""
        place = _PLACES[fault]
        budget = self.budget
        return self._replace(
            budget=(*budget[:place], budget[place] - 1, *budget[place + 1 :])
        )


_PLACES = {name: place for place, name in enumerate(FAULTS)}
