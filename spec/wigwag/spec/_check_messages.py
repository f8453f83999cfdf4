"""Rules of messages: types, kinds, directions, replies, invariants, references."""

from __future__ import annotations

from wigwag.spec._check_tables import check_known, check_unique, is_grease
from wigwag.spec._check_types import struct_names
from wigwag.spec._ir import ALWAYS, Field
from wigwag.spec._mistakes import Mistakes
from wigwag.spec._model import DeclaredMessage, Model


def _check_type(message: DeclaredMessage, model: Model, mistakes: Mistakes) -> None:
    """Even types must be understood; only what may be lost is odd."""
    item, where = message.item, message.table.at("type")
    protocol = model.tables.protocol
    if is_grease(item.type, protocol):
        mistakes.add(where, f"type {item.type} is reserved for grease", "take another")
    if item.type >= protocol.vendor_ids_from:
        mistakes.add(
            where,
            f"type {item.type} is a vendor's",
            f"take one below {protocol.vendor_ids_from}",
        )
    if item.type % 2:
        reasons = {
            "a response": item.kind == "response",
            "an invariant": item.invariant,
            "a stored message": item.stored,
        }
        for reason in (reason for reason, holds in reasons.items() if holds):
            mistakes.add(
                where,
                f"{reason} of odd type {item.type} could be skipped",
                "take an even type",
            )


def _check_kind(message: DeclaredMessage, model: Model, mistakes: Mistakes) -> None:
    item, table = message.item, message.table
    kinds = {other.item.name: other.item.kind for other in model.messages}
    check_known(table, "replies", item.replies, kinds, "message", mistakes)
    for reply in item.replies:
        if kinds.get(reply, "response") != "response":
            mistakes.add(
                table.at("replies"),
                f"{reply} is not a response",
                'write kind = "response" there',
            )
    if item.kind == "request" and not item.replies:
        mistakes.add(
            table.at("kind"),
            f"the request {item.name} has no reply",
            'write replies = ["…"]',
        )
    if item.kind != "request" and item.replies:
        mistakes.add(
            table.at("replies"), f"{item.name} is not a request", "take `replies` away"
        )
    if item.stream and item.kind != "request":
        mistakes.add(
            table.at("stream"),
            f"{item.name} is not a request",
            "only a request has several answers; take `stream` away",
        )
    if item.unsolicited and item.kind != "response":
        mistakes.add(
            table.at("unsolicited"),
            f"{item.name} is not a response",
            "take `unsolicited` away",
        )
    if (
        item.kind in ("request", "oneway")
        and item.direction != "server"
        and not item.rate_class
    ):
        mistakes.add(
            table.at("name"),
            f"{item.name} comes from a client and has no `rate_class`",
            'write rate_class = "…"',
        )
    answered = {reply for other in model.messages for reply in other.item.replies}
    if item.kind == "response" and item.name not in answered and not item.unsolicited:
        mistakes.add(
            table.at("name"),
            f"no request is answered with {item.name}",
            "name it in `replies` of one",
        )


def _check_references(
    message: DeclaredMessage, model: Model, mistakes: Mistakes
) -> None:
    item, table, tables = message.item, message.table, model.tables
    check_known(
        table,
        "states",
        item.states,
        (state.name for state, _ in tables.states),
        "state",
        mistakes,
    )
    check_known(
        table,
        "errors",
        item.errors,
        (error.name for error, _ in tables.errors),
        "error",
        mistakes,
    )
    check_known(
        table,
        "requirements",
        item.requirements,
        (requirement.id for requirement, _ in tables.requirements),
        "requirement",
        mistakes,
    )
    if not item.requirements:
        mistakes.add(
            table.at("name"),
            f"{item.name} has no requirement",
            'write requirements = ["R-…"]',
        )
    if not item.states:
        mistakes.add(
            table.at("states"), f"{item.name} is legal in no state", "name one"
        )
    names = {field.name for field in item.fields}
    if item.idempotency not in (*names, "none"):
        check_known(
            table,
            "idempotency",
            [item.idempotency],
            (*names, "none"),
            "field",
            mistakes,
        )


def _check_revisions(
    message: DeclaredMessage, model: Model, mistakes: Mistakes
) -> None:
    revisions, newest = message.item.revisions, model.tables.newest_revision
    if revisions.first > newest:
        mistakes.add(
            message.table.at("since"),
            f"revision {revisions.first} does not exist",
            f"the newest is {newest}",
        )
    if revisions.last is not None and revisions.last < revisions.first:
        mistakes.add(
            message.table.at("until"),
            "`until` is before `since`",
            f"write until = {revisions.first} or more",
        )


def _revision_free(fields: tuple[Field, ...], model: Model) -> str:
    """Return the first field at any depth that depends on the revision, or ""."""
    for field in fields:
        if field.revisions != ALWAYS:
            return field.name
        if inner := struct_names(field.type):
            struct = next(item for item in model.structs if item.item.name == inner)
            if name := _revision_free(struct.item.fields, model):
                return f"{field.name}.{name}"
        values = [
            value
            for enum in model.enums
            if enum.item.name == field.type.name
            for value in enum.item.values
        ]
        if any(value.revisions != ALWAYS for value in values):
            return field.name
    return ""


def _check_invariant(
    message: DeclaredMessage, model: Model, mistakes: Mistakes
) -> None:
    """An invariant is read before a revision is agreed, so it can't depend on one."""
    if not message.item.invariant:
        return
    if message.item.revisions != ALWAYS:
        mistakes.add(
            message.table.at("since"),
            f"the invariant {message.item.name} does not exist in every revision",
            "write since = 1 and no `until`",
        )
    elif name := _revision_free(message.item.fields, model):
        mistakes.add(
            message.table.at("invariant"),
            f"{name!r} of the invariant {message.item.name} depends on the revision",
            "an invariant never changes; add a tag or another message",
        )


def check_messages(model: Model, mistakes: Mistakes) -> None:
    """Check every message."""
    check_unique(
        ((message.item.name, message.table) for message in model.messages),
        "name",
        "message",
        mistakes,
    )
    check_unique(
        ((message.item.type, message.table) for message in model.messages),
        "type",
        "type",
        mistakes,
    )
    for message in model.messages:
        _check_type(message, model, mistakes)
        _check_kind(message, model, mistakes)
        _check_references(message, model, mistakes)
        _check_revisions(message, model, mistakes)
        if message.item.revisions.first <= model.tables.newest_revision:
            _check_invariant(message, model, mistakes)
