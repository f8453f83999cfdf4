"""Golden vectors: a value and its bytes for each layout, made once, then checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wigwag.spec._code import Catalogue, snake
from wigwag.spec._generate_tables import wire_revision
from wigwag.spec._ir import Message, Specification
from wigwag.spec._layout import Layout
from wigwag.spec._reference import Reference, Refusal
from wigwag.spec._values import Sampler, from_json, to_json


def _invalid(
    reference: Reference, name: str, revision: int, body: bytes
) -> Iterator[dict[str, Any]]:
    """Yield bodies that are wrong in the ways that every layout can be."""
    changes = {"cut-short": body[:-1], "one-byte-more": body + b"\0", "empty": b""}
    for label, changed in changes.items():
        try:
            reference.decode(name, revision, changed)
        except Refusal as refusal:
            yield {
                "id": f"{snake(name)}_{revision}/{label}",
                "result": "invalid",
                "requirements": [refusal.rule.requirement],
                "wire": changed.hex(),
                "code": refusal.code,
                "closes": refusal.closes,
                "offset": refusal.offset,
            }


def _of_layout(
    reference: Reference, layout: Layout, requirements: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    name, revision = layout.layout.record, layout.revisions[0]
    for label, full in (("full", True), ("least", False)):
        value = Sampler(reference.specification, full).record(layout.layout)
        body = reference.encode(name, revision, value)
        yield {
            "id": f"{snake(name)}_{revision}/{label}",
            "result": "valid",
            "requirements": list(requirements),
            "wire": body.hex(),
            "value": to_json(layout.layout, value),
        }
        if full:
            yield from _invalid(reference, name, revision, body)


def render_vectors(specification: Specification) -> dict[str, str]:
    """Return file name → JSON text of the vectors of every message and struct."""
    catalogue, reference = Catalogue(specification), Reference(specification)
    files: dict[str, str] = {}
    for owner in catalogue.owners:
        requirements = (
            owner.requirements if isinstance(owner, Message) else ("R-VALUE-011",)
        )
        layouts = [
            {
                "revisions": [
                    wire_revision(number, specification) for number in layout.revisions
                ],
                "vectors": list(_of_layout(reference, layout, requirements)),
            }
            for layout in catalogue.layouts[owner.name]
        ]
        kind = "message" if isinstance(owner, Message) else "struct"
        content = {kind: owner.name, "layouts": layouts}
        files[f"{snake(catalogue.class_of(owner))}.json"] = (
            json.dumps(content, indent=1) + "\n"
        )
    return files


def check_vectors(specification: Specification, folder: Path) -> list[str]:
    """Return what is wrong with the committed vectors, one sentence each.

    A vector is an agreement with whoever reads the protocol, so it is never made anew
    while its layout lives: the reference must still agree with it.
    """
    catalogue, reference = Catalogue(specification), Reference(specification)
    wrong: list[str] = []
    for owner in catalogue.owners:
        path = folder / f"{snake(catalogue.class_of(owner))}.json"
        if not path.is_file():
            wrong.append(f"{path.name} is missing; run `wigwag spec vectors`")
            continue
        content = json.loads(path.read_text(encoding="utf-8"))
        layouts = catalogue.layouts[owner.name]
        if len(content["layouts"]) != len(layouts):
            wrong.append(f"{path.name} holds other layouts than {owner.name} has")
            continue
        for layout, shown in zip(layouts, content["layouts"], strict=True):
            wrong += [
                f"{path.name}: {vector['id']} is not what the layout says any more"
                for vector in shown["vectors"]
                if not _agrees(reference, layout, vector)
            ]
    return wrong


def _agrees(reference: Reference, layout: Layout, vector: dict[str, Any]) -> bool:
    name, revision, body = (
        layout.layout.record,
        layout.revisions[0],
        bytes.fromhex(vector["wire"]),
    )
    try:
        value = reference.decode(name, revision, body)
    except Refusal as refusal:
        return vector["result"] == "invalid" and [
            refusal.code,
            refusal.offset,
            refusal.closes,
        ] == [vector["code"], vector["offset"], vector["closes"]]
    return vector["result"] == "valid" and value == from_json(
        layout.layout, vector["value"]
    )


def add_vectors(specification: Specification, folder: Path) -> list[str]:
    """Write the vector files that are missing, touch no other; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    added = [
        name for name in render_vectors(specification) if not (folder / name).exists()
    ]
    rendered = render_vectors(specification)
    for name in added:
        (folder / name).write_text(rendered[name], encoding="utf-8")
    return added
