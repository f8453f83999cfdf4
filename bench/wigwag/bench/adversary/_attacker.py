"""The attacker: a process of its own, so that its work isn't the honest pairs' wait.

The runner starts it with `python -m wigwag.bench.adversary` and writes one JSON line
for each thing to do; it answers each with one line.
"""

import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import IO

import msgspec

from wigwag.bench._errors import BenchError
from wigwag.bench.adversary._attack import Attack, Tally, Target
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._setup import ATTACKER_NET, aim
from wigwag.bench.adversary._sources import HERD, Sources

# Accounts of the attacker's own: one for each worker of a slow row.
ACCOUNTS = 8
STOP_SECONDS_MAX = 10.0


class Honest(msgspec.Struct, frozen=True):
    """An honest device, as a stranger may know it."""

    user: bytes
    registration_id: int


class Begin(msgspec.Struct, frozen=True, tag=True):
    """Get ready: register accounts."""

    host: str
    port: int
    honest: tuple[Honest, ...]


class Do(msgspec.Struct, frozen=True, tag=True):
    """Attack for so many seconds."""

    attack: str
    seconds: float


class Done(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        tally: The counts.
        cpu_seconds: What it cost the attacker.
        seconds: How long it took.
        error: What went wrong with the attacker itself; "": nothing.
    """

    tally: Tally | None = None
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    error: str = ""


_ORDER: msgspec.json.Decoder[Begin | Do] = msgspec.json.Decoder(Begin | Do)


class Attacker:
    """The runner's end of the attacker's process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def begin(self, host: str, port: int, honest: Sequence[Account]) -> None:
        """Have it register its accounts."""
        known = tuple(Honest(one.user, one.registration_id) for one in honest)
        self._write(Begin(host, port, known))
        self.wait()

    def start(self, attack: Attack, seconds: float) -> None:
        """Let it attack; `wait` must follow."""
        self._write(Do(attack.id, seconds))

    def wait(self) -> Done:
        """Wait until it has done what it was told.

        Raises:
            BenchError: It failed or ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("the attacker's process ended")
        done = msgspec.json.decode(line, type=Done)
        if done.error:
            raise BenchError(f"the attacker failed: {done.error}")
        return done

    def _write(self, order: Begin | Do) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()


@contextmanager
def attacker_process() -> Generator[Attacker]:
    """Start the attacker; end it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wigwag.bench.adversary"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Attacker(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS_MAX)
        process.stdout.close()


def serve(orders: IO[bytes], answers: IO[bytes], attacks: Sequence[Attack]) -> None:
    """Do what is told, line by line, until the end of input."""
    known = {attack.id: attack for attack in attacks}
    target: Target | None = None
    for line in orders:
        order: Begin | Do = _ORDER.decode(line)
        try:
            match order:
                case Begin():
                    target = _begin(order)
                    done = Done()
                case Do():
                    assert target is not None, "Begin comes first"
                    done = _do(known[order.attack], target, order.seconds)
        except Exception as error:  # the runner says it and stops
            done = Done(error=f"{type(error).__name__}: {error}")
        answers.write(msgspec.json.encode(done) + b"\n")
        answers.flush()


def _begin(order: Begin) -> Target:
    target = aim(
        order.host, order.port, accounts=ACCOUNTS, sources=Sources(ATTACKER_NET, HERD)
    )
    honest = tuple(
        Account(user=one.user, registration_id=one.registration_id)
        for one in order.honest
    )
    return Target(target.host, target.port, target.sources, target.people, honest)


def _do(attack: Attack, target: Target, seconds: float) -> Done:
    began, used = time.monotonic(), time.process_time()
    tally = attack.go_on(target, seconds)
    return Done(tally, time.process_time() - used, time.monotonic() - began)
