"""Turns source into the resolved specification, or says everything that is wrong."""

from __future__ import annotations

from importlib.resources.abc import Traversable

from wigwag.spec._check_fields import check_fields
from wigwag.spec._check_messages import check_messages
from wigwag.spec._check_tables import check_tables
from wigwag.spec._check_types import check_types
from wigwag.spec._evolution import check_draft, check_sizes
from wigwag.spec._ir import Specification
from wigwag.spec._load import load_source
from wigwag.spec._mistakes import Mistakes
from wigwag.spec._model import Model
from wigwag.spec._parse_types import parse_model


def load_model(root: Traversable) -> Model:
    """Load and validate the specification below a root.

    Raises:
        SpecificationError: With all mistakes, each with file and line.
    """
    mistakes = Mistakes()
    model = parse_model(load_source(root, mistakes), mistakes)
    # Cross checks on a model whose parts were guessed would name mistakes that are
    # not there, so what is wrong by itself is told first.
    mistakes.raise_any()
    check_tables(model, mistakes)
    check_types(model, mistakes)
    check_fields(model, mistakes)
    check_messages(model, mistakes)
    mistakes.raise_any()
    specification = resolve(model)
    check_sizes(model, specification, mistakes)
    check_draft(model, specification, mistakes)
    mistakes.raise_any()
    return model


def resolve(model: Model) -> Specification:
    """Return the IR of a valid model."""
    tables = model.tables
    return Specification(
        protocol=tables.protocol,
        releases=tuple(release for release, _ in tables.releases),
        draft=tables.draft[0] if tables.draft else None,
        features=tuple(
            sorted((item for item, _ in tables.features), key=lambda item: item.id)
        ),
        errors=tuple(
            sorted((item for item, _ in tables.errors), key=lambda item: item.code)
        ),
        limits=tuple(item for item, _ in tables.limits),
        states=tuple(item for item, _ in tables.states),
        transitions=tuple(item for item, _ in tables.transitions),
        timeouts=tuple(item for item, _ in tables.timeouts),
        enums=tuple(enum.item for enum in model.enums),
        flagsets=tuple(flagset.item for flagset in model.flagsets),
        structs=tuple(struct.item for struct in model.structs),
        messages=tuple(message.item for message in model.messages),
        requirements=tuple(
            sorted((item for item, _ in tables.requirements), key=lambda item: item.id)
        ),
    )


def load_specification(root: Traversable) -> Specification:
    """Load, validate and resolve the specification below a root.

    Raises:
        SpecificationError: With all mistakes, each with file and line.
    """
    return resolve(load_model(root))
