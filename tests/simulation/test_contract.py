"""One contract for the real adapters and the simulated ones (RELIABILITY.md §7).

What the simulation shows of the product holds only if its ports keep the promises that
the real ones keep.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
import trio.testing
from tests.simulation._client_ports import ADDRESS, SimulatedNet
from tests.simulation._disk import ClientExecutor as SimulatedClientExecutor
from tests.simulation._disk import Disk, ServerExecutor
from tests.simulation._network import Network
from tests.simulation._world import Process, World, run_world

from wigwag.client import DialFailed
from wigwag.client._executor import ThreadExecutor as ClientThreadExecutor
from wigwag.client._net import TLSNet
from wigwag.client._ports import Address, Net, Trust
from wigwag.client._ports import Executor as ClientExecutor
from wigwag.server.engines import ThreadExecutor
from wigwag.server.ports import Executor

Contract = Callable[[Executor], Awaitable[None]]
ClientContract = Callable[[ClientExecutor], Awaitable[None]]


def run_real(contract: Contract, folder: Path) -> None:
    """Hold the thread to a contract."""
    del folder

    async def main() -> None:
        with ThreadExecutor() as executor:
            await contract(executor)

    trio.run(main)


def run_simulated(contract: Contract, folder: Path) -> None:
    """Hold the simulated executor to a contract."""

    async def main(world: World) -> None:
        process = Process(world, "s")
        await contract(ServerExecutor(process, Disk(world.random("disk"))))

    run_world(World(1, folder), main, seconds_max=3600)


SERVERS = pytest.mark.parametrize("run", [run_real, run_simulated])


@SERVERS
def test_server_work_runs_in_the_order_of_start(
    run: Callable[[Contract, Path], None], tmp_path: Path
) -> None:
    """Also when the last result is waited for first."""
    order: list[int] = []

    async def contract(executor: Executor) -> None:
        jobs = [executor.start(lambda n=n: order.append(n)) for n in range(6)]  # type: ignore[misc]  # bound now
        await jobs[5].result()
        assert order == list(range(6))
        await executor.run(lambda: order.append(6))

    run(contract, tmp_path)
    assert order == list(range(7))


@SERVERS
def test_server_work_gives_back_what_it_returns_or_raises(
    run: Callable[[Contract, Path], None], tmp_path: Path
) -> None:
    """To whoever waits, as often as he asks; the next piece runs all the same."""

    def fail() -> None:
        raise OSError("the disk")

    async def contract(executor: Executor) -> None:
        bad = executor.start(fail)
        good = executor.start(lambda: 7)
        assert await good.result() == 7
        assert await good.result() == 7
        for _ in range(2):
            with pytest.raises(OSError, match="the disk"):
                await bad.result()

    run(contract, tmp_path)


def run_client_real(contract: ClientContract, folder: Path) -> None:
    """Hold the client's thread to a contract."""
    del folder
    trio.run(contract, ClientThreadExecutor())


def run_client_simulated(contract: ClientContract, folder: Path) -> None:
    """Hold the simulated client executor to a contract."""

    async def main(world: World) -> None:
        process = Process(world, "c")
        await contract(SimulatedClientExecutor(process, Disk(world.random("disk"))))

    run_world(World(1, folder), main, seconds_max=3600)


CLIENTS = pytest.mark.parametrize("run", [run_client_real, run_client_simulated])


@CLIENTS
@pytest.mark.parametrize("failing", ["", "work", "commit"])
def test_client_work_is_committed_or_rolled_back(
    run: Callable[[ClientContract, Path], None], failing: str, tmp_path: Path
) -> None:
    """One after the other; never neither, never both."""
    done: list[str] = []

    def step(name: str) -> Callable[[], None]:
        def call() -> None:
            done.append(name)
            if name == failing:
                raise OSError(name)

        return call

    async def contract(executor: ClientExecutor) -> None:
        steps = step("work"), step("commit"), step("rollback")
        if failing:
            with pytest.raises(OSError, match=failing):
                await executor.run(*steps)
        else:
            await executor.run(*steps)
        assert await executor.run(lambda: 7, _nothing, _nothing) == 7

    run(contract, tmp_path)
    wanted = {
        "": ["work", "commit"],
        "work": ["work", "rollback"],
        "commit": ["work", "commit", "rollback"],
    }
    assert done == wanted[failing]


@CLIENTS
def test_client_work_is_whole_whoever_is_cancelled(
    run: Callable[[ClientContract, Path], None], tmp_path: Path
) -> None:
    """A caller that goes away leaves a transaction that happened, or none."""
    done: list[str] = []

    async def contract(executor: ClientExecutor) -> None:
        with trio.CancelScope() as scope:

            def work() -> None:
                done.append("work")

            def commit() -> None:
                done.append("commit")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(executor.run, work, commit, _nothing)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        await executor.run(_nothing, _nothing, _nothing)
        assert done in ([], ["work", "commit"])

    run(contract, tmp_path)


async def _check_that_nobody_is_there(net: Net, address: Address) -> None:
    with pytest.raises(DialFailed):
        await net.dial(address, Trust(bytes(32)))


def test_nobody_there_is_one_error_for_both_networks(
    tmp_path: Path, free_tcp_port: int
) -> None:
    """The connector backs off for this one."""
    trio.run(_check_that_nobody_is_there, TLSNet(), Address("127.0.0.1", free_tcp_port))

    async def main(world: World) -> None:
        network = Network(world.random)
        net = SimulatedNet(world, network, Process(world, "c"))
        await _check_that_nobody_is_there(net, ADDRESS)

    run_world(World(1, tmp_path), main, seconds_max=3600)


def _nothing() -> None:
    """Do nothing."""
