"""Parses the root files and the requirements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from wigwag.spec._ir import (
    Draft,
    ErrorKind,
    Feature,
    Limit,
    Protocol,
    Release,
    Requirement,
    State,
    Timeout,
    Transition,
)
from wigwag.spec._load import Source
from wigwag.spec._locate import Table
from wigwag.spec._mistakes import Mistakes, suggestion
from wigwag.spec._model import Tables
from wigwag.spec._reader import Reader

ERROR_CLASSES = ("connection_fatal", "permanent", "retryable", "auth", "slow_down")
UPPER = r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"
LOWER = r"[a-z][a-z0-9]*(_[a-z0-9]+)*_?"
UPPER_FORM = "CAPITALS with underscores"
LOWER_FORM = "small letters with underscores"
NUMBER_MAX = 2**63 - 1
U16_MAX = 0xFFFF
DRAFT_BIT = 0x8000

Item = TypeVar("Item")


def parse_each(
    tables: Sequence[Table],
    name: str,
    parse: Callable[[Reader], Item],
    mistakes: Mistakes,
) -> tuple[tuple[Item, Table], ...]:
    """Parse the tables of one name and finish each."""
    items: list[tuple[Item, Table]] = []
    for table in tables:
        if table.name == name:
            reader = Reader(table, mistakes)
            items.append((parse(reader), table))
            reader.finish()
    return tuple(items)


def check_table_names(
    tables: Sequence[Table], known: Sequence[str], mistakes: Mistakes
) -> None:
    """Record tables that the file must not hold."""
    for table in tables:
        if table.name not in known:
            mistakes.add(
                table.at(),
                f"a table {table.name!r} does not belong here",
                suggestion(table.name, known),
            )


def _protocol(reader: Reader) -> Protocol:
    return Protocol(
        name=reader.name("name", LOWER, LOWER_FORM),
        alpn=reader.text("alpn"),
        header_bytes=reader.whole("header_bytes", 1, 64),
        support_window_revisions=reader.whole("support_window_revisions", 1, 1000),
        grease_low_bits=reader.whole("grease_low_bits", 0, 255),
        grease_mask=reader.whole("grease_mask", 1, 255),
        vendor_ids_from=reader.whole("vendor_ids_from", 1, U16_MAX),
        doc=reader.text("doc"),
    )


def _digest(reader: Reader) -> str:
    return reader.name("digest", r"[0-9a-f]{64}", "64 hexadecimal digits")


def _release(reader: Reader) -> Release:
    return Release(
        number=reader.whole("number", 1, DRAFT_BIT - 1),
        date=reader.name("date", r"\d{4}-\d\d-\d\d", "a date like 2026-01-31"),
        digest=_digest(reader),
        summary=reader.text("summary"),
    )


def _draft(reader: Reader) -> Draft:
    return Draft(
        number=reader.whole("number", 1, DRAFT_BIT - 1),
        build=reader.whole("build", 1, DRAFT_BIT - 1),
        summary=reader.text("summary"),
        digest=_digest(reader) if reader.has("digest") else "",
    )


def _feature(reader: Reader) -> Feature:
    return Feature(
        name=reader.name("name", UPPER, UPPER_FORM),
        id=reader.whole("id", 1, U16_MAX),
        depends=reader.names("depends"),
        doc=reader.text("doc"),
    )


def _error(reader: Reader) -> ErrorKind:
    return ErrorKind(
        name=reader.name("name", UPPER, UPPER_FORM),
        code=reader.whole("code", 1, U16_MAX),
        class_=reader.choice("class", ERROR_CLASSES),
        scope=reader.choice("scope", ("connection", "request", "either")),
        retry=reader.choice("retry", ("never", "later", "after_fix", "reconnect")),
        outcome=reader.choice("outcome", ("none", "unknown")),
        fault=reader.choice("fault", ("client", "server", "peer", "nobody")),
        doc=reader.text("doc"),
        action=reader.text("action"),
    )


def _limit(reader: Reader) -> Limit:
    return Limit(
        name=reader.name("name", LOWER, LOWER_FORM),
        value=reader.whole("value", 0, NUMBER_MAX),
        min=reader.whole("min", 0, NUMBER_MAX),
        max=reader.whole("max", 0, NUMBER_MAX),
        unit=reader.text("unit"),
        doc=reader.text("doc"),
    )


def _state(reader: Reader) -> State:
    return State(
        name=reader.name("name", UPPER, UPPER_FORM),
        frame_limit=reader.text("frame_limit"),
        doc=reader.text("doc"),
    )


def _transition(reader: Reader) -> Transition:
    return Transition(
        state=reader.text("state"),
        message=reader.text("message"),
        next=reader.text("next"),
    )


def _timeout(reader: Reader) -> Timeout:
    return Timeout(
        state=reader.text("state"),
        role=reader.choice("role", ("client", "server")),
        limit=reader.text("limit"),
        error=reader.text("error"),
    )


def _requirement(reader: Reader) -> Requirement:
    return Requirement(
        id=reader.name("id", r"R-[A-Z]+-\d{3}", "an id like R-FRAME-007"),
        level=reader.choice(
            "level", ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")
        ),
        side=reader.choice("side", ("sender", "receiver")),
        text=reader.text("text"),
    )


def parse_tables(source: Source, mistakes: Mistakes) -> Tables:
    """Parse everything but types and messages."""

    def each(
        file: str, name: str, parse: Callable[[Reader], Item]
    ) -> tuple[tuple[Item, Table], ...]:
        return parse_each(source.of_file(f"{file}.toml"), name, parse, mistakes)

    for file, known in (
        ("protocol", ("protocol",)),
        ("revisions", ("revision", "draft")),
        ("features", ("feature",)),
        ("errors", ("error",)),
        ("limits", ("limit",)),
        ("states", ("state", "transition", "timeout")),
    ):
        check_table_names(source.of_file(f"{file}.toml"), known, mistakes)
    requirements: list[tuple[Requirement, Table]] = []
    for _, tables in source.of_folder("requirements"):
        check_table_names(tables, ("requirement",), mistakes)
        requirements += parse_each(tables, "requirement", _requirement, mistakes)
    protocols = each("protocol", "protocol", _protocol)
    if not protocols and "protocol.toml" in source.tables:
        mistakes.add(("protocol.toml", 1), "there is no [protocol]", "write one")
    drafts = each("revisions", "draft", _draft)
    return Tables(
        protocol=protocols[0][0]
        if protocols
        else Protocol("?", "?", 12, 1, 0, 255, U16_MAX, "?"),
        releases=each("revisions", "revision", _release),
        draft=drafts[0] if drafts else None,
        features=each("features", "feature", _feature),
        errors=each("errors", "error", _error),
        limits=each("limits", "limit", _limit),
        states=each("states", "state", _state),
        transitions=each("states", "transition", _transition),
        timeouts=each("states", "timeout", _timeout),
        requirements=tuple(requirements),
    )
