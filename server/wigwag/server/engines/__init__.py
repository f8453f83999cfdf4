"""Engines: what implements the ports on real storage.

with ThreadExecutor() as executor:
async with open_engine(folder / "wigwag.db", clock=SystemClock(),
executor=executor, listener=listener) as engine:
engine.append(Status(), print)
await trio.sleep_forever()
"""

from wigwag.server.engines._adapters import STEP_MS_MAX as STEP_MS_MAX
from wigwag.server.engines._adapters import SystemClock as SystemClock
from wigwag.server.engines._adapters import SystemEntropy as SystemEntropy
from wigwag.server.engines._adapters import ThreadExecutor as ThreadExecutor
from wigwag.server.engines._checked import checked_vfs as checked_vfs
from wigwag.server.engines._crash import CRASH_POINTS as CRASH_POINTS
from wigwag.server.engines._database import OpenDatabase as OpenDatabase
from wigwag.server.engines._database import open_database as open_database
from wigwag.server.engines._database import prepare as prepare
from wigwag.server.engines._embedded import EmbeddedEngine as EmbeddedEngine
from wigwag.server.engines._embedded import open_engine as open_engine
from wigwag.server.engines._examine import DatabaseFacts as DatabaseFacts
from wigwag.server.engines._examine import examine_database as examine_database
from wigwag.server.engines._examine import mark_restored as mark_restored
from wigwag.server.engines._examine import newest_epoch as newest_epoch
from wigwag.server.engines._inspect import Inspection as Inspection
from wigwag.server.engines._inspect import inspect_database as inspect_database
from wigwag.server.engines._mark import forget_mark as forget_mark
from wigwag.server.engines._mark import mark_path as mark_path
from wigwag.server.engines._reserve import RESERVE_BYTES as RESERVE_BYTES
from wigwag.server.engines._schema import SCHEMA_VERSION as SCHEMA_VERSION
from wigwag.server.engines._store import CLOCK_AHEAD_MS_MAX as CLOCK_AHEAD_MS_MAX
from wigwag.server.engines._store import CLOCK_BEHIND_MS_MAX as CLOCK_BEHIND_MS_MAX

__all__ = [
    "CLOCK_AHEAD_MS_MAX",
    "CLOCK_BEHIND_MS_MAX",
    "CRASH_POINTS",
    "RESERVE_BYTES",
    "SCHEMA_VERSION",
    "STEP_MS_MAX",
    "DatabaseFacts",
    "EmbeddedEngine",
    "Inspection",
    "OpenDatabase",
    "SystemClock",
    "SystemEntropy",
    "ThreadExecutor",
    "checked_vfs",
    "examine_database",
    "forget_mark",
    "inspect_database",
    "mark_path",
    "mark_restored",
    "newest_epoch",
    "open_database",
    "open_engine",
    "prepare",
]
