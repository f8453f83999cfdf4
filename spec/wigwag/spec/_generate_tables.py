"""Renders the tables: messages, errors, limits, states, features, revisions."""

from __future__ import annotations

from wigwag.spec._code import Catalogue, Code, is_sensitive
from wigwag.spec._generate_records import HEADING
from wigwag.spec._ir import Message, Specification

DRAFT_BIT = 0x8000


def _start(title: str) -> Code:
    code = Code()
    code.add(*HEADING.format(title=title).split("\n"))
    return code


def wire_revision(number: int, specification: Specification) -> int:
    """Return what the wire calls a revision: the draft is 0x8000 | build."""
    draft = specification.draft
    return (
        DRAFT_BIT | draft.build
        if draft is not None and draft.number == number
        else number
    )


def render_errors(catalogue: Catalogue, package: str) -> str:
    """Return the text of `errors.py`."""
    code = _start("Error codes: their class, outcome and whose fault they are.")
    code.add(
        "from enum import IntEnum",
        "",
        "from wigwag.wire._message_info import ErrorInfo",
        "",
        "",
    )
    errors = catalogue.specification.errors
    with code.block("class ErrorCode(IntEnum):"):
        code.docstring(
            "Codes; the high nibble is the class, so an unknown one has "
            "defined behaviour."
        )
        code.add("")
        for error in errors:
            code.add(f"{error.name} = {error.code:#06x}")
            code.docstring(error.doc)
    code.add("", "", "ERRORS: dict[int, ErrorInfo] = {")
    for error in errors:
        values = [
            error.name,
            error.code,
            error.class_,
            error.scope,
            error.retry,
            error.outcome,
            error.fault,
            error.doc,
            error.action,
        ]
        code.add(
            f"    ErrorCode.{error.name}: ErrorInfo(",
            *(f"        {value!r}," for value in values),
            "    ),",
        )
    code.add("}")
    return code.text()


def render_limits(catalogue: Catalogue, package: str) -> str:
    """Return the text of `limits.py`."""
    code = _start(
        "Limits that a peer can see, with the range an operator may choose from."
    )
    code.add(
        "from wigwag.wire._message_info import LimitInfo",
        "",
        "LIMITS: dict[str, LimitInfo] = {",
    )
    for limit in catalogue.specification.limits:
        values = [limit.name, limit.value, limit.min, limit.max, limit.unit, limit.doc]
        code.add(
            f"    {limit.name!r}: LimitInfo(",
            *(f"        {value!r}," for value in values),
            "    ),",
        )
    code.add("}")
    return code.text()


def render_states(catalogue: Catalogue, package: str) -> str:
    """Return the text of `states.py`."""
    specification = catalogue.specification
    code = _start(
        "Connection states: what is legal in each, what moves on, and when it "
        "times out."
    )
    code.add(
        "from wigwag.wire._message_info import StateInfo, TimeoutInfo",
        "",
        "STATES: dict[str, StateInfo] = {",
    )
    for state in specification.states:
        code.add(
            f"    {state.name!r}: StateInfo({state.name!r}, "
            f"{state.frame_limit!r}, {state.doc!r}),"
        )
    code.add(
        "}", "", "# (state, type) → next state; what is not here stays in its state."
    )
    code.add("TRANSITIONS: dict[tuple[str, int], str] = {")
    types = {message.name: message.type for message in specification.messages}
    for move in specification.transitions:
        code.add(
            f"    ({move.state!r}, {types[move.message]}): {move.next!r},  # "
            f"{move.message}"
        )
    code.add(
        "}",
        "",
        "# (state, type) → who may send it then.",
        "LEGAL: dict[tuple[str, int], frozenset[str]] = {",
    )
    for message in specification.messages:
        roles = (
            ("client", "server")
            if message.direction == "both"
            else (message.direction,)
        )
        for name in message.states:
            code.add(
                f"    ({name!r}, {message.type}): frozenset({roles!r}),  # "
                f"{message.name}"
            )
    code.add("}", "", "TIMEOUTS: tuple[TimeoutInfo, ...] = (")
    for timeout in specification.timeouts:
        error = specification.error(timeout.error)
        code.add(
            f"    TimeoutInfo({timeout.state!r}, {timeout.role!r}, "
            f"{timeout.limit!r}, {error.code:#06x}),  # {error.name}"
        )
    code.add(")")
    return code.text()


