"""What a process has used comes from the kernel."""

import os
import subprocess
import sys

import pytest

from wigwag.bench._machine import process_cpu_seconds, process_resident_kib


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
