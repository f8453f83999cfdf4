"""From errors to exit codes, words and pages: one table, and nothing left out."""

import errno
import inspect
import json

import click
import pytest

from wigwag.client import ServerRefused, SessionEnded, WigwagError
from wigwag.client import _errors as errors
from wigwag.client._cli_errors import all_entries, find_entry, run_errors
from wigwag.client._cli_failures import (
    HandlerFailed,
    disk_failure,
    exit_code,
    first_cause,
    sentence,
    server_exit_code,
)
from wigwag.client._cli_output import Output
from wigwag.spec import ExitCode
from wigwag.wire import ERRORS, ErrorCode

BASES = {WigwagError, ServerRefused}


def own_kinds() -> list[type[WigwagError]]:
    """Return every error of the SDK that isn't only a base."""
    return [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, WigwagError) and kind not in BASES
    ]


@pytest.mark.parametrize("kind", own_kinds(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_sdk_has_an_exit_code(kind: type[WigwagError]) -> None:
    """A new error that nobody put in the table would look like a fault of ours."""
    error = kind.__new__(kind)
    assert exit_code(error) not in (ExitCode.OK, ExitCode.INTERNAL)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_of_the_specification_has_an_exit_code(code: int) -> None:
    """Scripts decide by it whether to try again."""
    found = server_exit_code(code)
    assert found not in (ExitCode.OK, ExitCode.INTERNAL, ExitCode.USAGE)
    if ERRORS[code].retry == "never" and code != ErrorCode.REPLACED:
        assert found in (ExitCode.REFUSED, ExitCode.AUTHENTICATION)
    if ERRORS[code].retry == "later":
        assert found is ExitCode.TRY_LATER


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (ErrorCode.NAME_TAKEN, ExitCode.REFUSED),
        (ErrorCode.PROOF_REFUSED, ExitCode.AUTHENTICATION),
        (ErrorCode.RATE_LIMITED, ExitCode.TRY_LATER),
        (ErrorCode.INTERNAL, ExitCode.TRY_LATER),
        (ErrorCode.GOING_AWAY, ExitCode.UNREACHABLE),
        (ErrorCode.REPLACED, ExitCode.IN_USE),
        (0x2FFF, ExitCode.REFUSED),
        (0x3FFF, ExitCode.TRY_LATER),
        (0x4FFF, ExitCode.AUTHENTICATION),
    ],
)
def test_a_refusal_ends_by_its_class(code: int, expected: ExitCode) -> None:
    """A code of a newer server behaves as its class (R-ERR-001)."""
    assert exit_code(ServerRefused(code)) is expected


def test_a_session_that_ended_is_told_by_what_ended_it() -> None:
    """A removed device must not look like an absent server."""
    ended = SessionEnded("over")
    assert exit_code(ended) is ExitCode.UNREACHABLE
    ended.__cause__ = ServerRefused(ErrorCode.AUTH_FAILED)
    assert exit_code(ended) is ExitCode.AUTHENTICATION


def test_a_sentence_ends_once() -> None:
    """Words are put together from two places."""
    assert sentence(HandlerFailed("It failed", action="Try.")) == "It failed. Try."


def test_the_disk_is_told_from_what_may_not_be_read() -> None:
    """One is tried again after tidying up, the other after a change of rights."""
    value, words, code = disk_failure(OSError(errno.ENOSPC, "No space left", "a.db"))
    assert (code, value["retryable"]) == (ExitCode.STORAGE, True)
    assert words.startswith("The system refused: No space left (a.db). Free some")
    _, words, code = disk_failure(PermissionError(errno.EACCES, "Denied"))
    assert (code, words) == (ExitCode.CONFIGURATION, "The system refused: Denied.")


def test_of_a_group_the_error_of_ours_is_told() -> None:
    """Tasks end together; the sentence is about what stopped them."""
    ours = HandlerFailed("ours")
    group = BaseExceptionGroup(
        "all", [OSError("other"), BaseExceptionGroup("inner", [ours])]
    )
    assert first_cause(group) is ours
    other = ValueError("only")
    assert first_cause(BaseExceptionGroup("all", [other, OSError()])) is other


def test_every_error_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """`wigwag errors X` is what an error's reader types."""
    entries = list(all_entries())
    names = [entry.name for entry in entries]
    assert len(names) == len(set(names))
    assert {info.name for info in ERRORS.values()} <= set(names)
    assert "HANDLER_FAILED" in names
    for entry in entries:
        run_errors(Output(as_json=True), entry.name)
        value = json.loads(capsys.readouterr().out)
        assert value["name"] == entry.name
        assert value["means"].endswith(".")
        assert value["action"].endswith(".")
        run_errors(Output(as_json=False), entry.name)
        words = capsys.readouterr().out
        assert "whose fault" in words
        assert "may I retry" in words
        assert entry.action in words


@pytest.mark.parametrize(
    "asked", ["NAME_TAKEN", "name-taken", "8201", "0x2009", " Name taken "]
)
def test_an_error_is_found_by_name_and_by_number(asked: str) -> None:
    """People copy it from a log, type it, or read a number in a packet."""
    assert find_entry(list(all_entries()), asked).name == "NAME_TAKEN"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("NAME_TKEN", "NAME_TAKEN"),
        ("xyzzy", "`wigwag errors` lists them all"),
        ("0x3FFF", "not now"),
        ("99999999", "no error 0x5F5E0FF."),
    ],
)
def test_an_unknown_error_gets_a_hint(asked: str, hint: str) -> None:
    """A typo ends in the right page one step later."""
    with pytest.raises(click.UsageError, match=hint):
        find_entry(list(all_entries()), asked)


def test_the_list_has_one_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    """It is searched with grep."""
    run_errors(Output(as_json=False), None)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(list(all_entries()))
    assert any(line.startswith("0x2009  NAME_TAKEN") for line in lines)