def render_features(catalogue: Catalogue, package: str) -> str:
    """Return the text of `features.py`, which also has revisions and constants."""
    specification = catalogue.specification
    code = _start("Features, revisions, and what never changes.")
    code.add(
        "from enum import IntEnum",
        "",
        "from wigwag.wire._message_info import FeatureInfo",
        "",
        "",
    )
    with code.block("class Feature(IntEnum):"):
        code.docstring("Behaviours that both sides may agree on.")
        for feature in specification.features:
            code.add("", f"{feature.name} = {feature.id}")
            code.docstring(feature.doc)
    ids = {feature.name: feature.id for feature in specification.features}
    code.add("", "", "FEATURES: dict[int, FeatureInfo] = {")
    for feature in specification.features:
        depends = tuple(ids[name] for name in feature.depends)
        code.add(
            f"    {feature.id}: FeatureInfo({feature.name!r}, {feature.id}, "
            f"{depends!r}, {feature.doc!r}),"
        )
    released = tuple(release.number for release in specification.releases)
    draft = specification.draft
    protocol = specification.protocol
    code.add("}", "", f"RELEASES: tuple[int, ...] = {released!r}")
    code.docstring("Released revisions, rising.")
    code.add(f"DRAFT = {DRAFT_BIT | draft.build if draft else 0:#06x}")
    code.docstring(
        "What the wire calls the revision being worked on; 0 if there is none."
    )
    code.add("REVISIONS: tuple[int, ...] = (*RELEASES, DRAFT) if DRAFT else RELEASES")
    code.docstring(
        "Revisions that this codec speaks, as the wire calls them, the newest last."
    )
    code.add(
        f"NEWEST_REVISION = "
        f"{wire_revision(specification.newest_revision, specification):#06x}"
    )
    code.add(f"ALPN = {protocol.alpn!r}", f"HEADER_BYTES = {protocol.header_bytes}")
    code.add(
        f"GREASE_LOW_BITS = {protocol.grease_low_bits}",
        f"GREASE_MASK = {protocol.grease_mask}",
    )
    code.add(f"VENDOR_IDS_FROM = {protocol.vendor_ids_from:#06x}")
    return code.text()


def _layouts(catalogue: Catalogue, name: str, invariant: bool) -> list[tuple[str, str]]:
    """Return (wire revision, layout) of an owner, 0 too for what has no revision."""
    entries: list[tuple[str, str]] = []
    for layout in catalogue.layouts[name]:
        constant = catalogue.layout_name(layout.layout).upper()
        if invariant:
            entries.append(("0", constant))
        entries += [
            (f"{wire_revision(number, catalogue.specification):#06x}", constant)
            for number in layout.revisions
        ]
    return entries


def _dictionary(entries: list[tuple[str, str]]) -> str:
    return f"{{{', '.join(f'{number}: {constant}' for number, constant in entries)}}}"


def _message(code: Code, message: Message, catalogue: Catalogue) -> None:
    specification = catalogue.specification
    types = {other.name: other.type for other in specification.messages}
    entries = _layouts(catalogue, message.name, message.invariant)
    values: list[tuple[str, object]] = [
        ("name", message.name),
        ("type", message.type),
        ("kind", message.kind),
        ("direction", message.direction),
        ("replies", tuple(types[reply] for reply in message.replies)),
        ("errors", tuple(specification.error(name).code for name in message.errors)),
        ("rate_class", message.rate_class),
        ("idempotency", message.idempotency),
        ("relay", message.relay),
        ("stream", message.stream),
        ("padding", message.padding),
        ("invariant", message.invariant),
        ("stored", message.stored),
        ("unsolicited", message.unsolicited),
        ("sensitive", is_sensitive(message.fields, specification)),
        ("requirements", message.requirements),
    ]
    with code.block(f"{message.type}: MessageInfo("):
        code.add(*(f"{key}={value!r}," for key, value in values))
        code.add(
            f"states=frozenset({message.states!r}),",
            f"record=records.{catalogue.class_of(message)},",
        )
        code.add(f"layouts={_dictionary(entries)},")
    code.add("),")


