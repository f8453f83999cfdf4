"""Who gets a message again: whom it was really sent to."""

from pathlib import Path

from tests.client.worlds import KEY

from wigwag.client._outbox import Device
from wigwag.client._store import open_database
from wigwag.client._store_outbox import (
    SENT_KEPT_MS,
    Made,
    drop_old_sent_txn,
    end_letter_txn,
    is_old_copy,
    made_txn,
    save_sent_txn,
    was_sent_to_txn,
)
from wigwag.client._txn import Txn

BOB = b"b" * 16
EVE = b"e" * 16
ID = b"i" * 16


def open_txn(folder: Path) -> Txn:
    """Opens a database of its own."""
    return Txn(open_database(folder / "db", KEY, None), {})


def test_only_devices_that_had_an_envelope_count(tmp_path: Path) -> None:
    """A device added later must not read what was written before (E2EE.md §4)."""
    txn = open_txn(tmp_path)
    save_sent_txn(txn, ID, b"m" * 16, [Device(BOB, 1, 7)], 0)
    assert was_sent_to_txn(txn, ID, BOB, 1)
    assert not was_sent_to_txn(txn, ID, BOB, 2)
    assert was_sent_to_txn(txn, ID, BOB, None)
    assert not was_sent_to_txn(txn, ID, EVE, None)
    assert not was_sent_to_txn(txn, b"x" * 16, BOB, 1)


def test_what_was_sent_is_forgotten_after_62_days(tmp_path: Path) -> None:
    """Outbox 30 days, inbox 30, margin."""
    txn = open_txn(tmp_path)
    save_sent_txn(txn, ID, b"m" * 16, [Device(BOB, 1, 7)], 0)
    drop_old_sent_txn(txn, SENT_KEPT_MS)
    assert was_sent_to_txn(txn, ID, BOB, 1)
    drop_old_sent_txn(txn, SENT_KEPT_MS + 1)
    assert not was_sent_to_txn(txn, ID, BOB, 1)


def test_the_newest_ended_sends_stay_known(tmp_path: Path) -> None:
    """A device that was off for a year is no old copy of itself (R-AUTH-005)."""
    txn = open_txn(tmp_path)
    end_letter_txn(txn, ID, 1, 0)
    drop_old_sent_txn(txn, 10 * SENT_KEPT_MS)
    assert not is_old_copy(1, made_txn(txn, ID))
    assert is_old_copy(1, made_txn(txn, b"x" * 16))


def test_a_row_at_an_older_attempt_is_an_old_copys() -> None:
    """The newer attempt's message keys were used by the store that is lost."""
    assert is_old_copy(2, Made(is_known=False, attempt=1))
    assert not is_old_copy(2, Made(is_known=False, attempt=2))
    assert not is_old_copy(2, Made(is_known=True, attempt=0))
