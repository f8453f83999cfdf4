"""The work item *start*: the real client starts with a long history.

The history is written by the SDK in memory, where a commit waits for nothing, and
copied to the disk; what is measured happens on the disk.
"""

import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from wigwag.bench._errors import BenchError
from wigwag.bench._figures import Figure, WorkReport
from wigwag.bench._two_people import ALICE, Profile, TwoPeople, text_of, two_people
from wigwag.bench._worker import Say
from wigwag.client import default_ports

STORED = 100_000
# Written and received in turns, so that no inbox grows beyond this.
PORTION = 10_000
HISTORY_SHOWN = 50
SECONDS_MUST, SECONDS_STRETCH = 1.0, 0.3


@dataclass(frozen=True, slots=True)
class Started:
    """What a start took, each from its beginning, in seconds."""

    opened_seconds: float
    history_seconds: float
    online_seconds: float


def run_start(*, repeat: int, stored: int, say: Say) -> WorkReport:
    """Measures starts of the real client.

    Args:
        repeat: Starts to measure.
        stored: Messages in the profile.
        say: Told what is going on.

    Raises:
        BenchError: Messages did not come in time, or a stored one is missing.
    """
    with (
        two_people(say, in_memory=True) as people,
        tempfile.TemporaryDirectory(prefix="wigwag-bench-start-") as name,
    ):
        return anyio.run(
            _measure, people, Path(name), repeat, stored, say, backend="trio"
        )


async def _measure(
    people: TwoPeople, folder: Path, repeat: int, stored: int, say: Say
) -> WorkReport:
    await people.register()
    while people.stored < stored:
        portion = min(PORTION, stored - people.stored)
        await people.write(portion, f"writing, {people.stored:,} of {stored:,} stored")
        await people.receive()
    say("copying the profile")
    profile = replace(people.bob, folder=folder / "profile")
    shutil.copytree(people.bob.folder, profile.folder)
    starts: list[Started] = []
    for number in range(1, repeat + 1):
        say(f"start {number} of {repeat}")
        starts.append(await _start(profile, text_of(people.stored)))
    unlocks = tuple([await _unlock_seconds() for _ in range(repeat)])
    return WorkReport(
        "start",
        f"the SDK opens a profile with {people.stored:,} messages",
        {"stored": people.stored, "limits_profile": "bench"},
        (
            Figure(
                "start_seconds",
                f"until the last {HISTORY_SHOWN} messages are read, s",
                tuple(one.history_seconds for one in starts),
                "lower",
                SECONDS_MUST,
                SECONDS_STRETCH,
            ),
            Figure(
                "open_seconds",
                "until the profile is open, s",
                tuple(one.opened_seconds for one in starts),
                "lower",
            ),
            Figure(
                "online_seconds",
                "until signed in, s",
                tuple(one.online_seconds for one in starts),
                "lower",
            ),
            Figure(
                "unlock_seconds", "beside it: the passphrase's Argon2id, s", unlocks
            ),
        ),
    )


async def _start(profile: Profile, newest: str) -> Started:
    """Opens a profile as a command does: to its last messages, and online."""
    start = time.perf_counter()
    async with profile.open() as session:
        opened = time.perf_counter() - start
        shown = await session.history(ALICE, HISTORY_SHOWN)
        history = time.perf_counter() - start
        await session.wait_online()
        online = time.perf_counter() - start
    if shown[-1].text != newest:
        raise BenchError("a stored message is missing")
    return Started(opened, history, online)


async def _unlock_seconds() -> float:
    """Times what a passphrase costs at every start: slow on purpose."""
    with tempfile.TemporaryDirectory(prefix="wigwag-bench-key-") as name:
        keys = default_ports("a passphrase").keys
        await keys.create(Path(name))
        start = time.perf_counter()
        await keys.unlock(Path(name))
        return time.perf_counter() - start
