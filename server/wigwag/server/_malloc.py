"""Giving memory back to the system, where the C library can be asked to.

Connections that end leave holes between those that stay: too small for the large
frames of others, so the process would grow beyond what it holds. glibc returns whole
free pages of such holes when it is told to; other C libraries have nothing to tell.
"""

import ctypes
from collections.abc import Callable


def _find_trim() -> Callable[[int], int] | None:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    trim.argtypes = (ctypes.c_size_t,)
    trim.restype = ctypes.c_int
    return trim


_TRIM = _find_trim()


def give_back() -> bool:
    """Return free pages to the system; tell whether there were any.

    Takes a millisecond for each hundred megabytes, about: for when memory is short.
    """
    return _TRIM is not None and bool(_TRIM(0))
