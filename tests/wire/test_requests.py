"""Who owes whom an answer."""

import pytest

from wigwag.wire import DRAFT, Role
from wigwag.wire._requests import CORR_MAX, RequestLedger
from wigwag.wire._rules import PING, rule_book
from wigwag.wire.testing import Sample

RULES = rule_book(Role.SERVER, DRAFT)
SEND = RULES.known[80]


def test_numbers_are_fresh_and_never_zero() -> None:
    """Zero says that there is no request."""
    ledger = RequestLedger()
    assert [ledger.fresh_corr() for _ in range(3)] == [1, 2, 3]


def test_numbers_wrap_around_past_those_in_use() -> None:
    """A connection may live for more than 2^32 requests."""
    ledger = RequestLedger(first_corr=CORR_MAX - 1)
    ledger.awaited[1] = SEND
    ledger.awaited[CORR_MAX] = SEND
    assert [ledger.fresh_corr() for _ in range(3)] == [CORR_MAX - 1, 2, 3]
    ledger = RequestLedger(first_corr=CORR_MAX)
    ledger.awaited[1] = SEND
    assert [ledger.fresh_corr() for _ in range(2)] == [CORR_MAX, 2]


def test_a_ping_waits_for_all_before_it_and_for_nothing_after() -> None:
    """R-PING-001: PING is a barrier, in whatever order the answers come."""
    ledger = RequestLedger()
    ledger.in_flight[1] = SEND
    ledger.in_flight[2] = SEND
    ledger.add_barrier(3, RULES.known[PING], 33)
    ledger.in_flight[4] = SEND
    ledger.add_barrier(5, RULES.known[PING], 55)
    assert ledger.barriers == 2
    assert ledger.answered(2) == []
    assert ledger.answered(4) == []
    assert ledger.answered(1) == [(3, 33), (5, 55)]
    assert not ledger.in_flight


def test_the_second_ping_waits_on_when_the_first_may_go() -> None:
    """Barriers are passed in their order."""
    ledger = RequestLedger()
    ledger.in_flight[1] = SEND
    ledger.add_barrier(3, RULES.known[PING], 33)
    ledger.in_flight[4] = SEND
    ledger.add_barrier(5, RULES.known[PING], 55)
    assert ledger.answered(1) == [(3, 33)]
    assert ledger.answered(4) == [(5, 55)]


def test_an_answer_to_nothing_is_a_bug() -> None:
    """A second answer would end at somebody else's request."""
    with pytest.raises(KeyError):
        RequestLedger().answered(1)


def test_samples_are_told_apart_by_their_number() -> None:
    """Tests that compare messages rely on it."""
    assert Sample.send(1) != Sample.send(2)
