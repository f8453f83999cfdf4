"""Explains a refusal to a person: field, expected, found, requirement, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from wigwag.spec._code import is_sensitive
from wigwag.spec._load import product_root
from wigwag.spec._reference import Reference, Refusal
from wigwag.spec._resolve import load_specification


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a body was refused, for a person.

    Attributes:
        message: Name of the message.
        path: The field, as in `envelopes[2].user`; "" for the body itself.
        offset: Where it begins, in bytes.
        code: Error code to answer with.
        closes: Whether the connection ends; else one request is refused.
        requirement: Id of the broken statement.
        expected: What the statement asks for.
        found: What was there; "" if the message holds sensitive fields.
        annotated: The body in hexadecimal, a line a field, with a mark at the fault; ""
            if the message holds sensitive fields.
    """

    message: str
    path: str
    offset: int
    code: int
    closes: bool
    requirement: str
    expected: str
    found: str
    annotated: str

    def __str__(self) -> str:
        found = f", found {self.found}" if self.found else ""
        return (
            f"{self.message} {self.path or 'body'} at {self.offset}: expected "
            f"{self.expected}{found} ({self.requirement})"
        )


@lru_cache(maxsize=1)
def product_reference() -> Reference:
    """Return the reference of the product's own specification."""
    return Reference(load_specification(product_root()))


def explain_error(
    type_: int, revision: int, body: bytes, reference: Reference | None = None
) -> Explanation | None:
    """Explain why a body is refused.

    Args:
        type_: Message type from the frame header.
        revision: As negotiated; 0 for invariants before there is one.
        body: The body as the decoder got it.
        reference: Of another specification than the product's.

    Returns:
        The explanation, or None if the reference finds nothing wrong (then it and the
        fast codec disagree) or knows no such message.
    """
    used = reference or product_reference()
    messages = [
        message for message in used.specification.messages if message.type == type_
    ]
    if not messages or not messages[0].revisions.holds(used.revision(revision)):
        return None
    message = messages[0]
    try:
        used.decode(message.name, revision, body)
    except Refusal as refusal:
        hidden = is_sensitive(message.fields, used.specification)
        return Explanation(
            message=message.name,
            path=refusal.path,
            offset=refusal.offset,
            code=refusal.code,
            closes=refusal.closes,
            requirement=refusal.rule.requirement,
            expected=refusal.expected,
            found="" if hidden else refusal.found,
            annotated="" if hidden else annotate(body, refusal),
        )
    return None


# More than a line of a terminal tells nothing more about one field.
_LINE_BYTES_MAX = 16


def annotate(body: bytes, refusal: Refusal) -> str:
    """Return a body in hexadecimal, a line for each field, with the fault marked."""
    leaves = [
        span
        for place, span in enumerate(refusal.spans)
        if span[1] > span[0]
        and not any(
            other[2].startswith(span[2]) and other != span
            for other in refusal.spans[:place]
            if span[0] <= other[0] and other[1] <= span[1]
        )
    ]
    lines: list[str] = []
    position = 0
    # What no value covers are prefixes, tag headers and skipped tags.
    for first, last, path in sorted(leaves):
        if position <= first < refusal.offset:
            if first > position:
                lines.append(_line(position, body[position:first], ""))
            lines.append(_line(first, body[first:last], path))
            position = last
    if position < refusal.offset:
        lines.append(_line(position, body[position : refusal.offset], ""))
    lines.append(
        "> "
        + _line(
            refusal.offset,
            body[refusal.offset :],
            f"{refusal.path} expected {refusal.expected}",
        )[2:]
    )
    return "\n".join(lines)


def _line(offset: int, data: bytes, text: str) -> str:
    shown = data[:_LINE_BYTES_MAX].hex(" ")
    more = f" … {len(data)} bytes" if len(data) > _LINE_BYTES_MAX else ""
    return f"  {offset:6} {shown}{more}  {text}".rstrip()
