"""Runs attacks one after the other, each between two stretches of peace."""

import dataclasses
import shlex
import sys
from collections.abc import Callable, Sequence

from wigwag.bench._machine import machine_line
from wigwag.bench._server_process import BenchServer, server_folder
from wigwag.bench.adversary._attack import Attack
from wigwag.bench.adversary._attacker import Attacker, attacker_process
from wigwag.bench.adversary._honest import Block, Harm, HonestPairs
from wigwag.bench.adversary._report import Felt, Report, Result
from wigwag.bench.adversary._setup import honest_target

# The default deadlines take minutes to pass; what happens then is the same.
DEADLINES = {
    "tls_handshake_seconds": 3,
    "auth_seconds": 4,
    "frame_seconds": 2,
    "idle_seconds": 5,
    "pong_seconds": 1,
}
LIMITS = (
    "profile default; deadlines TLS 3 s, sign-in 4 s, frame 2 s, idle 5 s, PONG 1 s"
)
# Added to what an attack needs to show, for its first run to end within the stretch.
MARGIN_SECONDS = 1.0
# How often the server's memory is looked at.
LOOK_SECONDS = 0.1
# Caches, the allocator and the first checkpoints settle.
WARM_UP_SECONDS = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of time: what the pairs felt and what the server used."""

    block: Block
    seconds: float
    cpu_seconds: float
    resident_kib: int

    @property
    def cores(self) -> float:
        return self.cpu_seconds / self.seconds


def run_attacks(
    attacks: Sequence[Attack],
    *,
    seconds: float,
    pairs: int,
    say: Callable[[str], None],
) -> Report:
    """Attack a server of its own; return what was seen.

    Args:
        attacks: What to do, in this order.
        seconds: Length of each stretch of time.
        pairs: Honest pairs.
        say: Is told where we are.

    Raises:
        BenchError: The server or the attacker didn't start, or ended.
    """
    report = Report(
        shlex.join(["wigwag", *sys.argv[1:]]), machine_line(), LIMITS, pairs, seconds
    )
    with server_folder() as server, attacker_process() as attacker:
        server.start("default", is_trusting=False, limits=DEADLINES)
        say("registering")
        honest = HonestPairs(honest_target(server.host, server.port), pairs)
        attacker.begin(server.host, server.port, honest.accounts)
        honest.run(WARM_UP_SECONDS)
        before = _stretch(honest, server, seconds)
        for number, attack in enumerate(attacks, start=1):
            say(f"{number} of {len(attacks)}: {attack.id} {attack.title}")
            length = max(seconds, attack.seconds_min + MARGIN_SECONDS)
            result, before = _attacked(
                attack, honest, server, attacker, before, seconds, length
            )
            report.results.append(result)
            if honest.harm.ended:
                break  # there is nobody left to measure with
        honest.close()
        server.stop()
    return report


def _attacked(
    attack: Attack,
    honest: HonestPairs,
    server: BenchServer,
    attacker: Attacker,
    before: _Stretch,
    seconds: float,
    length: float,
) -> tuple[Result, _Stretch]:
    """Attack for one stretch; return what came of it, and the peace after it."""
    harm = dataclasses.replace(honest.harm, reasons=list(honest.harm.reasons))
    attacker.start(attack, length)
    under = _stretch(honest, server, length)
    done = attacker.wait()
    honest.settle()
    after = _stretch(honest, server, seconds)
    honest.settle()
    tally = done.tally
    assert tally is not None
    result = Result(
        attack=attack.id,
        title=attack.title,
        expected=str(attack.expected),
        runs=tally.runs,
        as_expected=tally.as_expected,
        turned_away=tally.turned_away,
        unexpected=tally.unexpected,
        actions=tally.actions,
        surprises=tuple(tally.surprises),
        without=Felt.of((before.block, after.block)),
        under=Felt.of((under.block,)),
        harm=_since(harm, honest.harm),
        resident_kib=under.resident_kib,
        server_cpu=under.cores,
        server_cpu_without=(before.cores + after.cores) / 2,
        attacker_cpu=done.cpu_seconds / done.seconds,
    )
    return result, after


def _stretch(honest: HonestPairs, server: BenchServer, seconds: float) -> _Stretch:
    """Let the pairs talk for a while, and look at the server meanwhile."""
    cpu = server.cpu_seconds()
    largest = server.resident_kib()
    looked_at = 0.0

    def look(now: float) -> None:
        nonlocal largest, looked_at
        if now - looked_at >= LOOK_SECONDS:
            looked_at = now
            largest = max(largest, server.resident_kib())

    block = honest.run(seconds, look)
    return _Stretch(block, seconds, server.cpu_seconds() - cpu, largest)


def _since(before: Harm, now: Harm) -> Harm:
    """Return what was added to the account of harm."""
    return Harm(
        now.lost - before.lost,
        now.doubled - before.doubled,
        now.reordered - before.reordered,
        now.refused - before.refused,
        now.ended - before.ended,
        now.reasons[len(before.reasons) :],
    )
