"""Rules across the root files: errors, limits, states, features, ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wigwag.spec._ir import Protocol
from wigwag.spec._locate import Table
from wigwag.spec._mistakes import Mistakes, suggestion
from wigwag.spec._model import Model, Tables
from wigwag.spec._parse_tables import ERROR_CLASSES

# What the codec itself answers with (`_rules.py`).
CODEC_ERRORS = ("MALFORMED", "UNKNOWN_CRITICAL", "UNSUPPORTED", "LIMIT", "INVALID_TEXT")
CODEC_LIMITS = ("array_count_max", "nesting_max", "tags_max", "unknown_tags_bytes_max")


def is_grease(number: int, protocol: Protocol) -> bool:
    """Say whether a number is reserved for values that nobody may know."""
    return number & protocol.grease_mask == protocol.grease_low_bits


def check_unique(
    items: Iterable[tuple[object, Table]], key: str, what: str, mistakes: Mistakes
) -> None:
    """Record every later item with the same value."""
    seen: dict[object, Table] = {}
    for value, table in items:
        if value in seen:
            file, line = seen[value].at(key)
            mistakes.add(
                table.at(key),
                f"{what} {value!r} is taken by {file}:{line}",
                "take one that was never used",
            )
        else:
            seen[value] = table


def check_known(
    table: Table,
    key: str,
    names: Sequence[str],
    known: Iterable[str],
    what: str,
    mistakes: Mistakes,
) -> None:
    """Record every name that nobody declared."""
    words = set(known)
    for name in names:
        if name not in words:
            mistakes.add(
                table.at(key), f"there is no {what} {name!r}", suggestion(name, words)
            )


def _check_errors(tables: Tables, mistakes: Mistakes) -> None:
    check_unique(
        ((item.name, table) for item, table in tables.errors), "name", "error", mistakes
    )
    check_unique(
        ((item.code, table) for item, table in tables.errors), "code", "code", mistakes
    )
    for item, table in tables.errors:
        nibble = ERROR_CLASSES.index(item.class_) + 1
        if item.code >> 12 != nibble:
            mistakes.add(
                table.at("code"),
                f"code {item.code:#06x} is not of class {item.class_}",
                f"write a code from {nibble << 12} to {(nibble << 12) + 0xFFF}",
            )
        if is_grease(item.code, tables.protocol):
            mistakes.add(
                table.at("code"),
                f"code {item.code} is reserved for grease",
                "take the next one",
            )
    names = {item.name for item, _ in tables.errors}
    for name in CODEC_ERRORS:
        if name not in names:
            mistakes.add(
                ("errors.toml", 1), f"the codec's error {name} is missing", "add it"
            )


def _check_limits(tables: Tables, mistakes: Mistakes) -> None:
    check_unique(
        ((item.name, table) for item, table in tables.limits), "name", "limit", mistakes
    )
    for item, table in tables.limits:
        if not item.min <= item.value <= item.max:
            mistakes.add(
                table.at("value"),
                f"{item.value} is outside the limit's own range {item.min}..{item.max}",
                "widen the range or change the value",
            )
    names = {item.name for item, _ in tables.limits}
    for name in CODEC_LIMITS:
        if name not in names:
            mistakes.add(
                ("limits.toml", 1), f"the codec's limit {name} is missing", "add it"
            )


def _check_states(model: Model, mistakes: Mistakes) -> None:
    tables = model.tables
    states = [item.name for item, _ in tables.states]
    limits = [item.name for item, _ in tables.limits]
    errors = [item.name for item, _ in tables.errors]
    messages = {message.item.name: message.item for message in model.messages}
    check_unique(
        ((item.name, table) for item, table in tables.states), "name", "state", mistakes
    )
    for state, table in tables.states:
        check_known(
            table, "frame_limit", [state.frame_limit], limits, "limit", mistakes
        )
    check_unique(
        (((item.state, item.message), table) for item, table in tables.transitions),
        "message",
        "transition",
        mistakes,
    )
    for move, table in tables.transitions:
        check_known(table, "state", [move.state], states, "state", mistakes)
        check_known(table, "next", [move.next], states, "state", mistakes)
        check_known(table, "message", [move.message], messages, "message", mistakes)
        message = messages.get(move.message)
        if (
            message is not None
            and move.state in states
            and move.state not in message.states
        ):
            mistakes.add(
                table.at("message"),
                f"{move.message} is not legal in {move.state}",
                "add the state to the message or remove the transition",
            )
    check_unique(
        (((item.state, item.role), table) for item, table in tables.timeouts),
        "role",
        "timeout",
        mistakes,
    )
    for timeout, table in tables.timeouts:
        check_known(table, "state", [timeout.state], states, "state", mistakes)
        check_known(table, "limit", [timeout.limit], limits, "limit", mistakes)
        check_known(table, "error", [timeout.error], errors, "error", mistakes)


def _check_features(tables: Tables, mistakes: Mistakes) -> None:
    check_unique(
        ((item.name, table) for item, table in tables.features),
        "name",
        "feature",
        mistakes,
    )
    check_unique(
        ((item.id, table) for item, table in tables.features),
        "id",
        "feature id",
        mistakes,
    )
    names = {item.name: item for item, _ in tables.features}
    for item, table in tables.features:
        check_known(table, "depends", item.depends, names, "feature", mistakes)
        if is_grease(item.id, tables.protocol):
            mistakes.add(
                table.at("id"),
                f"feature id {item.id} is reserved for grease",
                "take the next one",
            )
        if item.id >= tables.protocol.vendor_ids_from:
            mistakes.add(
                table.at("id"),
                f"feature id {item.id} is a vendor's",
                f"take one below {tables.protocol.vendor_ids_from}",
            )
        reached, waiting = set[str](), list(item.depends)
        while waiting:
            name = waiting.pop()
            if name not in reached and name in names:
                reached.add(name)
                waiting += names[name].depends
        if item.name in reached:
            mistakes.add(
                table.at("depends"),
                f"{item.name} depends on itself",
                "break the circle",
            )


def _check_ledger(tables: Tables, mistakes: Mistakes) -> None:
    for place, (release, table) in enumerate(tables.releases, 1):
        if release.number != place:
            mistakes.add(
                table.at("number"),
                f"revision {release.number} stands where {place} must",
                f"write number = {place}; the ledger has no gap and only grows",
            )
    if tables.draft is not None:
        draft, table = tables.draft
        following = len(tables.releases) + 1
        if draft.number != following:
            mistakes.add(
                table.at("number"),
                f"the draft's number {draft.number} is not the next one",
                f"write number = {following}",
            )
    elif not tables.releases:
        mistakes.add(
            ("revisions.toml", 1),
            "there is neither a revision nor a draft",
            "write a [draft]",
        )


def check_tables(model: Model, mistakes: Mistakes) -> None:
    """Check errors, limits, states, features, ledger and requirements."""
    tables = model.tables
    _check_errors(tables, mistakes)
    _check_limits(tables, mistakes)
    _check_states(model, mistakes)
    _check_features(tables, mistakes)
    _check_ledger(tables, mistakes)
    check_unique(
        ((item.id, table) for item, table in tables.requirements),
        "id",
        "requirement",
        mistakes,
    )
