"""What a figure was measured on, and what a process has used of it."""

import os
import platform
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def machine_line() -> str:
    """Describes processor, cores, kernel and interpreter in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"CPython {platform.python_version()}"
    )


def process_cpu_seconds(pid: int) -> float:
    """Returns user + system time of a process with all its threads, in seconds.

    Raises:
        ProcessLookupError: There is no such process.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    # The command name is in parentheses and may itself hold spaces.
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def process_resident_kib(pid: int) -> int:
    """Returns the resident memory of a process in KiB.

    Raises:
        ProcessLookupError: There is no such process.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text("utf-8")
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
