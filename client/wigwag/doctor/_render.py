"""Checks and reports as a person reads them."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from wigwag.doctor._check import Check, summary
from wigwag.spec import ExitCode

if TYPE_CHECKING:
    from wigwag.doctor._bugreport import Written
    from wigwag.doctor._search import Found

COLOURS: Final = {"ok": "green", "warning": "yellow", "problem": "red"}
NAME_WIDTH: Final = 18


def say(checks: Sequence[Check]) -> None:
    """Write a line a check, below it what mends it, and a summary."""
    for subject, group in groupby(checks, key=lambda check: check.subject):
        click.secho(subject, bold=True)
        for check in group:
            level = click.style(f"{check.level:<7}", fg=COLOURS[check.level])
            text = " ".join(check.text.split())
            click.echo(f"  {level} {check.name:<{NAME_WIDTH}} {text}")
            if check.remedy:
                click.echo(f"          {'mend it:':<{NAME_WIDTH}} {check.remedy}")
    click.echo(summary(checks))


def say_findings(path: Path, findings: Sequence["Found"], *, as_json: bool) -> ExitCode:
    """Say what must not be in a report, without repeating it, and why there is none."""
    if as_json:
        value = {
            "written": False,
            "findings": [
                {"file": one.file, "kind": one.kind, "line": one.line}
                for one in findings
            ],
        }
        click.echo(json.dumps(value))
        return ExitCode.AUTHENTICATION
    click.echo(
        f"wigwag bugreport: {path} is not written: it would hold secrets", err=True
    )
    for one in findings:
        click.echo(f"  {one.file}, line {one.line}: {one.kind}", err=True)
    click.echo("Leave that log out, or take those lines out of a copy of it.", err=True)
    return ExitCode.AUTHENTICATION


def say_report(written: "Written", *, as_json: bool) -> ExitCode:
    """List what is in a report."""
    if as_json:
        value = {
            "written": True,
            "path": str(written.path),
            "bytes": written.size,
            "files": [{"name": name, "bytes": size} for name, size in written.files],
            "replaced": written.replaced,
            "searched_for": written.searched_for,
        }
        click.echo(json.dumps(value))
        return ExitCode.OK
    click.echo(f"{written.path} ({written.size} bytes) holds:")
    for name, size in written.files:
        click.echo(f"  {name:<22} {size:>8} bytes")
    click.echo(
        f"{written.replaced} names, ids, addresses and folders were replaced; "
        f"{written.searched_for} secrets were searched for, and none was found."
    )
    click.echo(
        "Nothing was sent anywhere. Look at it before you give it to anybody:\n"
        f"  tar -xzf {written.path} && less wigwag-report/*"
    )
    return ExitCode.OK
