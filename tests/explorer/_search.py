"""Breadth first through every world; the shortest way to a violation is its story."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.explorer import _client_steps as client
from tests.explorer import _fault_steps as faults
from tests.explorer import _server_steps as server
from tests.explorer._checks import check, unfinished
from tests.explorer._explorer import Explorer, Step, Steps
from tests.explorer._scenario import Scenario
from tests.explorer._violation import Violation
from tests.explorer._world import World

CALM_STEPS_MAX: Final = 400
"""A fault-free continuation longer than this goes on for ever."""

CALM_STEPS_TOLD: Final = 16
"""Of such a continuation a story tells so many steps."""


class Found(NamedTuple):
    """What an exploration came to.

    Attributes:
        states: Worlds, told apart by 64-bit hashes.
        transitions: Steps from one to another.
        depth: Steps of the longest shortest way.
        folds: Records folded by the server, each state and record once.
        violation: What was broken; "": nothing.
        story: The steps to it.
        seconds: CPU time.
        is_whole: Whether no bound cut the exploration short.
    """

    states: int
    transitions: int
    depth: int
    folds: int
    violation: str
    story: tuple[str, ...]
    seconds: float
    is_whole: bool


def all_steps(explorer: Explorer, world: World) -> Steps:
    """Return everything that may happen now; what is no fault comes first."""
    yield from calm_steps(explorer, world)
    yield from faults.steps(explorer, world)


def calm_steps(explorer: Explorer, world: World) -> Steps:
    """Return everything that may happen now and is no fault."""
    count = len(world.nodes)
    yield from server.steps(explorer, world)
    for number in range(count):
        yield from client.receiving(explorer, world, number)
    for number in range(count):
        yield from server.deliveries(explorer, world, number)
        yield from client.acknowledging(explorer, world, number)
        yield from client.asking(explorer, world, number)
    for number in range(len(explorer.writers)):
        yield from client.sending(explorer, world, number)
    for number in range(count):
        yield from client.connecting(explorer, world, number)


class Search:
    """One exploration.

    Args:
        scenario: What to explore.
        states_max: Stop after so many states.
    """

    def __init__(self, scenario: Scenario, states_max: int) -> None:
        self._explorer = Explorer(scenario)
        self._states_max = states_max
        self._before: dict[int, tuple[int, str]] = {}
        self._calm: set[int] = set()
        self._transitions = 0
        self._depth = 0

    def run(self) -> Found:
        """Explore until everything is known, something is broken, or a bound is met."""
        started = time.process_time()
        violation, is_whole = "", True
        story: tuple[str, ...] = ()
        try:
            is_whole = self._explore()
        except _Broken as broken:
            violation, story = broken.violation, tuple(broken.story)
        return Found(
            len(self._before),
            self._transitions,
            self._depth,
            self._explorer.server.folds,
            violation,
            story,
            time.process_time() - started,
            is_whole,
        )

    def _explore(self) -> bool:
        first = self._explorer.first()
        before = self._before
        before[hash(first)] = (0, "")
        queue: deque[tuple[World, int]] = deque([(first, 0)])
        while queue:
            world, depth = queue.popleft()
            self._depth = depth
            place = hash(world)
            for text, _, after in self._guarded(world, place):
                self._transitions += 1
                found = hash(after)
                if found in before:
                    continue
                before[found] = (place, text)
                self._judge(after, found)
                queue.append((after, depth + 1))
            if len(before) > self._states_max:
                return False
        return True

    def _guarded(self, world: World, place: int) -> Iterator[Step]:
        try:
            yield from all_steps(self._explorer, world)
        except Violation as violation:
            raise _Broken(str(violation), self._story(place)) from violation

    def _judge(self, world: World, place: int) -> None:
        """Judge a world by itself, and by what comes of it when nothing goes wrong."""
        try:
            check(self._explorer, world)
        except Violation as violation:
            raise _Broken(str(violation), self._story(place)) from violation
        calm = self._calm
        seen: list[int] = []
        told: list[str] = []
        while place not in calm:
            calm.add(place)
            seen.append(place)
            try:
                step = next(calm_steps(self._explorer, world), None)
            except Violation:
                break  # the search itself finds it, with its shortest story
            why = unfinished(self._explorer, world) if step is None else ""
            if step is None and not why:
                break
            if why or len(seen) > CALM_STEPS_MAX:
                why = why or "it goes on for ever"
                story = [*self._story(seen[0]), "-- nothing goes wrong any more --"]
                raise _Broken(f"not settled: {why}", story + told[:CALM_STEPS_TOLD])
            assert step is not None
            told.append(step[0])
            world = step[2]
            place = hash(world)
            if place in seen:
                story = [*self._story(seen[0]), "-- nothing goes wrong any more --"]
                raise _Broken(
                    "not settled: the same again and again",
                    story + told[:CALM_STEPS_TOLD],
                )

    def _story(self, place: int) -> list[str]:
        story: list[str] = []
        while True:
            place, text = self._before[place]
            if not text:
                return story[::-1]
            story.append(text)


class _Broken(Exception):  # noqa: N818 - a finding, not an error of ours
    """A violation and the way to it."""

    def __init__(self, violation: str, story: list[str]) -> None:
        super().__init__(violation)
        self.violation = violation
        self.story = story


def explore(scenario: Scenario, states_max: int) -> Found:
    """Explore a scenario."""
    return Search(scenario, states_max).run()
