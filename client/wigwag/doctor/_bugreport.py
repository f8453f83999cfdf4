"""`wigwag bugreport`: gathers, replaces, searches, and only then writes."""

import gzip
import io
import json
import os
import tarfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

import click

from wigwag.doctor._check import as_value, summary
from wigwag.doctor._look import Look, Seen, look
from wigwag.doctor._pseudonyms import Pseudonyms
from wigwag.doctor._search import Found, Secrets, search
from wigwag.spec import ExitCode

FOLDER: Final = "wigwag-report"
MODE: Final = 0o600

NAMELESS: Final = ("README.txt", "versions.json", "metrics.txt")
"""Files that hold our own words and numbers only."""

README: Final = """\
A report of `wigwag bugreport`, made for whoever repairs.

  versions.json       what runs, and on what
  doctor.json         what `wigwag doctor` said
  configuration.json  the server's settings, and who has set each
  status.json         what the running server said of itself
  metrics.txt         its figures
  database.json       of a stopped server: schema and counts
  profile-N.json      a client's profile: schema and counts
  log-N.txt           the end of a log that was given

Names, ids, addresses and folders are replaced: user-1 is the same person everywhere
in here. It was searched for keys, passphrases, join strings, texts and names before it
was written. Nothing was sent anywhere: look through it before you give it away.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to pack, and where to.

    Attributes:
        path: The file to write.
        look: What to look at.
        logs: Logs to take the end of.
        log_lines: How many lines of each.
    """

    path: Path
    look: Look
    logs: tuple[Path, ...]
    log_lines: int


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a report.

    Attributes:
        path: Where it is.
        size: Its bytes.
        files: Name and bytes of each file in it.
        replaced: How many different names, ids, addresses and folders were replaced.
        searched_for: How many things it was searched for.
        findings: What was found: then nothing was written.
    """

    path: Path
    size: int = 0
    files: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    replaced: int = 0
    searched_for: int = 0
    findings: list[Found] = field(default_factory=list[Found])


def write_report(wanted: Wanted) -> Written:
    """Write a report, unless something secret is found in it.

    Raises:
        SystemExit: The file is there already, or the disk refuses; one sentence said.
    """
    if wanted.path.exists():
        _fail(f"{wanted.path} is there already: give another PATH", ExitCode.USAGE)
    names, secrets = Pseudonyms(), Secrets()
    try:
        documents = _gather(wanted, names, secrets)
    except ModuleNotFoundError as error:
        words = f"it needs {error.name}: pip install 'wigwag[server,client]'"
        _fail(words, ExitCode.CONFIGURATION)
    except OSError as error:
        words = f"{error.filename}: {error.strerror or error}"
        _fail(words, ExitCode.CONFIGURATION)
    findings = search(documents, secrets, NAMELESS)
    if findings:
        return Written(wanted.path, findings=findings)
    try:
        size = _write(wanted.path, documents)
    except OSError as error:
        _fail(f"{wanted.path}: {error.strerror or error}", ExitCode.STORAGE)
    files = [(name, len(data)) for name, data in documents.items()]
    return Written(wanted.path, size, files, names.count, secrets.count)


def _gather(wanted: Wanted, names: Pseudonyms, secrets: Secrets) -> dict[str, bytes]:
    """Return the files of a report, by name, with stand-ins."""
    import anyio

    from wigwag.doctor import _gather as gather

    gather.learn_machine(names, secrets)
    values: dict[str, object] = {}
    metrics: bytes | None = None
    seen = look(wanted.look)
    if seen.data is not None or not wanted.look.options.is_empty:
        values["configuration.json"] = gather.settings_of(
            wanted.look.options, names, secrets
        )
    if seen.data is not None:
        gather.learn_server(seen.data, names, secrets)
        status = _status(seen, values)
        metrics = None if status is None else gather.metrics_of(status)
    for number, (folder, facts) in enumerate(seen.profiles.items(), 1):
        learn = partial(
            gather.learn_profile, folder, wanted.look.passphrase_file, names, secrets
        )
        anyio.run(learn)
        held = gather.counts_of(facts, names, secrets)
        values[f"profile-{number}.json"] = held
    values["doctor.json"] = {
        "summary": summary(seen.checks),
        "checks": [as_value(check) for check in seen.checks],
    }
    logs = {
        f"log-{number}.txt": gather.tail(path, wanted.log_lines)
        for number, path in enumerate(wanted.logs, 1)
    }
    # Replaced only now: by now all names are known.
    documents = {"README.txt": README.encode()}
    documents["versions.json"] = _json(gather.versions())
    for name, value in sorted(values.items()):
        if value is not None:
            documents[name] = _json(names.apply_within(value))
    if metrics is not None:
        documents["metrics.txt"] = metrics
    for name, text in logs.items():
        documents[name] = names.apply(text).encode()
    return documents


def _status(seen: Seen, values: dict[str, object]) -> dict[str, object] | None:
    """Add what a running server says, or what the database of a stopped one holds."""
    from wigwag.doctor._database import QUICK_BYTES_MAX
    from wigwag.doctor._server import ask_status
    from wigwag.server import DataFolder
    from wigwag.server.engines import inspect_database
    from wigwag.server.ports import StorageError

    assert seen.data is not None
    status = ask_status(seen.data)
    if status is not None:
        values["status.json"] = status
        return status
    database = DataFolder(seen.data).database
    is_free = any(one.name == "running" and one.level == "ok" for one in seen.checks)
    if is_free and database.exists() and database.stat().st_size <= QUICK_BYTES_MAX:
        try:
            found = inspect_database(database)
        except StorageError as error:
            values["database.json"] = {"problem": str(error)}
        else:
            facts = found.facts
            values["database.json"] = {
                name: getattr(facts, name) for name in facts.__struct_fields__
            }
    return None


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def _write(path: Path, documents: dict[str, bytes]) -> int:
    """Write the archive, for its owner's eyes, whole or not at all."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, data in documents.items():
            # Without the owner's name, which tar would add.
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size, member.mode, member.mtime = len(data), MODE, int(time.time())
            archive.addfile(member, io.BytesIO(data))
    temporary = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(temporary, flags, MODE), "wb") as file:
        file.write(packed.getvalue())
    temporary.rename(path)
    return len(packed.getvalue())


def _fail(words: str, code: ExitCode) -> NoReturn:
    click.echo(f"wigwag bugreport: {words}", err=True)
    raise SystemExit(code)
