"""Every mistake in the source is told with its file, its line and what to write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.spec.codecs import TRIAL_ROOT
from tests.spec.mistake_case import MARK, MistakeCase
from tests.spec.mistakes_of_parts import FIELDS, KEYS, NUMBERS, SUBSET
from tests.spec.mistakes_of_wholes import MESSAGES, TABLES, TYPES

from wigwag.spec import SpecificationError, digest, load_specification

CASES = (*SUBSET, *KEYS, *FIELDS, *NUMBERS, *TYPES, *MESSAGES, *TABLES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of the trial protocol that a test may spoil."""
    return Path(shutil.copytree(TRIAL_ROOT, tmp_path / "protocol"))


def spoil(root: Path, file: str, old: str, new: str) -> None:
    """Replace a text that stands once in a file; without one, append or create."""
    path = root / file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if old:
        assert before.count(old) >= 1, f"{file} has no {old!r}"
        after = before.replace(old, new, 1)
    else:
        after = f"{before}\n{new}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(after, encoding="utf-8")


def marked_line(path: Path) -> int:
    """Return the line of a file that holds the mark; 1 if none does."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    marked = [number for number, line in enumerate(lines, 1) if MARK in line]
    assert len(marked) <= 1
    return marked[0] if marked else 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.wrong.replace(" ", "-"))
def test_a_mistake_is_told_with_file_and_line(root: Path, case: MistakeCase) -> None:
    """A mistake that says only what is wrong is a search through fifty files."""
    for file, old, new in case.edits:
        spoil(root, file, old, new)
    with pytest.raises(SpecificationError) as caught:
        load_specification(root)
    where = case.at or case.edits[-1][0]
    line = marked_line(root / where)
    found = [
        mistake for mistake in caught.value.mistakes if case.wrong in mistake.wrong
    ]
    assert found, f"told instead:\n{caught.value}"
    assert (where, line) in [(mistake.file, mistake.line) for mistake in found]
    assert all(mistake.write for mistake in found)
    assert f"{where}:{line}: " in str(caught.value)


def test_all_mistakes_are_told_at_once(root: Path) -> None:
    """One run a mistake would make a long afternoon."""
    spoil(root, "messages/old.toml", "max = 3", "max = true")
    spoil(root, "types/color.toml", 'base = "u8"', 'base = "u7"')
    with pytest.raises(SpecificationError) as caught:
        load_specification(root)
    assert {mistake.file for mistake in caught.value.mistakes} == {
        "messages/old.toml",
        "types/color.toml",
    }


def test_a_missing_file_is_told(root: Path) -> None:
    """Without it the whole protocol lacks a chapter."""
    (root / "limits.toml").unlink()
    with pytest.raises(
        SpecificationError, match=r"limits\.toml:1: the file is missing"
    ):
        load_specification(root)


def test_a_draft_that_is_what_its_build_says_is_whole(root: Path) -> None:
    """The digest that the mistake tells is the one to write."""
    known = digest(load_specification(root))
    spoil(root, "revisions.toml", "build = 9", f'build = 9\ndigest = "{known}"')
    assert digest(load_specification(root)) == known
    spoil(root, "messages/old.toml", "Up to three bytes.", "At most three bytes.")
    assert digest(load_specification(root)) == known
    spoil(root, "messages/old.toml", "max = 3", "max = 4")
    with pytest.raises(SpecificationError, match='write build = 10 and digest = "'):
        load_specification(root)


def test_a_protocol_without_a_draft_is_whole(root: Path) -> None:
    """After a freeze there is none until the next change."""
    fourth = f'[[revision]]\ndate = "2026-04-01"\ndigest = "{"4" * 64}"'
    spoil(root, "revisions.toml", "[draft]", fourth)
    spoil(root, "revisions.toml", "build = 9\n", "")
    specification = load_specification(root)
    assert (specification.draft, specification.newest_revision) == (None, 4)


def test_a_protocol_without_any_revision_is_told(root: Path) -> None:
    """Nothing could be negotiated."""
    (root / "revisions.toml").write_text("# nothing yet\n")
    with pytest.raises(SpecificationError) as caught:
        load_specification(root)
    assert "revisions.toml:1: there is neither a revision nor a draft" in str(
        caught.value
    )


def test_a_file_that_is_not_utf8_is_told(root: Path) -> None:
    """An editor's own encoding must not end in a traceback."""
    (root / "features.toml").write_bytes(b"# \xff\n")
    with pytest.raises(SpecificationError, match=r"features\.toml:1: not UTF-8"):
        load_specification(root)


def test_a_missing_folder_leaves_what_names_it_unknown(root: Path) -> None:
    """No requirement at all is a protocol that nobody has stated."""
    shutil.rmtree(root / "requirements")
    with pytest.raises(SpecificationError, match="there is none to choose"):
        load_specification(root)
