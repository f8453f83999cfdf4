"""What can go wrong with a server as a whole, each with its exit code.

What goes wrong on one connection is no exception of this kind: it is told to the
peer by a code of the specification and ends, at worst, that connection.
"""

from wigwag.spec import ExitCode


class ServerError(Exception):
    """Root of the server's own errors: one sentence that an operator can act on.

    Attributes:
        sentence: What is wrong and what to do; holds no secret.
        exit_code: With which status `wigwag serve` ends for it.
    """

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ConfigError(ServerError):
    """The configuration says something that can't be done."""

    exit_code = ExitCode.CONFIGURATION


class DamagedDataError(ServerError):
    """The data folder holds what this build can't read."""

    exit_code = ExitCode.CONFIGURATION


class InUseError(ServerError):
    """Another process holds the data folder or the address."""

    exit_code = ExitCode.IN_USE


class StorageError(ServerError):
    """The disk refused: full, read-only, no permission, or failing."""

    exit_code = ExitCode.STORAGE


class AdminError(ServerError):
    """The local admin socket can't be reached or refused a request."""

    exit_code = ExitCode.UNREACHABLE
