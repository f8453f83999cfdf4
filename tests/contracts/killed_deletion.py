"""A process for `test_engine_deletion.py`: deletes Bob's account till `CRASH_AT`."""

import sys
from pathlib import Path

import trio
from tests.contracts.harness import Ears, SetClock, ask
from tests.server.core.world import BOB, register

from wigwag.server.core import AccountDelete, EngineLimits
from wigwag.server.engines import ThreadExecutor, open_engine


async def main(path: Path) -> None:
    """Open the engine and delete the account: one group, one commit."""
    with ThreadExecutor() as executor:
        async with open_engine(
            path,
            clock=SetClock(),
            executor=executor,
            listener=Ears(),
            limits=EngineLimits(),
            reserve_bytes=0,
        ) as engine:
            key = register(BOB + b"\x01").account_key
            await ask(engine, AccountDelete(BOB, key))
            await trio.sleep_forever()


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
