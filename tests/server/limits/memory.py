"""Connections that each do the worst allowed thing, and what the server holds then.

    python -m tests.server.limits.memory                     # 5,000 connections
    python -m tests.server.limits.memory --connections 300   # as `make test` does

Each hoarder signs in, asks for more than it reads, and begins a frame that is hardly
smaller than a frame may be, but never ends it. All of that is allowed; together it is
far more than the budget. What is looked at: the server's resident memory against the
budget, and an honest pair that talks all the while.
"""

import argparse
import dataclasses
import resource
import ssl
import sys
import tempfile
import time
from pathlib import Path

from wigwag.bench.adversary import (
    Account,
    Harm,
    HonestPairs,
    People,
    Sources,
    Target,
    Wire,
    honest_target,
)
from wigwag.server import Memory
from wigwag.testing import ServerProcess, server_process
from wigwag.wire import DRAFT, HEADER_BYTES, MessageType, PrekeysClaim, encode_frame

KIB = 1_024
MIB = 1_048_576
CONNECTIONS = 5_000
# A hundred KiB of answers that nobody reads, below where requests aren't taken.
CLAIMS = 40
# The largest SEND is one byte longer.
HALF_FRAME_BYTES = 255 * KIB
HALF_SECONDS = 5.0
# Room for each connection's charge, and half as much again for what it wants.
BUDGET_BYTES_EACH = 120 * KIB
HOARDER_NET = 120
# What grows beside what is held for clients: code that is loaded late, SQLite's pages,
# free pieces between what is in use.
APART_BYTES = 8 * MIB
DESCRIPTORS_SPARE = 256
SHED_SECONDS_MAX = 60.0
CONFIG = """\
development = true
registration = "open"
limits_profile = "bench"

[limits]
memory_bytes_max = {budget}
memory_short_seconds = {short_seconds}
stall_seconds = 120
frame_seconds = 120
socket_buffer_bytes = 4096
connections_max = {connections}
unauthenticated_max = 4096
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        connections: Hoarders that were let in.
        turned_away: Those that were not, for want of memory.
        budget_bytes: What the operator allowed.
        wanted_bytes: What the hoarders tried to make the server hold.
        growth_bytes: By how much the server's resident memory grew at its worst.
        sent: Honest messages.
        harm: What went wrong with them.
        shed: Hoarders that were sent away in the end.
    """

    connections: int
    turned_away: int
    budget_bytes: int
    wanted_bytes: int
    growth_bytes: int
    sent: int
    harm: Harm
    shed: int

    def violations(self) -> list[str]:
        """Return what doesn't hold, in words."""
        found: list[str] = []
        if self.growth_bytes > self.budget_bytes + APART_BYTES:
            found.append("the server grew beyond its budget")
        if self.wanted_bytes <= Memory(self.budget_bytes).pause_bytes:
            found.append("the hoarders wanted too little to prove anything")
        if self.harm:
            found.append(f"the honest pair was harmed: {self.harm}")
        if not self.sent:
            found.append("the honest pair sent nothing")
        if not self.shed:
            found.append("nobody was sent away though memory was short")
        return found

    def __str__(self) -> str:
        return (
            f"{self.connections} connections wanted {self.wanted_bytes // MIB} MiB of "
            f"{self.budget_bytes // MIB}; the server grew by "
            f"{self.growth_bytes // MIB} MiB; {self.turned_away} were turned away, "
            f"{self.shed} sent away; honest: {self.sent} messages, "
            f"{self.harm.lost} lost, {self.harm.doubled} doubled"
        )


