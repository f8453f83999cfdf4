"""Generated files are those of the source, written and removed as it changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.spec.codecs import product, trial

from wigwag import spec
from wigwag.spec._generate import render_all, render_codec, stale_files, write_files
from wigwag.spec._load import product_root
from wigwag.spec._vectors import add_vectors, check_vectors, render_vectors

GENERATED = Path(__file__).parents[2] / "wire" / "wigwag" / "wire" / "_generated"


def test_committed_files_are_those_of_the_source() -> None:
    """A codec that is not the specification's is another protocol."""
    rendered = render_all(product().specification, product_root())
    assert stale_files(rendered, GENERATED) == []


def test_only_stale_files_are_written_and_leftovers_go(tmp_path: Path) -> None:
    """A file that nobody renders any more would go on being imported."""
    rendered = render_codec(trial().specification, "trial_codec")
    assert write_files(rendered, tmp_path) == sorted(rendered)
    assert write_files(rendered, tmp_path) == []
    (tmp_path / "limits.py").write_text("changed")
    (tmp_path / "leftover.py").write_text("")
    assert stale_files(rendered, tmp_path) == ["leftover.py", "limits.py"]
    assert write_files(rendered, tmp_path) == ["leftover.py", "limits.py"]
    assert stale_files(rendered, tmp_path) == []
    assert not (tmp_path / "leftover.py").exists()


def test_rendering_does_not_depend_on_the_run() -> None:
    """Order by hash would make every build differ."""
    assert render_codec(product().specification) == render_codec(
        product().specification
    )


def test_a_small_protocol_imports_only_what_it_needs() -> None:
    """An import that nothing uses is an error of the type checkers."""
    whole = trial().specification
    greetings = tuple(message for message in whole.messages if message.invariant)
    small = msgspec.structs.replace(
        whole, messages=greetings, structs=(), enums=(), flagsets=(), transitions=()
    )
    text = render_codec(small)["records.py"]
    assert "from enum import IntEnum\n" in text
    assert "shown" not in text
    assert "KEEP" not in text
    compile(text, "records.py", "exec")


def test_the_package_gives_its_names_when_asked() -> None:
    """Commands import it for their exit codes and must not pay for the rest."""
    for name in spec.__all__:
        assert getattr(spec, name).__module__.startswith("wigwag.spec.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spec.nothing


def test_vectors_are_added_once_and_never_changed(tmp_path: Path) -> None:
    """A vector that follows the code proves nothing about it."""
    specification = trial().specification
    assert check_vectors(specification, tmp_path)
    names = add_vectors(specification, tmp_path)
    assert names == list(render_vectors(specification))
    assert add_vectors(specification, tmp_path) == []
    assert check_vectors(specification, tmp_path) == []


def test_a_vector_that_no_longer_holds_is_told(tmp_path: Path) -> None:
    """The bytes were agreed; a reader of them must not be surprised."""
    specification = trial().specification
    add_vectors(specification, tmp_path)
    old = tmp_path / "old.json"
    text = old.read_text()
    old.write_text(text.replace('"offset": ', '"offset": 1', 1))
    assert check_vectors(specification, tmp_path) == [
        "old.json: old_1/cut-short is not what the layout says any more"
    ]
    old.write_text(text.replace('"wire": "', '"wire": "ff', 1))
    assert "old_1/full" in check_vectors(specification, tmp_path)[0]
    old.write_text(text.replace('"layouts": [', '"layouts": [{}, ', 1))
    assert check_vectors(specification, tmp_path) == [
        "old.json holds other layouts than OLD has"
    ]
