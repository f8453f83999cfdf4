"""How long a function takes: many calls a sample, medians of several samples."""

import gc
import time
from collections.abc import Callable

SAMPLE_SECONDS = 0.05
CALLS_MAX = 10_000_000


def nanoseconds_per_call(call: Callable[[], object], samples: int) -> tuple[float, ...]:
    """Times a function, as timeit does: in a loop, without garbage collection.

    Args:
        call: The function.
        samples: How many figures to return.
    """
    count = _calibrate(call)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return tuple(_time(call, count) / count * 1e9 for _ in range(samples))
    finally:
        if was_enabled:
            gc.enable()


def _calibrate(call: Callable[[], object]) -> int:
    """Finds how many calls a sample needs; they warm the caches up as well."""
    count = 1
    while count < CALLS_MAX and (seconds := _time(call, count)) < SAMPLE_SECONDS:
        count = max(count * 2, int(count * SAMPLE_SECONDS / max(seconds, 1e-9)))
    return min(count, CALLS_MAX)


def _time(call: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - start