class Hoarder:
    """One device that takes what it is allowed to, and a little less than all."""

    def __init__(self, target: Target, victim: bytes) -> None:
        self.account = Account()
        self.wire = Wire.open(target)
        self.wire.shake_hands()
        self.wire.register(self.account)
        claim = PrekeysClaim(user=victim)
        requests = b"".join(
            encode_frame(claim, DRAFT, self.wire.next_corr()) for _ in range(CLAIMS)
        )
        header = (
            (HALF_FRAME_BYTES + 1).to_bytes(4)
            + MessageType.SEND.to_bytes(2)
            + bytes(2)
            + self.wire.next_corr().to_bytes(4)
        )
        assert len(header) == HEADER_BYTES
        self._unsent = memoryview(requests + header + bytes(HALF_FRAME_BYTES))
        self.wire.stream.setblocking(False)

    def push(self) -> bool:
        """Send what the server takes; tell whether that was something."""
        stream = self.wire.stream
        began = len(self._unsent)
        try:
            while self._unsent:
                self._unsent = self._unsent[stream.send(self._unsent[:16_384]) :]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return len(self._unsent) < began
        except OSError:
            self._unsent = memoryview(b"")
        return len(self._unsent) < began

    @property
    def is_gone(self) -> bool:
        """Whether the server has ended this connection."""
        try:
            while data := self.wire.stream.recv(65_536):
                if len(data) == 0:
                    return True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            return True
        return True


def memory_of(pid: int, what: str) -> int:
    """Return a figure of a process's memory, in bytes (VmRSS, VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == what:
            return int(rest.split()[0]) * KIB
    raise ValueError(f"there is no {what}")


def run(connections: int, folder: Path) -> Outcome:
    """Have so many hoarders at a server of their own."""
    _allow_descriptors(connections)
    budget = connections * BUDGET_BYTES_EACH
    config = folder / "server.toml"
    config.write_text(
        CONFIG.format(
            budget=budget, connections=connections + 64, short_seconds=HALF_SECONDS
        ),
        "utf-8",
    )
    with server_process(folder, options=("--config", str(config))) as server:
        return _attack(server, connections, budget)


def _allow_descriptors(connections: int) -> None:
    """Let this process have a socket for each."""
    wanted = connections + DESCRIPTORS_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise SystemExit(f"{wanted} descriptors are needed, {hard} allowed: ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _attack(server: ServerProcess, connections: int, budget: int) -> Outcome:
    honest = HonestPairs(honest_target("127.0.0.1", server.port), 1)
    honest.run(1.0)
    before = memory_of(server.pid, "VmRSS")
    target = Target("127.0.0.1", server.port, Sources(HOARDER_NET), People(()))
    victim = honest.accounts[0].user
    hoarders: list[Hoarder] = []
    turned_away = 0
    try:
        for _ in range(connections):
            try:
                hoarders.append(Hoarder(target, victim))
            except OSError:
                turned_away += 1
            honest.run(0.0)
        until = time.monotonic() + HALF_SECONDS / 2
        while time.monotonic() < until:
            for hoarder in hoarders:
                hoarder.push()
            honest.run(0.05)
        shed = _wait_for_shedding(hoarders, honest)
        honest.settle()
        return Outcome(
            connections=len(hoarders),
            turned_away=turned_away,
            budget_bytes=budget,
            wanted_bytes=len(hoarders) * (HALF_FRAME_BYTES + 48 * KIB),
            growth_bytes=memory_of(server.pid, "VmHWM") - before,
            sent=honest.sent,
            harm=honest.harm,
            shed=shed,
        )
    finally:
        honest.close()
        for hoarder in hoarders:
            hoarder.wire.stream.close()


def _wait_for_shedding(hoarders: list[Hoarder], honest: HonestPairs) -> int:
    """Talk on until some are sent away, and for a moment after; return how many."""
    until = time.monotonic() + SHED_SECONDS_MAX
    while time.monotonic() < until:
        honest.run(1.0)
        if any(hoarder.is_gone for hoarder in hoarders):
            break
    honest.run(2.0)
    return sum(hoarder.is_gone for hoarder in hoarders)


def main() -> int:
    """Run it, print one line of figures; 1 when something doesn't hold."""
    parser = argparse.ArgumentParser(description="Memory under the worst allowed use.")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    connections = parser.parse_args().connections
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(connections, Path(folder))
    print(outcome)
    for violation in outcome.violations():
        print(f"violated: {violation}", file=sys.stderr)
    return bool(outcome.violations())


if __name__ == "__main__":
    raise SystemExit(main())
