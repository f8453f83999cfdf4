"""`wigwag errors`: what an error means, whose fault it is, what to do about it.

The server's errors come from the specification's errors.toml; those of this
program from the classes that raise it.
"""

import difflib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click

from wigwag.client import _errors as errors
from wigwag.client._cli_failures import (
    EXIT_CODES,
    HandlerFailed,
    server_exit_code,
)
from wigwag.client._cli_output import Output
from wigwag.client._errors import WigwagError
from wigwag.spec import ExitCode
from wigwag.wire import ERRORS, ErrorInfo, error_class

SUGGESTIONS_MAX: Final = 3

_CLASS_WORDS: Final = {
    "connection_fatal": "ends the connection",
    "permanent": "refused for good",
    "retryable": "not now",
    "auth": "authentication",
    "slow_down": "slow down",
    "local": "raised by this program",
}

_RETRY_WORDS: Final = {
    "never": "No: the same request gets the same answer.",
    "later": "Yes, later; not before retry_after if one was given.",
    "after_fix": "Yes, after the cause is put right; the client does so itself"
    " where it can.",
    "reconnect": "Yes, on a new connection.",
}

_OUTCOME_WORDS: Final = {
    "none": "Nothing happened.",
    "unknown": "It may have happened: try again with the same message id.",
}

_FAULT_WORDS: Final = {
    "client": "the asking side's",
    "server": "the server's",
    "peer": "the other side's, whichever that is",
    "nobody": "nobody's",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One error, as a page describes it.

    Attributes:
        name: Its name.
        code: Its number in the protocol; None: it is this program's own.
        class_: Its class.
        fault: Whose fault it is.
        retry: Whether to try again.
        outcome: Whether the request may have had an effect.
        means: What it says.
        action: What to do.
        exit_code: How a command ends with it.
    """

    name: str
    code: int | None
    class_: str
    fault: str
    retry: str
    outcome: str
    means: str
    action: str
    exit_code: ExitCode

    def value(self) -> dict[str, object]:
        """Return it as a program reads it."""
        return {
            "name": self.name,
            "code": self.code,
            "class": self.class_,
            "fault": self.fault,
            "retry": self.retry,
            "outcome": self.outcome,
            "means": self.means,
            "action": self.action,
            "exit_code": int(self.exit_code),
        }

    def words(self) -> str:
        """Return it as a person reads it."""
        number = f"  0x{self.code:04X} ({self.code})" if self.code is not None else ""
        rows = (
            ("class", _CLASS_WORDS.get(self.class_, self.class_)),
            ("whose fault", _FAULT_WORDS.get(self.fault, self.fault)),
            ("may I retry", _RETRY_WORDS[self.retry]),
            ("did it happen", _OUTCOME_WORDS[self.outcome]),
            ("what to do", self.action),
            ("exit code", f"{int(self.exit_code)} {_code_words(self.exit_code)}"),
        )
        lines = [f"{self.name}{number}", f"  {self.means}", ""]
        lines += [f"  {label:<14} {text}" for label, text in rows]
        return "\n".join(lines)


def run_errors(output: Output, code: str | None) -> None:
    """Write one error's page, or the list of all.

    Args:
        output: Where to.
        code: Number (decimal or 0x…) or name, in any case; None: all.

    Raises:
        click.UsageError: There is no such error; the nearest names are told.
    """
    entries = list(all_entries())
    if code is None:
        for entry in entries:
            number = f"0x{entry.code:04X}" if entry.code is not None else "-"
            output.result(entry.value(), f"{number:<7} {entry.name:<20} {entry.means}")
        return
    entry = find_entry(entries, code)
    output.result(entry.value(), entry.words())


def all_entries() -> Iterator[Entry]:
    """Yield the specification's errors by number, then this program's by name."""
    for info in sorted(ERRORS.values(), key=lambda info: info.code):
        yield _specified(info)
    own = {
        kind.name: kind
        for kind in (*vars(errors).values(), HandlerFailed)
        if inspect.isclass(kind)
        and issubclass(kind, WigwagError)
        and "name" in vars(kind)
        and kind is not WigwagError
    }
    for _, kind in sorted(own.items()):
        yield _own(kind)


def find_entry(entries: list[Entry], asked: str) -> Entry:
    """Return the entry for a number or a name.

    Raises:
        click.UsageError: There is none.
    """
    number = _number(asked)
    if number is not None:
        for entry in entries:
            if entry.code == number:
                return entry
        raise click.UsageError(_unknown_number(number))
    name = asked.strip().upper().replace("-", "_").replace(" ", "_")
    by_name = {entry.name: entry for entry in entries}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=SUGGESTIONS_MAX)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise click.UsageError(
        f"There is no error {asked!r}.{hint} `wigwag errors` lists them all."
    )


def _specified(info: ErrorInfo) -> Entry:
    return Entry(
        info.name,
        info.code,
        info.class_,
        info.fault,
        info.retry,
        info.outcome,
        info.doc,
        info.action,
        server_exit_code(info.code),
    )


def _own(kind: type[WigwagError]) -> Entry:
    means = (inspect.getdoc(kind) or kind.name).splitlines()[0]
    code = next(
        (code for base, code in EXIT_CODES if issubclass(kind, base)),
        ExitCode.INTERNAL,
    )
    return Entry(
        kind.name,
        None,
        "local",
        kind.fault,
        "later" if kind.retryable else "never",
        kind.outcome,
        means,
        kind.action,
        code,
    )


def _number(asked: str) -> int | None:
    text = asked.strip().lower()
    if re.fullmatch(r"0x[0-9a-f]{1,8}", text):
        return int(text, 16)
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _unknown_number(number: int) -> str:
    class_ = error_class(number)
    words = _CLASS_WORDS.get(class_)
    meaning = f" A client treats it by its class: {words}." if words else ""
    return f"This version knows no error 0x{number:04X}.{meaning}"


def _code_words(code: ExitCode) -> str:
    return f"({code.name.lower().replace('_', ' ')})"
