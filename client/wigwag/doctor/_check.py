"""One thing that was looked at, what was found, and the command that mends it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from wigwag.spec import ExitCode

Level = Literal["ok", "warning", "problem"]

PROBLEM_EXIT_CODE = ExitCode.CONFIGURATION
"""Whatever the problem is: something has to be mended here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What, a stable word of letters, dots and hyphens.
        level: "ok"; "warning": it works, but not for long or not well; "problem": it
            doesn't work, or is unsafe.
        text: What was found, a sentence.
        remedy: A command line that mends it; empty: nothing to mend.
        subject: Of what: "server", "profile NAME" or "canary".
        milliseconds: What was timed; None: nothing was.
    """

    name: str
    level: Level
    text: str
    remedy: str = ""
    subject: str = "server"
    milliseconds: float | None = None

    @property
    def is_problem(self) -> bool:
        """Whether something must be done."""
        return self.level == "problem"


def exit_code(checks: Iterable[Check]) -> ExitCode:
    """Return with which status a look ends."""
    return PROBLEM_EXIT_CODE if any(one.is_problem for one in checks) else ExitCode.OK


def summary(checks: Sequence[Check]) -> str:
    """Return the count of each level as a sentence."""
    problems = sum(one.is_problem for one in checks)
    warnings = sum(one.level == "warning" for one in checks)
    return (
        f"{_counted(len(checks), 'check')}: {_counted(problems, 'problem')}, "
        f"{_counted(warnings, 'warning')}"
    )


def as_value(check: Check) -> dict[str, object]:
    """Return a check as a program reads it."""
    return {
        "subject": check.subject,
        "name": check.name,
        "status": check.level,
        "text": check.text,
        "remedy": check.remedy or None,
        "milliseconds": check.milliseconds,
    }


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
