"""What is timed of the client is what a client does."""

from tests.bench._runs import figures_of, run_of

from wigwag.bench._crypto import operations


def test_every_operation_can_be_repeated() -> None:
    """A step that changed its input would be timed once and fail the second time."""
    found = operations()
    assert {"agreement_initiate", "encrypt", "decrypt"} <= {one.name for one in found}
    for one in found:
        first, second = one.call(), one.call()
        assert type(first) is type(second)


def test_a_full_inbox_is_opened_and_a_history_started() -> None:
    """Bob has every message when the clock stops, read back from his store."""
    sizes = ("--queued", "20", "--stored", "30", "--repeat", "1")
    run = run_of("crypto", "opening", "start", *sizes)
    opening, start = figures_of(run, "opening"), figures_of(run, "start")
    assert opening["opened_per_second"]["must"] == 2_000
    assert opening["client_cpu_us_per_message"]["median"] > 0
    assert start["start_seconds"]["must"] == 1.0
    assert start["online_seconds"]["min"] >= start["open_seconds"]["min"]
    assert run["works"]["start"]["settings"]["stored"] == 30
