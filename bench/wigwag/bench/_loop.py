"""One epoll loop with timers: what a load process runs instead of a framework.

A task for each of 5,000 connections would cost the generator more than their
frames do. Here a connection is a callback under its file descriptor.
"""

import heapq
import itertools
import select
import time
from collections.abc import Callable

READY = Callable[[int, float], None]
"""Called with the epoll events and the time of `time.perf_counter`."""

# One wake-up takes all that is ready, and never starves the control pipe for long.
EVENTS_MAX = 512
# Without a timer the loop still looks at its end about as often.
WAIT_SECONDS_MAX = 0.5


class Loop:
    """Calls back when a descriptor is ready or a moment has come."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, READY] = {}
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._is_stopped = False

    def watch(self, descriptor: int, events: int, ready: READY) -> None:
        """Calls `ready` whenever one of the events is there (level-triggered)."""
        self._ready[descriptor] = ready
        self._epoll.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        """Waits for other events of a watched descriptor."""
        self._epoll.modify(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        """Forgets a descriptor; to be called before it is closed."""
        del self._ready[descriptor]
        self._epoll.unregister(descriptor)

    def call_at(self, when: float, call: Callable[[float], None]) -> None:
        """Calls once, at or shortly after a moment of `time.perf_counter`."""
        heapq.heappush(self._timers, (when, next(self._order), call))

    def stop(self) -> None:
        """Lets `run` return after the events that are being handled."""
        self._is_stopped = True

    def run(self, until: float) -> None:
        """Runs until a moment of `time.perf_counter`, or until `stop`."""
        self._is_stopped = False
        poll, ready, timers = self._epoll.poll, self._ready, self._timers
        clock = time.perf_counter
        while not self._is_stopped:
            now = clock()
            if now >= until:
                return
            wait = min(until - now, WAIT_SECONDS_MAX)
            if timers:
                wait = min(wait, max(0.0, timers[0][0] - now))
            for descriptor, events in poll(wait, EVENTS_MAX):
                call = ready.get(descriptor)
                # One callback may have closed another's connection.
                if call is not None:
                    call(events, clock())
            now = clock()
            while timers and timers[0][0] <= now:
                heapq.heappop(timers)[2](now)

    def run_until(self, is_done: Callable[[], bool], seconds_max: float) -> bool:
        """Runs until `is_done` or for so long; returns whether it is done."""
        deadline = time.perf_counter() + seconds_max

        def look(now: float) -> None:
            if is_done() or now >= deadline:
                self.stop()
            else:
                self.call_at(now + 0.002, look)

        self.call_at(0.0, look)
        self.run(deadline)
        return is_done()
