"""The load generator measures a real server and says with what."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.bench._runs import (
    WAIT_SECONDS_MAX,
    bench,
    figures_of,
    processes_naming,
    run_of,
    wait_for_file,
)

from wigwag.bench import SCHEMA
from wigwag.bench._compare import EarlierRun

TINY = ("--repeat", "2", "--seconds", "0.5", "--pairs", "3")


@pytest.mark.parametrize("work", ["pairs", "wide", "single"])
def test_traffic_is_delivered_and_told_with_what(work: str) -> None:
    """A figure without its load, machine and cost of measuring says nothing."""
    run = run_of("server", work, *TINY)
    figures = figures_of(run, work)
    assert figures["messages_per_second"]["median"] > 0
    assert len(figures["messages_per_second"]["samples"]) == 2
    for name in ("server_cpu_us_per_message", "generator_cpu_us_per_message"):
        assert figures[name]["median"] > 0
    assert figures["delivered_p99_ms"]["median"] >= figures["delivered_p50_ms"]["min"]
    settings = run["works"][work]["settings"]
    assert settings["limits_profile"] == "bench"
    assert settings["pairs"] == (1 if work == "single" else 3)
    assert run["machine"]


def test_load_is_shared_among_processes() -> None:
    """A generator that is one process can't outrun a server with cores to spare."""
    run = run_of("server", "pairs", *TINY, "--processes", "2")
    assert run["works"]["pairs"]["settings"]["load_processes"] == 2
    assert figures_of(run, "pairs")["messages_per_second"]["median"] > 0


def test_json_says_its_schema_command_and_targets() -> None:
    """What is kept must be readable by the version that compares with it."""
    run = run_of("server", "single", "--seconds", "0.5", "--repeat", "1")
    assert run["schema"] == SCHEMA
    assert run["command"].startswith("wigwag bench server single --seconds 0.5")
    assert figures_of(run, "single")["delivered_p50_ms"]["must"] == 0.8
    assert msgspec.convert(run, EarlierRun).works["single"].figures


def test_table_shows_targets_and_the_file_gets_json(tmp_path: Path) -> None:
    """A person reads the table while a script keeps the file."""
    path = tmp_path / "run.json"
    done = bench("server", "single", "--quick", "--seconds", "0.5", "--json", str(path))
    assert done.returncode == 0, done.stderr
    assert "single: 1 pair" in done.stdout
    assert "stretch" in done.stdout
    assert "SEND to DELIVER p50" in done.stdout
    assert json.loads(path.read_text("utf-8"))["schema"] == SCHEMA


def test_unknown_work_item_is_refused_with_those_that_exist() -> None:
    """A typing mistake must not measure something nobody asked for."""
    done = bench("server", "pears")
    assert done.returncode == 2
    assert "pairs" in done.stderr


def test_offline_messages_are_queued_and_drained() -> None:
    """Both ways are measured, and the drain checks each message and its order."""
    run = run_of("server", "offline", "--repeat", "2", "--messages", "40")
    figures = figures_of(run, "offline")
    for name in ("queued_per_second", "drained_per_second"):
        assert len(figures[name]["samples"]) == 2
        assert figures[name]["must"] == 20_000
        assert figures[name]["median"] > 0
    assert run["works"]["offline"]["settings"]["messages"] == 40


def test_sign_ins_are_measured_full_and_resumed() -> None:
    """The generator fails when a session is not resumed, so both kinds are real."""
    run = run_of("server", "logins", "--repeat", "1", "--logins", "70")
    figures = figures_of(run, "logins")
    for kind in ("full", "resumed"):
        assert figures[f"{kind}_server_cpu_ms"]["must"] == 1.0
        assert figures[f"{kind}_per_second"]["median"] > 0


def test_idle_connections_are_measured_in_memory_and_cpu() -> None:
    """Each repeat is a fresh server, so that memory kept from before isn't counted."""
    arguments = ("--repeat", "1", "--seconds", "0.5", "--connections", "40")
    run = run_of("server", "idle", *arguments)
    figures = figures_of(run, "idle")
    assert figures["server_kib_per_connection"]["must"] == 32
    assert figures["server_cpu_percent"]["samples"]
    assert run["works"]["idle"]["settings"]["connections"] == 40


def test_storm_brings_everybody_back_after_kill_and_after_drain() -> None:
    """The generator fails when a client stays away or an honest message is lost."""
    run = run_of("server", "storm", "--repeat", "1", "--connections", "20")
    figures = figures_of(run, "storm")
    assert run["works"]["storm"]["settings"]["limits_profile"] == "default"
    for name in ("killed", "drained"):
        assert figures[f"{name}_last_back_seconds"]["must"] == 20
        assert figures[f"{name}_tries_per_client"]["median"] >= 1
        assert figures[f"{name}_honest_acks"]["median"] > 0


def test_terminated_run_leaves_no_process_behind(tmp_path: Path) -> None:
    """A server that stays would be measured against by the next run's neighbours."""
    command = [sys.executable, "-m", "wigwag", "bench", "server", "single"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([*command, "--seconds", "60"], env=environment) as run:
        started = wait_for_file(tmp_path, "wigwag-bench-*/output", "ready on")
        run.send_signal(signal.SIGTERM)
        assert run.wait(WAIT_SECONDS_MAX) == 128 + signal.SIGTERM
    assert started
    # The folder is removed behind the server's end, by the same exit.
    assert list(tmp_path.glob("wigwag-bench-*")) == []
    assert processes_naming(str(tmp_path)) == []
