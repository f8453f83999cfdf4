"""Rules among the fields of one message or struct."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from wigwag.spec._check_tables import is_grease
from wigwag.spec._ir import ALWAYS, Field, RevisionRange
from wigwag.spec._mistakes import Mistakes, suggestion
from wigwag.spec._model import DeclaredField, DeclaredTombstone, Model


def _check_numbers(
    fields: Sequence[DeclaredField],
    tombstones: Sequence[DeclaredTombstone],
    mistakes: Mistakes,
) -> None:
    """No number and no name ever means a second thing."""
    dead = {(tomb.item.is_tag, tomb.item.number): tomb for tomb in tombstones}
    dead_names = {tomb.item.name: tomb for tomb in tombstones}
    names: dict[tuple[bool, int], DeclaredField] = {}
    numbers: dict[str, DeclaredField] = {}
    for field in fields:
        item, kind = field.item, "tag" if field.item.is_tag else "ord"
        place = (item.is_tag, item.number)
        if place in dead:
            mistakes.add(
                field.table.at(kind),
                f"{kind} {item.number} was {dead[place].item.name!r}, which "
                "has a tombstone",
                "take a number that was never used",
            )
        if item.name in dead_names:
            mistakes.add(
                field.table.at("name"),
                f"the name {item.name!r} has a tombstone",
                "choose another",
            )
        first = names.setdefault(place, field)
        if first.item.name != item.name:
            mistakes.add(
                field.table.at(kind),
                f"{kind} {item.number} is {first.item.name!r} already",
                "take a number that was never used",
            )
        same = numbers.setdefault(item.name, field)
        if (same.item.is_tag, same.item.number) != place:
            mistakes.add(
                field.table.at("name"),
                f"the name {item.name!r} is taken by another number",
                "choose another",
            )


def _check_order(
    fields: Sequence[DeclaredField],
    tombstones: Sequence[DeclaredTombstone],
    mistakes: Mistakes,
) -> None:
    """Files read in wire order, and a number that is skipped says why."""
    for is_tag, kind in ((False, "ord"), (True, "tag")):
        previous = 0
        for field in fields:
            if field.item.is_tag is is_tag:
                if field.item.number < previous:
                    mistakes.add(
                        field.table.at(kind),
                        f"{kind} {field.item.number} stands after {previous}",
                        "list the fields by rising number",
                    )
                previous = max(previous, field.item.number)
    if fields and any(
        before.item.is_tag and not after.item.is_tag
        for before, after in pairwise(fields)
    ):
        first_tag = next(field for field in fields if field.item.is_tag)
        mistakes.add(
            first_tag.table.at("tag"),
            "a tag stands before a field with an `ord`",
            "list the tags last",
        )
    places = [(f.item.number, f.table) for f in fields if not f.item.is_tag]
    places += [(t.item.number, t.table) for t in tombstones if not t.item.is_tag]
    used = {number for number, _ in places}
    for number in range(1, max(used, default=0)):
        if number not in used:
            _, table = min(
                (place for place in places if place[0] > number),
                key=lambda place: place[0],
            )
            mistakes.add(
                table.at("ord"),
                f"ord {number} is missing",
                "renumber, or write a [[tombstone]] for it",
            )


def _check_ranges(fields: Sequence[DeclaredField], mistakes: Mistakes) -> None:
    """Several ranges of one field never overlap and keep its type and default."""
    by_number: defaultdict[tuple[bool, int], list[DeclaredField]] = defaultdict(list)
    for field in fields:
        earlier = by_number[field.item.is_tag, field.item.number]
        for other in earlier:
            if other.item.name != field.item.name:
                continue
            if other.item.revisions.overlaps(field.item.revisions):
                mistakes.add(
                    field.table.at("rev"),
                    f"{field.item.name!r} is declared twice for one revision",
                    "give the declarations ranges that don't overlap",
                )
            for key in ("type", "default", "key", "sensitive", "lossy_ok"):
                if getattr(other.item, key) != getattr(field.item, key):
                    mistakes.add(
                        field.table.at(key),
                        f"`{key}` of {field.item.name!r} differs from its "
                        "earlier range",
                        "only bounds and presence may change; else take a new number",
                    )
            if field.item.prefix and field.item.high >= 1 << (8 * field.item.prefix):
                mistakes.add(
                    field.table.at("max"),
                    f"{field.item.high} does not fit the length prefix of "
                    f"{field.item.prefix} bytes, which is frozen",
                    "take a new number",
                )
        earlier.append(field)


def present_everywhere(
    name: str, fields: Sequence[Field], owner: RevisionRange, newest: int
) -> bool:
    """Say whether a field is on the wire in every revision of its owner."""
    ranges = [field.revisions for field in fields if field.name == name]
    last = newest if owner.last is None else min(owner.last, newest)
    return all(
        any(range_.holds(revision) for range_ in ranges)
        for revision in range(owner.first, last + 1)
    )


def _check_one(
    field: DeclaredField,
    items: Sequence[Field],
    owner: RevisionRange,
    model: Model,
    mistakes: Mistakes,
) -> None:
    item, newest = field.item, model.tables.newest_revision
    if not owner.covers(item.revisions):
        mistakes.add(
            field.table.at("rev"),
            f"revisions {item.revisions} go beyond the {owner} of what holds the field",
            "narrow the range",
        )
    if item.revisions.first > newest:
        mistakes.add(
            field.table.at("rev"),
            f"revision {item.revisions.first} does not exist",
            f"the newest is {newest}",
        )
    elif (
        not item.is_tag
        and not item.has_default
        and not present_everywhere(item.name, items, owner, newest)
    ):
        mistakes.add(
            field.table.at("name"),
            f"{item.name!r} is absent in some revisions and has no default",
            "write default = …, its value where it is absent",
        )
    if item.is_tag:
        if is_grease(item.number, model.tables.protocol):
            mistakes.add(
                field.table.at("tag"),
                f"tag {item.number} is reserved for grease",
                "take the next odd or even one",
            )
        if item.number >= model.tables.protocol.vendor_ids_from:
            mistakes.add(
                field.table.at("tag"),
                f"tag {item.number} is a vendor's",
                f"take one below {model.tables.protocol.vendor_ids_from}",
            )
    if item.type.kind == "array" and item.high > model.tables.limit(
        "array_count_max", 1024
    ):
        mistakes.add(
            field.table.at("max"),
            f"{item.high} elements are more than array_count_max",
            "lower `max`",
        )
    _check_key(field, model, mistakes)


def _check_key(field: DeclaredField, model: Model, mistakes: Mistakes) -> None:
    item, element = field.item, field.item.type.element
    if not item.key or element is None:
        return
    if element.kind != "struct":
        if item.key != (".",):
            mistakes.add(
                field.table.at("key"),
                f"{element.text} has no fields",
                'write key = "."',
            )
        elif element.signed or element.kind == "bool":
            mistakes.add(
                field.table.at("key"),
                f"{element.text} is no key",
                "sort by an unsigned integer, bytes[N] or uuid",
            )
        return
    inner = {
        part.name: part
        for struct in model.structs
        if struct.item.name == element.name
        for part in struct.item.fields
    }
    for name in item.key:
        if name not in inner:
            mistakes.add(
                field.table.at("key"),
                f"{element.name} has no field {name!r}",
                suggestion(name, inner),
            )
        elif (
            inner[name].type.width == 0
            or inner[name].type.signed
            or inner[name].revisions != ALWAYS
        ):
            # Raw bytes of these sort like their values, in every revision.
            mistakes.add(
                field.table.at("key"),
                f"{element.name}.{name} is no key",
                "sort by unsigned integers, bytes[N] or uuids that every revision has",
            )


def check_fields(model: Model, mistakes: Mistakes) -> None:
    """Check the fields of every struct and message."""
    owners = [(struct.fields, struct.tombstones, ALWAYS) for struct in model.structs]
    owners += [
        (message.fields, message.tombstones, message.item.revisions)
        for message in model.messages
    ]
    for fields, tombstones, revisions in owners:
        _check_numbers(fields, tombstones, mistakes)
        _check_order(fields, tombstones, mistakes)
        _check_ranges(fields, mistakes)
        items = [field.item for field in fields]
        for field in fields:
            _check_one(field, items, revisions, model, mistakes)
