"""`wigwag spec`: check, generate and describe the specification."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from wigwag.spec._content import load_content
from wigwag.spec._describe import describe as describe_construct
from wigwag.spec._describe import exists_at, named_constructs
from wigwag.spec._exit_codes import ExitCode
from wigwag.spec._generate import render_all, write_files
from wigwag.spec._generate import stale_files as find_stale
from wigwag.spec._ir import Specification, digest
from wigwag.spec._load import product_root
from wigwag.spec._mistakes import SpecificationError
from wigwag.spec._resolve import load_specification
from wigwag.spec._suite import load_suite
from wigwag.spec._vectors import add_vectors, check_vectors

DRAFT_BIT = 0x8000
_GENERATED = Path("wire", "wigwag", "wire", "_generated")


class Failure(click.ClickException):
    """What the user asked for can't be done; click prints it and ends with the code."""

    exit_code = int(ExitCode.USAGE)


def _fail(error: SpecificationError, as_json: bool) -> NoReturn:
    """End with all mistakes, one a line."""
    if as_json:
        click.echo(
            json.dumps(
                {
                    "mistakes": [
                        msgspec.to_builtins(mistake) for mistake in error.mistakes
                    ]
                }
            )
        )
    else:
        for mistake in error.mistakes:
            click.echo(str(mistake), err=True)
    raise SystemExit(ExitCode.CONFIGURATION)


def _root(chosen: Path | None) -> Path:
    root = chosen or Path(str(product_root()))
    if not root.is_dir():
        raise Failure(f"there is no folder {root}")
    return root


def _load(root: Path, as_json: bool) -> Specification:
    try:
        return load_specification(root)
    except SpecificationError as error:
        _fail(error, as_json)


def _output(chosen: Path | None, root: Path) -> Path:
    """Return where generated files go: as given, or in the checkout."""
    if chosen is not None:
        return chosen
    checkout = root.resolve().parents[2] if len(root.resolve().parents) > 2 else root
    folder = checkout / _GENERATED
    if not folder.parent.is_dir():
        raise Failure(
            "this is no checkout with a wire folder; give --output FOLDER",
        )
    return folder


root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Folder of the specification (default: the product's).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON only.")


@click.group(
    epilog="""\b
Examples:
  wigwag spec check
  wigwag spec describe SEND
"""
)
def spec() -> None:
    """Check, generate and describe the protocol's specification."""


@spec.command(
    epilog="""\b
Examples:
  wigwag spec check
  wigwag spec check --json
"""
)
@root_option
@json_option
def check(root: Path | None, as_json: bool) -> None:
    """Check the source; every mistake is told with file and line."""
    folder = _root(root)
    specification = _load(folder, as_json)
    try:
        if (folder / "suites").is_dir():
            load_suite(folder)
        if (folder / "content").is_dir():
            load_content(folder)
    except SpecificationError as error:
        _fail(error, as_json)
    wrong = (
        check_vectors(specification, folder / "vectors")
        if (folder / "vectors").is_dir()
        else []
    )
    if wrong:
        if as_json:
            click.echo(json.dumps({"vectors": wrong}))
        else:
            click.echo("\n".join(wrong), err=True)
        raise SystemExit(ExitCode.CONFIGURATION)
    facts = {
        "protocol": specification.protocol.name,
        "messages": len(specification.messages),
        "types": len(specification.structs)
        + len(specification.enums)
        + len(specification.flagsets),
        "requirements": len(specification.requirements),
        "newest_revision": specification.newest_revision,
        "digest": digest(specification),
    }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        click.echo(
            "{protocol}: {messages} messages, {types} types, {requirements} "
            "requirements, digest {digest}".format(**facts)
        )


@spec.command(
    epilog="""\b
Examples:
  wigwag spec generate
  wigwag spec generate --check
"""
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Write nothing; fail if a file is stale.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder of the generated files."
)
@root_option
@json_option
def generate(
    only_check: bool, output: Path | None, root: Path | None, as_json: bool
) -> None:
    """Write the codec, tables, suite and content modules."""
    source = _root(root)
    folder = _output(output, source)
    try:
        rendered = render_all(load_specification(source), source)
    except SpecificationError as error:
        _fail(error, as_json)
    stale = (
        find_stale(rendered, folder) if only_check else write_files(rendered, folder)
    )
    if as_json:
        click.echo(json.dumps({"stale" if only_check else "written": stale}))
    elif not stale:
        click.echo("everything is fresh")
    elif not only_check:
        click.echo("\n".join(f"wrote {name}" for name in stale))
    if only_check and stale:
        if not as_json:
            click.echo(
                f"stale: {', '.join(stale)}; run `wigwag spec generate`", err=True
            )
        raise SystemExit(ExitCode.CONFIGURATION)


@spec.command(
    epilog="""\b
Examples:
  wigwag spec describe SEND
  wigwag spec describe MessageClass --json
"""
)
@click.argument("name")
@click.option(
    "--revision",
    type=click.IntRange(0, 0xFFFF),
    default=0,
    help="Revision (default: the newest).",
)
@root_option
@json_option
def describe(name: str, revision: int, root: Path | None, as_json: bool) -> None:
    """Show a message or type, byte by byte."""
    specification = _load(_root(root), as_json)
    draft = specification.draft
    number = revision or specification.newest_revision
    if draft is not None and revision == DRAFT_BIT | draft.build:
        number = draft.number
    if number not in specification.revisions:
        raise Failure(
            f"there is no revision {revision}; the newest is "
            f"{specification.newest_revision}",
        )
    named = named_constructs(specification)
    folded = {key.casefold(): key for key in named}
    key = name if name in named else folded.get(name.casefold(), "")
    if not key:
        near = get_close_matches(name.casefold(), folded, n=1)
        hint = (
            f"did you mean {folded[near[0]]}?"
            if near
            else f"there are {', '.join(named)}"
        )
        raise Failure(f"there is no message or type {name!r}; {hint}")
    if not exists_at(named[key], number):
        raise Failure(f"{key} does not exist at revision {number}")
    description = describe_construct(named[key], number, specification)
    if as_json:
        click.echo(msgspec.json.encode(description).decode())
    else:
        click.echo(description.text(), nl=False)


@spec.command(
    epilog="""\b
Examples:
  wigwag spec vectors
  wigwag spec vectors --json
"""
)
@root_option
@json_option
def vectors(root: Path | None, as_json: bool) -> None:
    """Write golden vectors for layouts that have none; never change one."""
    folder = _root(root)
    added = add_vectors(_load(folder, as_json), folder / "vectors")
    if as_json:
        click.echo(json.dumps({"written": added}))
    else:
        click.echo(
            "\n".join(f"wrote {name}" for name in added)
            or "every layout has its vectors"
        )
