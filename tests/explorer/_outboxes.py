"""The senders' states, numbered; every step of one is taken once and remembered."""

from collections.abc import Callable, Hashable
from typing import Any, Concatenate, ParamSpec, TypeVar

from tests.explorer._sender import Sender

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Outboxes:
    """All states that the senders were in, and how they follow from each other.

    Attributes:
        states: By number.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.states: list[Sender] = []
        # What a step came to; the step itself says of which type that is.
        self._memo: dict[Hashable, Any] = {}

    def number_of(self, state: Sender) -> int:
        """Number a state."""
        number = self._numbers.setdefault(state.key(), len(self.states))
        if number == len(self.states):
            self.states.append(state)
        return number

    def move(
        self,
        number: int,
        step: Callable[Concatenate[Sender, Arguments], Sender],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> int:
        """Take a step; return the state after it."""
        key = (step, number, args, *kwargs.items())
        found: int | None = self._memo.get(key)
        if found is None:
            found = self.number_of(step(self.states[number], *args, **kwargs))
            self._memo[key] = found
        return found

    def act(
        self,
        number: int,
        step: Callable[Concatenate[Sender, Arguments], tuple[Sender, Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> tuple[int, Result]:
        """Take a step; return the state after it and what it came to."""
        key = (step, number, args, *kwargs.items())
        found: tuple[int, Result] | None = self._memo.get(key)
        if found is None:
            state, result = step(self.states[number], *args, **kwargs)
            found = self._memo[key] = (self.number_of(state), result)
        return found

    def ask(
        self,
        number: int,
        question: Callable[Concatenate[Sender, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Ask a state something."""
        key = (question, number, args, *kwargs.items())
        if key not in self._memo:
            self._memo[key] = question(self.states[number], *args, **kwargs)
        found: Result = self._memo[key]
        return found
