"""The state table is the specification's."""

from wigwag.wire import DRAFT, LEGAL, STATES, TIMEOUTS, Role, State
from wigwag.wire._faults import AUTH_MISSED, PEER_SILENT
from wigwag.wire._rules import rule_book


def test_states_are_those_of_the_specification() -> None:
    """A state that only one of them knows has no rules."""
    assert {state.value for state in State} == set(STATES)


def test_what_may_come_is_what_the_specification_lets_the_peer_send() -> None:
    """(state, type) by (state, type), for both roles."""
    for role in Role:
        book = rule_book(role, DRAFT)
        found = {
            (state.value, type_)
            for state, rules in book.inbound.items()
            for type_ in rules
        }
        expected = {key for key, senders in LEGAL.items() if role.peer.value in senders}
        assert found == expected


def test_what_we_may_send_is_what_the_specification_lets_us() -> None:
    """The same for the other direction."""
    for role in Role:
        found = {
            (state.value, rule.type)
            for rule in rule_book(role, DRAFT).outbound.values()
            for state in rule.states
        }
        expected = {key for key, senders in LEGAL.items() if role.value in senders}
        assert found == expected


def test_timeouts_end_with_the_specifications_codes() -> None:
    """The clocks here are written by hand; the table says what they must do."""
    codes = {
        "auth_seconds": AUTH_MISSED.code,
        "idle_seconds": PEER_SILENT.code,
    }
    for timeout in TIMEOUTS:
        assert codes[timeout.limit] == timeout.error
    assert {timeout.limit for timeout in TIMEOUTS} == set(codes)


def test_each_side_has_the_other_as_its_peer() -> None:
    """Rules for what comes are those of the other side."""
    assert Role.CLIENT.peer is Role.SERVER
    assert Role.SERVER.peer is Role.CLIENT
