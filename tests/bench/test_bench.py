"""The load generator measures a real server and says with what."""

import json
import os
import subprocess
import sys

import pytest

from wigwag.bench._machine import process_cpu_seconds, process_resident_kib

WAIT_SECONDS_MAX = 120


def wigwag_bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `wigwag bench` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "wigwag", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )


def test_quick_run_prints_json_alone_with_every_figure() -> None:
    """A figure that a script can't read is not compared."""
    arguments = ("--quick", "--pairs", "2", "--window", "4", "--seconds", "1")
    done = wigwag_bench("server", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["messages"] > 0
    assert figures["server_cpu_us_per_message"] > 0
    assert figures["delivered_p50_ms"] >= figures["sequenced_p50_ms"] * 0.5 > 0
    assert figures["limits_profile"] == "bench"
    assert "wigwag bench server --quick --pairs 2 --window 4" in figures["command"]
    assert figures["machine"]


def test_run_without_a_work_item_says_which_there_are() -> None:
    """Silence or a default would measure something nobody asked for."""
    done = wigwag_bench("server")
    assert done.returncode == 2
    assert "--quick" in done.stderr


def test_cpu_and_memory_of_this_process_are_read() -> None:
    """The figures come from the kernel, user and system time together."""
    spent = os.times()
    seconds = process_cpu_seconds(os.getpid())
    assert seconds == pytest.approx(spent.user + spent.system, abs=1.0)
    assert process_resident_kib(os.getpid()) > 1000


def test_process_that_is_gone_is_reported() -> None:
    """A server that died must not be measured as one that used nothing."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    for read in (process_cpu_seconds, process_resident_kib):
        with pytest.raises(ProcessLookupError):
            read(process.pid)
