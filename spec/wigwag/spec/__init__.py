"""The protocol as data, and everything that reads it: checker, generators, reference.

Every command of the product takes its exit status from here:

    raise SystemExit(ExitCode.IN_USE)
"""

from wigwag.spec._exit_codes import ExitCode as ExitCode

__all__ = ["ExitCode"]
