"""Does what the plan says, to the server, to people, to their network."""

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import trio
from tests.soak._people import PersonProcess
from tests.soak._plan import Action, Step
from tests.soak._proxy import Proxy, Weather
from tests.soak._raw import RawPair
from tests.soak._server import SoakServer
from tests.soak._watch import until

from wigwag.bench import BenchError
from wigwag.bench.adversary import ATTACKS
from wigwag.bench.adversary._attacker import Attacker

BURST_SECONDS_MAX = 5.0
"""How long a kill waits for its victim to be in the middle of something."""
BURST_BYTES = 200
LOOK_SECONDS = 0.02
BALLAST_BYTES = 1 << 16

WEATHERS = {
    Action.DELAY: Weather.DELAY,
    Action.DRIBBLE: Weather.DRIBBLE,
    Action.STALL_UP: Weather.STALL_UP,
    Action.STALL_DOWN: Weather.STALL_DOWN,
}


class Chaos:
    """Whom it is done to, and what was done.

    Args:
        server: The server.
        people: The people.
        proxies: Each person's way to the server.
        pairs: The raw load.
        attacker: Does attacks; None: there are none.
        small_disk: Folder of the file system that the data folder is on, if it may be
            filled; None: it may not.
        seed: Of the run; decides what people say in their next lives.

    Attributes:
        counts: How often each thing was done.
    """

    def __init__(
        self,
        server: SoakServer,
        people: Sequence[PersonProcess],
        proxies: Sequence[Proxy],
        pairs: Sequence[RawPair],
        attacker: Attacker | None,
        small_disk: Path | None,
        seed: int,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._server = server
        self._people = people
        self._proxies = proxies
        self._pairs = pairs
        self._attacker = attacker
        self._small_disk = small_disk
        self._seed = seed
        # Nobody is killed while he is stopped, nor started twice.
        self._server_lock = trio.Lock()
        self._attacker_lock = trio.Lock()
        self._person_locks = [trio.Lock() for _ in people]

    async def run(self, plan: Sequence[Step]) -> None:
        """Do everything; returns when the last has ended."""
        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for step in plan:
                await trio.sleep_until(start + step.at)
                nursery.start_soon(self._do, step)

    async def _do(self, step: Step) -> None:
        match step.action:
            case Action.KILL_SERVER | Action.STOP_SERVER | Action.FULL_DISK:
                async with self._server_lock:
                    await self._do_to_server(step)
            case Action.BACKUP | Action.CERTIFICATE:
                async with self._server_lock:
                    await self._operate(step.action)
            case Action.KILL_CLIENT | Action.STOP_CLIENT:
                async with self._person_locks[step.who]:
                    await self._do_to_person(step)
            case Action.CUT:
                cut = self._proxies[step.who].cut()
                self.counts[step.action] += cut
            case Action.SLOW_READER:
                pair = self._pairs[step.who % len(self._pairs)]
                pair.is_slow = True
                await trio.sleep(step.seconds)
                pair.is_slow = False
                self.counts[step.action] += 1
            case Action.ATTACK:
                async with self._attacker_lock:
                    await self._attack(step)
            case Action.DELAY | Action.DRIBBLE | Action.STALL_UP | Action.STALL_DOWN:
                proxy = self._proxies[step.who]
                proxy.turn(WEATHERS[step.action])
                await trio.sleep(step.seconds)
                proxy.turn(Weather.CLEAR)
                self.counts[step.action] += 1

    async def _do_to_server(self, step: Step) -> None:
        process = self._server.process
        if step.action is Action.STOP_SERVER:
            process.send_signal(signal.SIGSTOP)
            await trio.sleep(step.seconds)
            process.send_signal(signal.SIGCONT)
        elif step.action is Action.KILL_SERVER:
            process.kill()
            self._server.kills += 1
            await trio.sleep(step.seconds)
            await trio.to_thread.run_sync(process.start)
        elif self._small_disk is None:
            return
        else:
            ballast = self._small_disk / "ballast"
            await trio.to_thread.run_sync(fill, ballast)
            await trio.sleep(step.seconds)
            ballast.unlink()
        self.counts[step.action] += 1

    async def _operate(self, action: Action) -> None:
        work: Callable[[], bool] = self._server.renew_certificate
        if action is Action.BACKUP:
            work = self._server.back_up
        if await trio.to_thread.run_sync(work):
            self.counts[action] += 1
            await trio.to_thread.run_sync(self._server.drop_old_backups)

    async def _do_to_person(self, step: Step) -> None:
        person = self._people[step.who]
        if step.action is Action.STOP_CLIENT:
            person.stop(is_stopped=True)
            await trio.sleep(step.seconds)
            person.stop(is_stopped=False)
        else:
            before = person.journal_bytes()
            with trio.move_on_after(BURST_SECONDS_MAX):
                await until(
                    lambda: person.journal_bytes() >= before + BURST_BYTES, LOOK_SECONDS
                )
            if person.ended() is not None:
                return  # who ended by himself is found in the end
            await trio.to_thread.run_sync(person.kill)
            await trio.sleep(step.seconds)
            person.start(self._seed)
        self.counts[step.action] += 1

    async def _attack(self, step: Step) -> None:
        attacker = self._attacker
        if attacker is None:
            return
        attack = next(one for one in ATTACKS if one.id == step.attack)
        attacker.start(attack, max(step.seconds, attack.seconds_min))
        try:
            done = await trio.to_thread.run_sync(attacker.wait)
        except BenchError:
            # The server was killed or stopped under it; that it failed is no finding.
            self.counts["attacks cut short"] += 1
            return
        self.counts[step.action] += 1
        if done.tally is not None:
            self.counts["attackers' tries"] += done.tally.runs


def fill(ballast: Path) -> None:
    """Write into a file until its file system is full."""
    with contextlib.suppress(OSError):
        descriptor = os.open(ballast, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            while True:
                os.write(descriptor, bytes(BALLAST_BYTES))
        finally:
            os.close(descriptor)
