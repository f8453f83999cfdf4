"""Tells the demonstration: to a person as it happens, to a program at the end."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wigwag.demo._proof import Direction

MARKS = {"queued": "…", "sequenced": "✓", "delivered": "✓✓", "read": "✓✓ read"}


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What the search for secrets found.

    Attributes:
        needles: How many secrets were looked for, by kind.
        files: Files of the server that were looked through.
        frames: Frames that the server decoded or wrote.
        data_bytes: Bytes of both.
        planted_found: Where the text was found that was sent in the clear on purpose.
        found: Where anything else was found: must be empty.
    """

    needles: dict[str, int]
    files: int
    frames: int
    data_bytes: int
    planted_found: Sequence[str]
    found: Sequence[str]

    @property
    def is_right(self) -> bool:
        """Whether the search works, and found nothing that matters."""
        return bool(self.planted_found) and not self.found and self.frames > 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The proof.

    Attributes:
        directions: What became of the messages, by sender.
        scan: What the server could have read.
        server_kills: Messages acknowledged at each SIGKILL of the server.
        client_kills: Messages stored at each SIGKILL of a client.
        burst: Messages of the burst.
        seconds: How long all of it took.
        folder: Where everything is; it is removed if all is proven and nothing kept.
    """

    directions: tuple[Direction, Direction]
    scan: ScanResult
    server_kills: Sequence[int]
    client_kills: Sequence[int]
    burst: int
    seconds: float
    folder: str

    @property
    def is_proven(self) -> bool:
        """Whether everything holds, the kills in the middle included."""
        return (
            all(direction.is_right for direction in self.directions)
            and self.scan.is_right
            and bool(self.server_kills)
            and bool(self.client_kills)
            and all(0 < count < self.burst for count in self.server_kills)
            and all(0 < count < self.burst // 2 for count in self.client_kills)
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A server that goes on after the demonstration.

    Attributes:
        pid: Its process.
        folder: Where everything is.
        passphrases: Of the profiles, by name.
    """

    pid: int
    folder: str
    passphrases: dict[str, str] = field(repr=False)

    def value(self) -> dict[str, object]:
        """Return it as a program reads it."""
        return {"pid": self.pid, "folder": self.folder, "stop": f"kill {self.pid}"}


class Report(Protocol):
    """Whoever is told."""

    def step(self, title: str, detail: str) -> None:
        """Tell what happens next."""
        ...

    def talk(self, name: str, text: str, state: str) -> None:
        """Tell a message and how it stands."""
        ...

    def end(self, outcome: Outcome, kept: Kept | None) -> None:
        """Tell how it ended."""
        ...

    def failed(self, reason: str, folder: str) -> None:
        """Tell why it ended early."""
        ...


