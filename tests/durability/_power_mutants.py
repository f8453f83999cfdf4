"""Planted bugs that a power cut must find; each is what an honest hand might write."""

import inspect
import sys
import textwrap
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw
from tests.durability._power import OpenFile, run_chain
from tests.durability._power_client import run_client_chain
from tests.durability._power_disk import installed
from tests.durability._tally import Tally

from wigwag.client import _store
from wigwag.server.engines import EmbeddedEngine, open_database
from wigwag.server.engines import _store as server_store
from wigwag.server.engines._sql import typed
from wigwag.server.engines._store import Store

CHAINS_MAX = 20
"""Some 240 cuts: each of these bugs takes a handful."""


@contextmanager
def synchronous_normal() -> Generator[dict[str, OpenFile], None, None]:
    """Faster, and as good as FULL under kill -9: commits don't wait for the disk."""

    def open_fast(path: Path, **options: Any) -> apsw.Connection:  # noqa: ANN401
        connection = open_database(path, **options)
        typed(connection).execute("PRAGMA synchronous = NORMAL")
        return connection

    yield {"open_file": open_fast}


@contextmanager
def answer_before_commit() -> Generator[dict[str, OpenFile], None, None]:
    """Answer while the commit runs: it never fails on a developer's machine."""
    with _changed(
        EmbeddedEngine,
        "_commit",
        "    self._answer()\n    try:",
        "    self._answer()\n    self._unanswered = group\n"
        "    self._answer()\n    try:",
    ):
        yield {}


@contextmanager
def no_folder_fsync() -> Generator[dict[str, OpenFile], None, None]:
    """The file is fsynced, its name isn't."""

    def open_nameless(path: Path, **_: Any) -> apsw.Connection:  # noqa: ANN401
        return open_database(path, fsync_folder=lambda _: None)

    yield {"open_file": open_nameless}


@contextmanager
def mark_before_commit() -> Generator[dict[str, OpenFile], None, None]:
    """The mark claims what isn't durable yet: an honest start would be refused."""
    with _changed(
        Store,
        "_write_txn",
        '    crash_point("store.before_commit")\n',
        "    self._mark.write(position(self._epoch, ordinal))\n",
    ):
        yield {}


@contextmanager
def stamp_told_too_early() -> Generator[dict[str, OpenFile], None, None]:
    """The log names a stamp that isn't durable: an honest start would be refused."""
    with _changed(
        server_store,
        "stamp",
        "        forget_stamp(database)\n",
        '        database.execute("UPDATE log SET settled = ?", (number,))\n',
    ):
        yield {}


@contextmanager
def client_synchronous_normal() -> Generator[dict[str, OpenFile], None, None]:
    """The same in the client, where a lost commit uses a message key twice."""
    with _changed(_store, "_configure", '"FULL"', '"NORMAL"'):
        yield {}


CLIENT_MUTANTS: dict[str, Callable[[], Any]] = {
    "client_synchronous_normal": client_synchronous_normal
}

MUTANTS: dict[str, Callable[[], Any]] = {
    one.__name__: one
    for one in (
        synchronous_normal,
        answer_before_commit,
        no_folder_fsync,
        mark_before_commit,
        stamp_told_too_early,
    )
}


@contextmanager
def _changed(
    owner: Any,  # noqa: ANN401 - a class or a module
    name: str,
    old: str,
    new: str,
) -> Generator[None, None, None]:
    """Replace some lines of a method by others while the block lasts."""
    method = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(method))
    assert source.count(old) == 1, f"{name} has changed: adapt the planted bug"
    space = dict(method.__globals__)
    exec(source.replace(old, new), space)  # noqa: S102 - our own source
    with patch.object(owner, name, space[name]):
        yield


def main(name: str) -> int:
    """Run chains with a planted bug; 1: it was caught."""
    disk = installed()
    tally = Tally()
    is_client = name in CLIENT_MUTANTS
    with (CLIENT_MUTANTS if is_client else MUTANTS)[name]() as options:
        for seed in range(CHAINS_MAX):
            if is_client:
                run_client_chain(seed, disk, tally)
            else:
                run_chain(seed, disk, tally, **options)
            if tally.violations:
                cuts = tally.counts["cuts"] + tally.counts["client cuts"]
                print(f"{name}: caught after {cuts} cuts: {tally.violations[0].what}")
                return 1
    print(f"{name}: not caught in {CHAINS_MAX} chains")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
