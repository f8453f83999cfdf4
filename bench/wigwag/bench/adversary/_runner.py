"""Runs attacks one after the other, each between two stretches of peace."""

import dataclasses
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from statistics import mean

from wigwag.bench._machine import machine_line
from wigwag.bench._server_process import BenchServer, server_folder
from wigwag.bench.adversary._attack import Attack, Tally
from wigwag.bench.adversary._attacker import Attacker, attacker_process
from wigwag.bench.adversary._honest import Block, Harm, HonestPairs
from wigwag.bench.adversary._report import RATIO_MAX, Felt, Report, Result
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
# An attack that looks bad is looked at so often; all of it counts.
ROUNDS_MAX = 4
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


@dataclasses.dataclass(frozen=True, slots=True)
class _Round:
    """An attack between two stretches of peace."""

    before: _Stretch
    under: _Stretch
    after: _Stretch
    tally: Tally
    attacker_cores: float


@dataclasses.dataclass(frozen=True, slots=True)
class _Scene:
    """Who is there, and how long a stretch is."""

    honest: HonestPairs
    server: BenchServer
    attacker: Attacker
    seconds: float


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
        shlex.join(["wigwag", *sys.argv[1:]]),
        machine_line(),
        os.getloadavg()[0],
        LIMITS,
        pairs,
        seconds,
    )
    with server_folder() as server, attacker_process() as attacker:
        server.start("default", is_trusting=False, limits=DEADLINES)
        say("registering")
        honest = HonestPairs(honest_target(server.host, server.port), pairs)
        attacker.begin(server.host, server.port, honest.accounts)
        honest.run(WARM_UP_SECONDS)
        scene = _Scene(honest, server, attacker, seconds)
        peace = _stretch(scene, seconds)
        for number, attack in enumerate(attacks, start=1):
            say(f"{number} of {len(attacks)}: {attack.id} {attack.title}")
            result, peace = _attacked(attack, scene, peace)
            report.results.append(result)
            if honest.harm.ended:
                break  # there is nobody left to measure with
        honest.close()
        server.stop()
    return report


def _attacked(
    attack: Attack, scene: _Scene, peace: _Stretch
) -> tuple[Result, _Stretch]:
    """Attack until it is clear what it does; return that, and the peace after it."""
    before = dataclasses.replace(scene.honest.harm, reasons=[])
    reasons_before = len(scene.honest.harm.reasons)
    rounds = [_one_round(attack, scene, peace)]
    # One stretch that somebody else's burst fell into proves nothing: all count.
    while len(rounds) < ROUNDS_MAX and _looks_bad(rounds):
        rounds.append(_one_round(attack, scene, rounds[-1].after))
    tally = Tally()
    for one in rounds:
        tally.add(one.tally)
    now = scene.honest.harm
    harm = Harm(
        now.lost - before.lost,
        now.doubled - before.doubled,
        now.reordered - before.reordered,
        now.refused - before.refused,
        now.ended - before.ended,
        now.reasons[reasons_before:],
    )
    result = Result(
        attack=attack.id,
        title=attack.title,
        expected=str(attack.expected),
        rounds=len(rounds),
        runs=tally.runs,
        as_expected=tally.as_expected,
        turned_away=tally.turned_away,
        unexpected=tally.unexpected,
        actions=tally.actions,
        surprises=tuple(tally.surprises),
        without=_felt_without(rounds),
        under=_felt_under(rounds),
        harm=harm,
        resident_kib=max(one.under.resident_kib for one in rounds),
        server_cpu=mean(one.under.cores for one in rounds),
        server_cpu_without=mean(
            [rounds[0].before.cores, *(one.after.cores for one in rounds)]
        ),
        attacker_cpu=mean(one.attacker_cores for one in rounds),
    )
    return result, rounds[-1].after


def _one_round(attack: Attack, scene: _Scene, before: _Stretch) -> _Round:
    """Attack for one stretch, then leave the pairs in peace for one."""
    length = max(scene.seconds, attack.seconds_min + MARGIN_SECONDS)
    scene.attacker.start(attack, length)
    under = _stretch(scene, length)
    done = scene.attacker.wait()
    scene.honest.settle()
    after = _stretch(scene, scene.seconds)
    scene.honest.settle()
    assert done.tally is not None
    return _Round(before, under, after, done.tally, done.cpu_seconds / done.seconds)


def _looks_bad(rounds: Sequence[_Round]) -> bool:
    without, under = _felt_without(rounds), _felt_under(rounds)
    return (
        under.ack_p99_ms > RATIO_MAX * without.ack_p99_ms
        or under.delivery_p99_ms > RATIO_MAX * without.delivery_p99_ms
    )


def _felt_without(rounds: Sequence[_Round]) -> Felt:
    return Felt.of([rounds[0].before.block, *(one.after.block for one in rounds)])


def _felt_under(rounds: Sequence[_Round]) -> Felt:
    return Felt.of([one.under.block for one in rounds])


def _stretch(scene: _Scene, seconds: float) -> _Stretch:
    """Let the pairs talk for a while, and look at the server meanwhile."""
    server = scene.server
    cpu = server.cpu_seconds()
    largest = server.resident_kib()
    looked_at = 0.0

    def look(now: float) -> None:
        nonlocal largest, looked_at
        if now - looked_at >= LOOK_SECONDS:
            looked_at = now
            largest = max(largest, server.resident_kib())

    block = scene.honest.run(seconds, look)
    return _Stretch(block, seconds, server.cpu_seconds() - cpu, largest)
