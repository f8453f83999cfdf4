"""Errors of the connection."""

import pytest

from wigwag.wire import (
    ErrorCode,
    LocalProtocolError,
    Outcome,
    ProtocolError,
    RemoteProtocolError,
    WireError,
    make_error,
)


def test_protocol_error_says_whose_fault_it_is() -> None:
    """An error that blames nobody can't be acted on."""
    with pytest.raises(TypeError):
        ProtocolError("somebody did something")
    assert issubclass(LocalProtocolError, WireError)


def test_a_remote_error_names_code_and_requirement() -> None:
    """The log line is what an operator has."""
    error = RemoteProtocolError(0x1001, "R-FRAME-003", reason="a reserved flag is set")
    assert str(error) == "0x1001 [R-FRAME-003]: a reserved flag is set"
    assert str(RemoteProtocolError(0x1001, reason="PING: cut")) == "0x1001: PING: cut"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (ErrorCode.UNSUPPORTED, Outcome.NONE),
        (ErrorCode.UNAVAILABLE, Outcome.UNKNOWN),
        (0x3FFB, Outcome.UNKNOWN),
    ],
)
def test_an_error_tells_the_outcome_of_its_code(code: int, outcome: Outcome) -> None:
    """Of a code that we don't know nothing better than "unknown" can be said."""
    assert make_error(code, 80).outcome is outcome