class TerminalReport:
    """For a person, in colours where the terminal has them."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def step(self, title: str, detail: str) -> None:
        """Write a step."""
        words = f"  [dim]{escape(detail)}[/dim]" if detail else ""
        self._console.print(
            f"[bold cyan]▸[/bold cyan] {escape(title)}{words}", soft_wrap=True
        )

    def talk(self, name: str, text: str, state: str) -> None:
        """Write a message with its check marks."""
        colour = "blue" if state == "read" else "default"
        self._console.print(
            f"    [bold]{escape(name)}[/bold]: {escape(_without_token(text))}"
            f"  [{colour}]{MARKS[state]}[/{colour}]",
            soft_wrap=True,
        )

    def end(self, outcome: Outcome, kept: Kept | None) -> None:
        """Write the tables and where to go on."""
        console = self._console
        console.print()
        console.print(_counts_table(outcome))
        scan = outcome.scan
        looked = ", ".join(f"{count} {kind}" for kind, count in scan.needles.items())
        console.print(
            f"Looked for {looked} in {scan.files} files and {scan.frames} frames of the"
            f" server ({scan.data_bytes / 1e6:.1f} MB).",
            soft_wrap=True,
        )
        if scan.planted_found:
            console.print(f"  Planted in the clear: found in {scan.planted_found[0]}.")
        else:
            console.print("  [red]The planted text was not found: blind search.[/red]")
        if scan.found:
            for place in scan.found:
                console.print(f"  [red]FOUND {escape(place)}[/red]")
        else:
            console.print("  Everything else: [green]not found[/green].")
        verdict = (
            "[bold green]Proven[/bold green]"
            if outcome.is_proven
            else "[bold red]NOT proven[/bold red]"
        )
        console.print(f"\n{verdict} in {outcome.seconds:.1f} s.\n")
        if not outcome.is_proven:
            console.print(f"Everything is kept in {outcome.folder}.", soft_wrap=True)
            return
        console.print(_next_steps(kept), markup=False, soft_wrap=True)

    def failed(self, reason: str, folder: str) -> None:
        """Write why it ended early."""
        self._console.print(f"[bold red]Failed:[/bold red] {escape(reason)}")
        self._console.print(f"The logs are in {escape(folder)}.", soft_wrap=True)


class JSONReport:
    """For a program: one object, at the end."""

    def __init__(self) -> None:
        self._steps: list[dict[str, str]] = []

    def step(self, title: str, detail: str) -> None:
        """Keep a step."""
        self._steps.append({"title": title, "detail": detail})

    def talk(self, name: str, text: str, state: str) -> None:
        """Keep a message."""
        self._steps.append({"title": f"{name}: {text}", "detail": state})

    def end(self, outcome: Outcome, kept: Kept | None) -> None:
        """Write the object."""
        scan = outcome.scan
        totals = {
            name: sum(int(str(d.value()[name])) for d in outcome.directions)
            for name in ("sent", "received", "lost", "doubled", "out_of_order")
        }
        self._write(
            {
                "is_proven": outcome.is_proven,
                **totals,
                "directions": [d.value() for d in outcome.directions],
                "server_kills": list(outcome.server_kills),
                "client_kills": list(outcome.client_kills),
                "scan": {
                    "needles": scan.needles,
                    "files": scan.files,
                    "frames": scan.frames,
                    "data_bytes": scan.data_bytes,
                    "planted_found": list(scan.planted_found),
                    "found": list(scan.found),
                },
                "seconds": round(outcome.seconds, 1),
                "folder": None if outcome.is_proven and not kept else outcome.folder,
                "kept": kept.value() if kept else None,
            }
        )

    def failed(self, reason: str, folder: str) -> None:
        """Write the object of a failure."""
        self._write({"is_proven": False, "error": reason, "folder": folder})

    def _write(self, value: dict[str, object]) -> None:
        value["steps"] = self._steps
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _without_token(text: str) -> str:
    """Return a text as it was meant: what makes it unique is for the search alone."""
    return text.rpartition(" [")[0] or text


def _counts_table(outcome: Outcome) -> Table:
    table = Table(title="What became of the messages")
    table.add_column("from → to")
    for name in ("typed", "sent", "received", "lost", "doubled", "out of order"):
        table.add_column(name, justify="right")
    for way in outcome.directions:
        table.add_row(
            f"{way.sender} → {way.receiver}",
            str(way.typed),
            str(way.sent),
            str(way.received),
            str(way.lost),
            str(way.doubled),
            str(way.out_of_order),
        )
    return table


def _next_steps(kept: Kept | None) -> str:
    activate = Path(sys.argv[0]).with_name("activate")
    first: list[str] = []
    if which("wigwag") is None and activate.is_file():
        first = [f"In each terminal first: source {shlex.quote(str(activate))}"]
    if kept is None:
        return "\n".join(
            (
                *first,
                "To chat by hand, each line in a terminal of its own:",
                "  wigwag serve                       # prints a join string",
                "  wigwag register alice 'wigwag://…' # then bob, in another terminal",
                "  wigwag chat bob --profile alice",
                "  wigwag chat alice --profile bob",
                "Where to look next: README.md has a tour, ARCHITECTURE.md the design,",
                "`wigwag spec describe SEND` a message, byte by byte.",
            )
        )
    lines = [
        *first,
        "The server goes on. To chat by hand, each in a terminal of its own:",
    ]
    names = list(kept.passphrases)
    for name, peer in zip(names, reversed(names), strict=True):
        lines.append(
            f"  WIGWAG_PASSPHRASE={kept.passphrases[name]}"
            f" wigwag chat {peer} --profile {kept.folder}/{name}"
        )
    lines += [
        f"Every frame it sees: {kept.folder}/frames.jsonl",
        f"To stop it:  kill {kept.pid}; rm -r {kept.folder}",
    ]
    return "\n".join(lines)
