"""Sets the stage, plays the story, and judges what is left of it."""

import secrets
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final, cast

import anyio
import anyio.to_thread

from wigwag.audit import Needle, Scanner
from wigwag.client import profile_secrets
from wigwag.demo._person import Person, Said
from wigwag.demo._plant import plant
from wigwag.demo._processes import Commands, Server, StageError, open_server
from wigwag.demo._proof import Direction, count_direction
from wigwag.demo._report import Kept, Outcome, Report, ScanResult
from wigwag.demo._story import BURST_MESSAGES, Played, Story
from wigwag.spec import ExitCode

PASSPHRASE_BYTES: Final = 12

FINDINGS_MAX: Final = 20
"""Places that are named; more say nothing new."""


async def run_demo(report: Report, *, keeps_server: bool) -> ExitCode:
    """Run the demonstration in a new temporary folder.

    Args:
        report: Is told what happens.
        keeps_server: Leave the server running and the folder where it is.

    Returns:
        OK if everything is proven, else INTERNAL; the folder with the logs stays then.
    """
    folder = Path(tempfile.mkdtemp(prefix="wigwag-demo-"))
    try:
        outcome, kept = await _play(folder, report, keeps_server=keeps_server)
    except (KeyboardInterrupt, anyio.get_cancelled_exc_class()):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except (StageError, BaseExceptionGroup) as error:
        reasons = _reasons(error)
        if not reasons:  # interrupted, or a bug of ours
            raise
        report.failed("; ".join(reasons), str(folder))
        return ExitCode.INTERNAL
    report.end(outcome, kept)
    if not outcome.is_proven:
        return ExitCode.INTERNAL
    if kept is None:
        shutil.rmtree(folder)
    return ExitCode.OK


async def _play(
    folder: Path, report: Report, *, keeps_server: bool
) -> tuple[Outcome, Kept | None]:
    started = time.monotonic()
    # Nothing of the user's own is read or written.
    commands = Commands(folder, {"XDG_DATA_HOME": str(folder / "home")})
    alice, bob = (
        Person(commands, name, peer, secrets.token_hex(PASSPHRASE_BYTES))
        for name, peer in (("alice", "bob"), ("bob", "alice"))
    )
    people = (alice, bob)
    async with open_server(commands, folder) as server:
        report.step("A server starts", f"process {server.pid} on {server.address}")
        planted = f"planted {secrets.token_hex(PASSPHRASE_BYTES)}"
        authority = server.data / "ca.pem"
        await anyio.to_thread.run_sync(plant, server.address, authority, planted)
        for person in people:
            await person.register(server.join)
            name = person.name.capitalize()
            report.step(f"{name} registers", "keys are made on this side only")
        # Prekeys are used up and deleted: collected now, looked for at the end.
        needles = await _keys(people)
        story = Story(server, alice, bob, report)
        await story.tell()
        stores = {person.name: await person.history() for person in people}
        needles += await _keys(people) + _texts(story.played, people)
        report.step("The server's files, log and frames are searched", "")
        scan = await anyio.to_thread.run_sync(
            _search, server, _distinct(needles), planted
        )
        outcome = _judge(people, stores, story.played, scan, started, str(folder))
        kept = None
        if keeps_server and outcome.is_proven:
            passphrases = {person.name: person.passphrase for person in people}
            kept = Kept(server.pid, str(folder), passphrases)
            server.leave_running()
        elif await server.stop():
            raise StageError("the server didn't end well on SIGTERM")
    return outcome, kept


async def _keys(people: tuple[Person, Person]) -> list[Needle]:
    return [
        Needle(f"{person.name}'s {secret.label}", secret.data)
        for person in people
        for secret in await profile_secrets(person.profile, person.passphrase)
    ]


def _texts(played: Played, people: tuple[Person, Person]) -> list[Needle]:
    texts = [
        Needle(f"message {number}", text.encode("utf-8"))
        for number, text in enumerate(played.texts(), 1)
    ]
    passphrases = [
        Needle(f"{person.name}'s passphrase", person.passphrase.encode("ascii"))
        for person in people
    ]
    return texts + passphrases


def _distinct(needles: list[Needle]) -> list[Needle]:
    return list({needle.data: needle for needle in needles}.values())


def _search(server: Server, needles: list[Needle], planted: str) -> ScanResult:
    planted_label = "the planted text"
    scanner = Scanner([*needles, Needle(planted_label, planted.encode("ascii"))])
    findings = scanner.scan_trace(server.trace)
    findings += scanner.scan_file(server.log)
    findings += scanner.scan_tree(server.data)
    kinds = Counter(
        "messages" if needle.label.startswith("message") else "keys and passphrases"
        for needle in needles
    )
    return ScanResult(
        needles=dict(kinds),
        files=scanner.looked.files,
        frames=scanner.looked.frames,
        data_bytes=scanner.looked.data_bytes,
        planted_found=[
            finding.place
            for finding in findings
            if finding.label == planted_label and finding.place.startswith("frame")
        ],
        found=[
            f"{finding.label}, {finding.spelling}, in {finding.place}"
            for finding in findings
            if finding.label != planted_label
        ][:FINDINGS_MAX],
    )


def _judge(
    people: tuple[Person, Person],
    stores: dict[str, list[Said]],
    played: Played,
    scan: ScanResult,
    started: float,
    folder: str,
) -> Outcome:
    alice, bob = people
    return Outcome(
        directions=(
            _count(alice, bob, stores, played),
            _count(bob, alice, stores, played),
        ),
        scan=scan,
        server_kills=played.server_kills,
        client_kills=played.client_kills,
        burst=2 * BURST_MESSAGES,
        seconds=time.monotonic() - started,
        folder=folder,
    )


def _count(
    sender: Person, receiver: Person, stores: dict[str, list[Said]], played: Played
) -> Direction:
    return count_direction(
        sender.name,
        receiver.name,
        played.typed[sender.name],
        stores[sender.name],
        stores[receiver.name],
        receiver.shown,
    )


def _reasons(error: BaseException) -> list[str]:
    """Return what went wrong on the stage; none, if something else did."""
    if isinstance(error, StageError):
        return [str(error)]
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        parts = [_reasons(inner) for inner in group.exceptions]
        return [reason for part in parts for reason in part] if all(parts) else []
    return []
