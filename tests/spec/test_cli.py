"""`wigwag spec`: what it prints, its exit codes, and no traceback for a mistake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.spec.codecs import TRIAL_ROOT, product, trial

from wigwag.spec import ExitCode, digest
from wigwag.spec._cli import spec
from wigwag.spec._generate import render_all, write_files
from wigwag.spec._load import product_root
from wigwag.spec._vectors import add_vectors

CODEC_NAMES = {
    "records.py",
    "decoders.py",
    "encoders.py",
    "table.py",
    "suite_1.py",
    "content_1.py",
}


def run(*arguments: str | Path) -> Result:
    """Run `wigwag spec` with arguments."""
    return CliRunner().invoke(spec, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of the trial protocol that a test may spoil."""
    return Path(shutil.copytree(TRIAL_ROOT, tmp_path / "protocol"))


def test_check_tells_the_digest() -> None:
    """The digest is how two people know that they speak of one protocol."""
    result = run("check")
    assert result.exit_code == ExitCode.OK
    assert result.output.startswith("wigwag: ")
    assert digest(product().specification) in result.output
    assert json.loads(run("check", "--json").output)["digest"] in result.output


def test_check_names_every_mistake_and_fails(root: Path) -> None:
    """A build must stop, and its log must say where to go."""
    (root / "features.toml").write_text("[[feature]]\nid = 0\n")
    result = run("check", "--root", root)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert result.stdout == ""
    assert "features.toml:2: `id` 0 is outside" in result.stderr
    assert "features.toml:1: `feature` has no `name`" in result.stderr
    shown = json.loads(run("check", "--json", "--root", root).output)
    assert {"file": "features.toml", "line": 2}.items() <= shown["mistakes"][-1].items()


def test_check_reads_suite_and_content_too(root: Path) -> None:
    """They are sources like the others."""
    source = Path(str(product_root()))
    for folder in ("suites", "content"):
        shutil.copytree(source / folder, root / folder)
    assert run("check", "--root", root).exit_code == ExitCode.OK
    suite = root / "suites" / "1.toml"
    suite.write_text(suite.read_text() + "\n[[nothing]]\n")
    result = run("check", "--root", root)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "suites/1.toml:" in result.stderr


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_check_holds_the_vectors_against_the_reference(
    root: Path, options: tuple[str, ...]
) -> None:
    """A change that breaks an agreement is told before it is made."""
    add_vectors(trial().specification, root / "vectors")
    assert run("check", "--root", root).exit_code == ExitCode.OK
    (root / "vectors" / "old.json").unlink()
    result = run("check", "--root", root, *options)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "old.json is missing" in result.output


def test_a_root_that_is_not_there_is_a_wrong_command_line(tmp_path: Path) -> None:
    """It is the caller's mistake, not the specification's."""
    result = run("check", "--root", tmp_path / "nowhere")
    assert result.exit_code == ExitCode.USAGE
    assert "there is no folder" in result.stderr


def test_generate_check_passes_on_the_committed_files() -> None:
    """It is what every build runs."""
    result = run("generate", "--check")
    assert (result.exit_code, result.output) == (ExitCode.OK, "everything is fresh\n")


def test_generate_writes_what_is_stale_and_check_only_tells(tmp_path: Path) -> None:
    """A check that writes hides what it found."""
    folder = tmp_path / "generated"
    result = run("generate", "--check", "--output", folder)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "stale: " in result.stderr
    assert not folder.exists()
    shown = run("generate", "--check", "--json", "--output", folder)
    assert shown.exit_code == ExitCode.CONFIGURATION
    assert set(json.loads(shown.stdout)["stale"]) >= CODEC_NAMES
    result = run("generate", "--output", folder)
    assert result.exit_code == ExitCode.OK
    assert "wrote records.py" in result.output
    written = run("generate", "--json", "--output", folder)
    assert json.loads(written.output) == {"written": []}
    assert (folder / "records.py").read_text() == render_all(
        product().specification, product_root()
    )["records.py"]


def test_generate_names_mistakes_and_writes_nothing(root: Path, tmp_path: Path) -> None:
    """Half a codec is worse than an old one."""
    (root / "errors.toml").unlink()
    result = run("generate", "--root", root, "--output", tmp_path / "out")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "errors.toml:1: the file is missing" in result.stderr
    assert not (tmp_path / "out").exists()


def test_generate_outside_a_checkout_asks_where(root: Path) -> None:
    """An installed package must not be written into."""
    result = run("generate", "--root", root)
    assert result.exit_code == ExitCode.USAGE
    assert "--output" in result.stderr


def test_generate_finds_the_checkout_of_a_root(tmp_path: Path) -> None:
    """The files lie where the build imports them from."""
    source = tmp_path / "spec" / "wigwag" / "spec"
    shutil.copytree(
        Path(str(product_root())),
        source,
        ignore=shutil.ignore_patterns("*.py", "__pycache__"),
    )
    target = tmp_path / "wire" / "wigwag" / "wire" / "_generated"
    write_files(render_all(product().specification, product_root()), target)
    result = run("generate", "--check", "--root", source)
    assert (result.exit_code, result.output) == (ExitCode.OK, "everything is fresh\n")


