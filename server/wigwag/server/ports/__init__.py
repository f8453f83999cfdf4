"""What the server needs from the outside, as Protocols with their contract.

Handlers are written against these, engines implement them, and the simulation
brings its own:

    async with open_engine(path, clock=clock, executor=executor,
                           listener=listener) as engine:
        engine.append(Status(), print)

Whatever replaces one of them must pass the contract tests.
"""

from wigwag.server.ports._adapters import Entropy as Entropy
from wigwag.server.ports._adapters import Executor as Executor
from wigwag.server.ports._adapters import Job as Job
from wigwag.server.ports._adapters import WallClock as WallClock
from wigwag.server.ports._engine import CopySource as CopySource
from wigwag.server.ports._engine import Engine as Engine
from wigwag.server.ports._engine import Listener as Listener
from wigwag.server.ports._engine import Watcher as Watcher
from wigwag.server.ports._errors import ClockSuspectError as ClockSuspectError
from wigwag.server.ports._errors import CommitUncertainError as CommitUncertainError
from wigwag.server.ports._errors import CopyFailedError as CopyFailedError
from wigwag.server.ports._errors import DatabaseDamagedError as DatabaseDamagedError
from wigwag.server.ports._errors import DatabaseInUseError as DatabaseInUseError
from wigwag.server.ports._errors import EngineClosedError as EngineClosedError
from wigwag.server.ports._errors import LogLostError as LogLostError
from wigwag.server.ports._errors import MixedCopyError as MixedCopyError
from wigwag.server.ports._errors import NotADatabaseError as NotADatabaseError
from wigwag.server.ports._errors import OpenFailedError as OpenFailedError
from wigwag.server.ports._errors import ReadFailedError as ReadFailedError
from wigwag.server.ports._errors import SchemaTooNewError as SchemaTooNewError
from wigwag.server.ports._errors import StorageError as StorageError

__all__ = [
    "ClockSuspectError",
    "CommitUncertainError",
    "CopyFailedError",
    "CopySource",
    "DatabaseDamagedError",
    "DatabaseInUseError",
    "Engine",
    "EngineClosedError",
    "Entropy",
    "Executor",
    "Job",
    "Listener",
    "LogLostError",
    "MixedCopyError",
    "NotADatabaseError",
    "OpenFailedError",
    "ReadFailedError",
    "SchemaTooNewError",
    "StorageError",
    "WallClock",
    "Watcher",
]