def render_table(catalogue: Catalogue, package: str) -> str:
    """Return the text of `table.py`: every message and struct with its codecs."""
    specification = catalogue.specification
    code = _start("The table of messages and structs, with their codecs by revision.")
    code.add("from enum import IntEnum", "", "from msgspec import Struct", "")
    code.add(
        f"from {package} import decoders, encoders, records",
        "from wigwag.wire._message_info import Layout, MessageInfo",
        "",
    )
    for owner in catalogue.owners:
        for layout in catalogue.layouts[owner.name]:
            name = catalogue.layout_name(layout.layout)
            sizes = f"{layout.layout.smallest}, {layout.layout.largest}"
            code.add(
                f"{name.upper()} = Layout(decoders.decode_{name}, "
                f"encoders.encode_{name}, {sizes})"
            )
    code.add("", "")
    with code.block("class MessageType(IntEnum):"):
        code.docstring("Types in the frame header; even ones must be understood.")
        code.add("")
        code.add(
            *(f"{message.name} = {message.type}" for message in specification.messages)
        )
    code.add("", "")
    with code.block("MESSAGES: dict[int, MessageInfo] = {"):
        for message in specification.messages:
            _message(code, message, catalogue)
    code.add(
        "}",
        "",
        "INFO_BY_RECORD: dict[type[Struct], MessageInfo] = "
        "{info.record: info for info in MESSAGES.values()}",
    )
    code.add(
        "",
        "# Layout of a struct alone, by class and negotiated revision; 0 is "
        "the newest.",
    )
    with code.block("STRUCTS: dict[type[Struct], dict[int, Layout]] = {"):
        for struct in specification.structs:
            entries = _layouts(catalogue, struct.name, False)
            newest = next(
                layout
                for layout in catalogue.layouts[struct.name]
                if specification.newest_revision in layout.revisions
            )
            entries.append(("0", catalogue.layout_name(newest.layout).upper()))
            code.add(f"records.{struct.name}: {_dictionary(entries)},")
    code.add("}")
    return code.text()


def render_init(catalogue: Catalogue, package: str) -> str:
    """Return the text of `__init__.py`, which names everything that others use."""
    specification = catalogue.specification
    classes = [catalogue.class_of(owner) for owner in catalogue.owners]
    classes += [enum.name for enum in specification.enums]
    classes += [flags.name for flags in specification.flagsets]
    code = _start(
        "The codec of the protocol: records, tables, errors, limits, states, features."
    )
    # errors and limits come first: naming a fault needs them before the codec is there.
    for module, names in (
        ("errors", ["ERRORS", "ErrorCode"]),
        ("limits", ["LIMITS"]),
        (
            "features",
            [
                "ALPN",
                "DRAFT",
                "FEATURES",
                "GREASE_LOW_BITS",
                "GREASE_MASK",
                "HEADER_BYTES",
                "NEWEST_REVISION",
                "RELEASES",
                "REVISIONS",
                "VENDOR_IDS_FROM",
                "Feature",
            ],
        ),
        ("states", ["LEGAL", "STATES", "TIMEOUTS", "TRANSITIONS"]),
        ("table", ["INFO_BY_RECORD", "MESSAGES", "STRUCTS", "MessageType"]),
        ("records", ["Message", *sorted(classes)]),
    ):
        code.add(
            f"from {package}.{module} import (",
            *(f"    {name} as {name}," for name in names),
            ")",
        )
    return code.text()