def test_describe_shows_bytes_bounds_and_requirements() -> None:
    """It is the page that an implementer keeps open."""
    result = run("describe", "SEND")
    assert result.exit_code == ExitCode.OK
    lines = result.output.split("\n")
    assert lines[0].startswith("SEND: ")
    assert any(line.split()[:5] == ["0", "16", "chat", "uuid", "not"] for line in lines)
    assert any("ciphertext" in line and "1-16384 bytes" in line for line in lines)
    assert "R-SEND-001 (MUST, receiver)" in result.output


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("CHANGING", (), "default 'none'"),
        ("CHANGING", (), "tag 2"),
        ("CHANGING", ("--revision", "1"), "tag 1 (odd); optional"),
        ("CHANGING", ("--revision", "3"), "asymmetric"),
        ("CHANGING", ("--revision", "32777"), "required"),
        ("CHANGING", (), "default empty"),
        ("ARRAYS", (), "rising by id, class"),
        ("ARRAYS", (), "rising by value"),
        ("SCALARS", (), "bits of 0x80000001"),
        ("SCALARS", (), "one of 1, 300, 301"),
        ("GREETED", (), "invariant, unsolicited"),
        ("GREET", (), "sent by the client"),
        ("SCALARS", (), "sent by either side"),
        ("OLD", ("--revision", "2"), "may be skipped"),
        ("Leaf", (), "closed"),
        ("Deed", (), "open, document"),
        ("Color", (), "unknown is  GREY"),
        ("Color", (), "revisions 3+"),
        ("Mode", (), "open  no"),
        ("Marks", (), "bit 31"),
        ("scalars", (), "SCALARS: "),
    ],
)
def test_describe_shows_every_construct(
    name: str, options: tuple[str, ...], expected: str
) -> None:
    """What is in the model and not in the description would have to be guessed."""
    result = run("describe", name, "--root", TRIAL_ROOT, *options)
    assert result.exit_code == ExitCode.OK
    assert expected in result.output


def test_describe_speaks_json() -> None:
    """Other tools make their pages from it."""
    shown = json.loads(run("describe", "SEND", "--json").output)
    assert shown["name"] == "SEND"
    assert {"offset": "0", "bytes": "16", "field": "chat"}.items() <= shown["rows"][
        0
    ].items()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("SENDD",), "did you mean SEND?"),
        (("auth-ok",), "did you mean AUTH_OK?"),
        (("XYZZY",), "there are HELLO"),
        (("SEND", "--revision", "7"), "there is no revision 7"),
    ],
)
def test_a_wrong_name_or_revision_is_answered_with_a_way_on(
    arguments: tuple[str, ...], expected: str
) -> None:
    """A traceback would say where we are, not where to go."""
    result = run("describe", *arguments)
    assert result.exit_code == ExitCode.USAGE
    assert expected in result.stderr


def test_a_message_that_a_revision_lacks_is_told() -> None:
    """An empty table would look like an empty message."""
    result = run("describe", "OLD", "--root", TRIAL_ROOT, "--revision", "3")
    assert result.exit_code == ExitCode.USAGE
    assert "OLD does not exist at revision 3" in result.stderr


def test_describe_of_a_spoilt_source_names_the_mistakes(root: Path) -> None:
    """It can't describe what isn't valid."""
    (root / "limits.toml").unlink()
    result = run("describe", "OLD", "--root", root)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "limits.toml:1" in result.stderr


def test_vectors_are_added_where_there_are_none(root: Path) -> None:
    """A new layout gets its vector with the change that makes it."""
    result = run("vectors", "--root", root)
    assert result.exit_code == ExitCode.OK
    assert "wrote old.json" in result.output
    assert run("vectors", "--root", root).output == "every layout has its vectors\n"
    assert json.loads(run("vectors", "--json", "--root", root).output) == {
        "written": []
    }


@pytest.mark.parametrize(
    "command", [(), ("check",), ("generate",), ("describe",), ("vectors",)]
)
def test_help_ends_in_two_examples_that_run(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """An example that fails teaches the wrong thing first."""
    result = run(*command, "--help")
    assert result.exit_code == 0
    examples = [
        line.split()
        for line in result.output.split("\n")
        if line.strip().startswith("wigwag spec ")
    ]
    assert len(examples) == 2
    assert result.output.rstrip().endswith(" ".join(examples[-1]))
    for example in examples:
        assert example[:2] == ["wigwag", "spec"]
        away = (
            ["--output", str(tmp_path / "out")] if example[2:] == ["generate"] else []
        )
        assert run(*example[2:], *away).exit_code == 0
