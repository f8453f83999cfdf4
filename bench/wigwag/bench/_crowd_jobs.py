"""Registering thousands of devices once, for the work items that need a crowd."""

from dataclasses import dataclass

from wigwag.bench._account import Account
from wigwag.bench._link import Door
from wigwag.bench._loop import Loop
from wigwag.bench._people import People
from wigwag.bench._server_process import BenchServer
from wigwag.bench._worker import Port, Say, load_processes

CONNECTIONS = 5_000
# Registering fills both cores already; two load processes halve the generator's part.
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class CrowdJob:
    """How many accounts to register, and whether one can write to them."""

    host: str
    port: int
    count: int
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """The accounts that exist now."""

    accounts: tuple[Account, ...]


def register_crowd(
    server: BenchServer, count: int, say: Say, *, is_reachable: bool = False
) -> list[Account]:
    """Registers accounts on a running server, by REGISTER as any client does.

    Raises:
        BenchError: The server refused or stalled.
    """
    half = count // PROCESSES
    jobs = [
        CrowdJob(server.host, server.port, part, is_reachable)
        for part in (count - half, half)
        if part
    ]
    accounts: list[Account] = []
    with load_processes(generate_crowd, jobs) as processes:
        for process in processes:
            accounts.extend(process.take(Registered, say).accounts)
    return accounts


def generate_crowd(port: Port, job: CrowdJob) -> None:
    """Runs in the load process."""
    people = People(Loop(), Door(job.host, job.port), port.progress)
    crowd = people.register(job.count, is_reachable=job.is_reachable)
    crowd.close()
    port.say(Registered(tuple(crowd.accounts)))
