"""Renders every generated file of the product, and says which ones are stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from wigwag.spec._code import Catalogue
from wigwag.spec._content import load_content, render_content
from wigwag.spec._generate_decode import render_decoders
from wigwag.spec._generate_encode import render_encoders
from wigwag.spec._generate_records import render_records
from wigwag.spec._generate_shapes import render_shapes
from wigwag.spec._generate_tables import (
    render_errors,
    render_features,
    render_init,
    render_limits,
    render_states,
    render_table,
)
from wigwag.spec._ir import Specification
from wigwag.spec._suite import load_suite
from wigwag.spec._suite_render import render_suite

PACKAGE = "wigwag.wire._generated"

_RENDERERS: Mapping[str, Callable[[Catalogue, str], str]] = {
    "__init__.py": render_init,
    "records.py": render_records,
    "shapes.py": render_shapes,
    "decoders.py": render_decoders,
    "encoders.py": render_encoders,
    "table.py": render_table,
    "errors.py": render_errors,
    "limits.py": render_limits,
    "states.py": render_states,
    "features.py": render_features,
}


def render_codec(
    specification: Specification, package: str = PACKAGE
) -> dict[str, str]:
    """Return file name → text of a codec package.

    Args:
        specification: The protocol.
        package: Dotted name under which the files will be imported.
    """
    catalogue = Catalogue(specification)
    return {name: render(catalogue, package) for name, render in _RENDERERS.items()}


def render_all(specification: Specification, root: Traversable) -> dict[str, str]:
    """Return file name → text of everything in `wire/wigwag/wire/_generated/`."""
    source = Path(str(root))
    return {
        **render_codec(specification),
        "suite_1.py": render_suite(load_suite(source)),
        "content_1.py": render_content(load_content(source)),
    }


def stale_files(rendered: Mapping[str, str], folder: Path) -> list[str]:
    """Return the names whose file is missing, differs, or should not be there."""
    present = {path.name for path in folder.glob("*.py")}
    differing = [
        name
        for name, text in rendered.items()
        if name not in present or (folder / name).read_text(encoding="utf-8") != text
    ]
    return sorted(differing + [name for name in present if name not in rendered])


def write_files(rendered: Mapping[str, str], folder: Path) -> list[str]:
    """Write what is stale and remove what nobody renders; return the names."""
    stale = stale_files(rendered, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in rendered:
            (folder / name).write_text(rendered[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return stale
