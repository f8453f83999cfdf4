"""All checkers: a history goes in, violations come out.

Each reads the history and the stores that it ends with, nothing else, and each has
been shown a hand-made history that it must refuse (test_checkers.py).
"""

from collections.abc import Callable, Iterator
from typing import Final

from tests.simulation import _check_client, _check_cursor, _check_log, _check_server
from tests.simulation._facts import Facts
from tests.simulation._gather import gather
from tests.simulation._history import Alarm, History
from tests.simulation._violation import Violation

CHECKS: Final[dict[str, Callable[[History, Facts], Iterator[Violation]]]] = {
    "I1": lambda _, facts: _check_log.check_durable_ack(facts),
    "I2": lambda _, facts: _check_log.check_once(facts),
    "I3": lambda _, facts: _check_log.check_order(facts),
    "I4": lambda _, facts: _check_log.check_one_history(facts),
    "I5": lambda _, facts: _check_client.check_delivery(facts),
    "I6": lambda _, facts: _check_client.check_exactly_once(facts),
    "I7": lambda _, facts: _check_client.check_send_order(facts),
    "I8": lambda _, facts: _check_log.check_no_phantom(facts),
    "I9": lambda _, facts: _check_log.check_ack_truth(facts),
    "I10": _check_client.check_causality,
    "I14": lambda history, _: _check_server.check_authentication(history),
    "I16": _check_server.check_liveness,
    "I19": lambda _, facts: _check_server.check_isolation(facts),
    "I20": lambda _, facts: _check_server.check_recovery(facts),
    "I21": lambda _, facts: _check_server.check_tombstones(facts),
    "I23 cursors": lambda _, facts: _check_cursor.check_cursors(facts),
    "I23 marks": lambda _, facts: _check_cursor.check_marks(facts),
    "I24": lambda _, facts: _check_server.check_one_use(facts),
    "I25": lambda _, facts: _check_client.check_key_use(facts),
    "alarm": lambda history, _: _check_alarms(history),
}


def _check_alarms(history: History) -> Iterator[Violation]:
    """No process meets a bug of its own, whatever the world does to it."""
    for alarm in history.of(Alarm):
        yield Violation("alarm", alarm.time, f"{alarm.process}: {alarm.text}")


def check(history: History) -> list[Violation]:
    """Judge a history by every invariant."""
    facts = gather(history)
    return [
        violation for judge in CHECKS.values() for violation in judge(history, facts)
    ]
