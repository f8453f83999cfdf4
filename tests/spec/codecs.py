"""Both protocols of these tests: the product's, and one that has every feature."""

# ruff: noqa: ANN401 - records of generated modules are known at run time only

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import msgspec

from wigwag.spec._check_types import record_name
from wigwag.spec._code import Catalogue
from wigwag.spec._generate import PACKAGE, render_codec, write_files
from wigwag.spec._generate_tables import wire_revision
from wigwag.spec._ir import Message, Specification, Structure, Type
from wigwag.spec._layout import Layout, record_fields
from wigwag.spec._load import product_root
from wigwag.spec._reference import Reference
from wigwag.spec._resolve import load_specification

TRIAL_ROOT = Path(__file__).parent / "protocol"
TRIAL_PACKAGE = "trial_codec"


@dataclass(frozen=True)
class Codec:
    """A protocol with its reference and its generated codec."""

    name: str
    specification: Specification
    catalogue: Catalogue
    reference: Reference
    table: ModuleType
    records: ModuleType

    def layouts(self) -> list[tuple[Structure | Message, Layout]]:
        """Return every layout of every message and struct."""
        return [
            (owner, layout)
            for owner in self.catalogue.owners
            for layout in self.catalogue.layouts[owner.name]
        ]

    def fast(self, owner: Structure | Message, revision: int) -> Any:
        """Return the generated layout at a revision."""
        wire = wire_revision(revision, self.specification)
        if isinstance(owner, Message):
            return self.table.MESSAGES[owner.type].layout(wire)
        return self.table.STRUCTS[getattr(self.records, owner.name)][wire]

    def record(self, name: str, value: Mapping[str, Any]) -> Any:
        """Return the record that a value of the reference stands for."""
        owner = self.catalogue.owner(name)
        class_ = getattr(
            self.records, name if isinstance(owner, Structure) else record_name(name)
        )
        arguments = {
            field.attribute: self._item(field.type, value[field.attribute])
            for field in record_fields(owner.fields)
        }
        if "unknown" in value:
            arguments["unknown"] = value["unknown"]
        return class_(**arguments)

    def _item(self, type_: Type, value: Any) -> Any:
        if value is None:
            return None
        if type_.element is not None:
            return tuple(self._item(type_.element, item) for item in value)
        if type_.kind == "struct":
            return self.record(type_.name, value)
        enum = self.catalogue.closed(type_)
        return value if enum is None else getattr(self.records, enum.name)(value)


def plain(value: Any) -> Any:
    """Return a record as the reference's values have it."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in cast("Sequence[Any]", value))
    return (
        int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    )


def _codec(name: str, specification: Specification, package: str) -> Codec:
    # First, so that the shared fault finders are there before the trial's codec asks.
    importlib.import_module("wigwag.wire")
    return Codec(
        name,
        specification,
        Catalogue(specification),
        Reference(specification),
        importlib.import_module(f"{package}.table"),
        importlib.import_module(f"{package}.records"),
    )


@lru_cache(maxsize=1)
def product() -> Codec:
    """Return the product's protocol with its committed codec."""
    return _codec("product", load_specification(product_root()), PACKAGE)


@lru_cache(maxsize=1)
def trial() -> Codec:
    """Return the trial protocol with a codec generated now."""
    specification = load_specification(TRIAL_ROOT)
    with tempfile.TemporaryDirectory() as folder:
        write_files(
            render_codec(specification, TRIAL_PACKAGE), Path(folder) / TRIAL_PACKAGE
        )
        sys.path.insert(0, folder)
        try:
            return _codec("trial", specification, TRIAL_PACKAGE)
        finally:
            sys.path.remove(folder)


@dataclass(frozen=True)
class Case:
    """One layout of one protocol."""

    codec: Codec
    owner: Structure | Message
    layout: Layout

    @property
    def name(self) -> str:
        """Name of the message or struct."""
        return self.owner.name

    @property
    def revision(self) -> int:
        """The first revision with the layout."""
        return self.layout.revisions[0]

    @property
    def fast(self) -> Any:
        """The generated codec of the layout."""
        return self.codec.fast(self.owner, self.revision)

    def __str__(self) -> str:
        return f"{self.codec.name}-{self.layout.name}"


def all_cases() -> list[Case]:
    """Return every layout of both protocols."""
    return [
        Case(codec, owner, layout)
        for codec in (trial(), product())
        for owner, layout in codec.layouts()
    ]
