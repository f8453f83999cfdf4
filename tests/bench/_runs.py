"""Runs `wigwag bench` as a person does: in a process of its own."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

WAIT_SECONDS_MAX = 120
POLL_SECONDS = 0.05

Json = dict[str, Any]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `wigwag bench` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "wigwag", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )


def run_of(*arguments: str) -> Json:
    """Returns what `wigwag bench … --json -` printed; the run must have succeeded."""
    done = bench(*arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return cast("Json", json.loads(done.stdout))


def figures_of(run: Json, work: str) -> dict[str, Json]:
    """Returns the figures of a work item."""
    return cast("dict[str, Json]", run["works"][work]["figures"])


def wait_for_file(folder: Path, pattern: str, text: str) -> bool:
    """Waits until a file of that pattern holds a text; tells whether it came."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        if any(text in path.read_text("utf-8") for path in folder.glob(pattern)):
            return True
        time.sleep(POLL_SECONDS)
    return False


def processes_naming(text: str) -> list[str]:
    """Returns the command lines of running processes that name a text."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if text in line:
            found.append(line)
    return found
