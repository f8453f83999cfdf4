"""One task for every deadline of the process.

A connection has a handful of deadlines that move with almost every frame. A timer
or a cancel scope for each would cost more than the frames. So a deadline is a
number; whoever has one is entered in a heap when it gets an earlier one than the
heap knows of, and is asked again when that time comes.
"""

import heapq
import itertools
import math
import weakref
from collections.abc import Callable
from typing import Protocol

import trio

# Deadlines are seconds; one wake-up of the task serves all that fall into this.
GRID_SECONDS = 0.05


class Timed(Protocol):
    """Whoever has deadlines.

    1. `next_deadline` may change at any time; whoever moves it forward in time
       need not tell anybody, whoever moves it back calls `Sweeper.arm`.
    2. `tick` is called at or shortly after the deadline, perhaps in vain.
    3. A tick that leaves the deadline in the past is called again GRID_SECONDS on.
    """

    armed_at: float
    """Earliest entry in the heap; `math.inf`: none. The sweeper's own."""

    def next_deadline(self) -> float | None:
        """Return the monotonic time of the next deadline; None: never again."""
        ...

    def tick(self, now: float) -> None:
        """Do what is due. Must not raise."""
        ...


class Sweeper:
    """Calls `tick` on time; `begin` and `end` stand around each round of ticks.

    Its heap keeps nobody alive: a connection that is gone must not hold its buffers
    until the deadline that it no longer has.
    """

    def __init__(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._begin = begin
        self._end = end
        self._heap: list[tuple[float, int, weakref.ref[Timed]]] = []
        self._order = itertools.count()
        self._sleeps_until = math.inf
        self._earlier = trio.Event()

    def arm(self, timed: Timed) -> None:
        """Take note of a deadline that may have become earlier."""
        deadline = timed.next_deadline()
        if deadline is None or deadline >= timed.armed_at:
            return
        self._push(deadline, timed)
        if deadline + GRID_SECONDS < self._sleeps_until:
            self._earlier.set()

    async def run(self) -> None:
        """Serve deadlines until cancelled."""
        while True:
            until = self._heap[0][0] + GRID_SECONDS if self._heap else math.inf
            self._sleeps_until = until
            if not self._earlier.is_set():
                with trio.move_on_at(until):
                    await self._earlier.wait()
            if self._earlier.is_set():
                self._earlier = trio.Event()
            self.sweep(trio.current_time())

    def sweep(self, now: float) -> None:
        """Tick everything whose deadline has come."""
        heap = self._heap
        if not heap or heap[0][0] > now:
            return
        again: list[Timed] = []
        self._begin()
        while heap and heap[0][0] <= now:
            deadline, _, reference = heapq.heappop(heap)
            timed = reference()
            if timed is None or deadline != timed.armed_at:
                continue  # gone, or a later entry of one that was armed earlier since
            timed.armed_at = math.inf
            due = timed.next_deadline()
            if due is not None and due <= now:
                timed.tick(now)
            again.append(timed)
        self._end()
        for timed in again:
            due = timed.next_deadline()
            if due is not None and due < timed.armed_at:
                self._push(max(due, now + GRID_SECONDS), timed)

    def _push(self, deadline: float, timed: Timed) -> None:
        timed.armed_at = deadline
        entry = (deadline, next(self._order), weakref.ref(timed))
        heapq.heappush(self._heap, entry)
