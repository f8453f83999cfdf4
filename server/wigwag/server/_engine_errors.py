"""What a store says, translated into what an operator is told."""

import contextlib
from collections.abc import Generator

from wigwag.server._errors import ConfigError, DamagedDataError, InUseError
from wigwag.server._errors import StorageError as ServerStorageError
from wigwag.server.ports import (
    ClockSuspectError,
    DatabaseInUseError,
    NotADatabaseError,
    SchemaTooNewError,
    StorageError,
)


@contextlib.contextmanager
def engine_errors() -> Generator[None, None, None]:
    """Raise a store's error as a `ServerError` of the same sentence."""
    try:
        yield
    except DatabaseInUseError as error:
        raise InUseError(str(error)) from error
    except (SchemaTooNewError, NotADatabaseError) as error:
        raise DamagedDataError(str(error)) from error
    except ClockSuspectError as error:
        raise ConfigError(str(error)) from error
    except StorageError as error:
        raise ServerStorageError(str(error)) from error
