"""Writes the figures of `docs/limits.md` from code: `python -m tests.docs.limits_page`.

Figures, ranges and units come from the code; the words of a row are the page's own and
are kept. A setting without words gets a question mark, which a test refuses.
"""

import re
import sys
from pathlib import Path
from typing import Annotated, Final, cast, get_args, get_origin, get_type_hints

from msgspec import Meta

from wigwag.server import Limits
from wigwag.wire import LIMITS

PAGE: Final = Path(__file__).parents[2] / "docs" / "limits.md"

SETTINGS_HEAD: Final = (
    "| key of `[limits]` | default | range | unit | what it bounds | one more |\n"
    "|---|---|---|---|---|---|\n"
)
FIXED_HEAD: Final = "| figure | unit | name | what it bounds |\n|---|---|---|---|\n"
UNKNOWN: Final = "?"

_ROW = re.compile(r"^\| `(?P<name>\w+)` \|(?P<cells>.*)\|$", re.MULTILINE)
_SUFFIXES: Final = {
    "per_second": "1/s",
    "per_second_per_address": "1/s",
    "bytes": "bytes",
    "bytes_max": "bytes",
    "seconds": "s",
    "hours": "h",
    "share": "part",
    "per_day": "1/day",
}


def render(page: str) -> str:
    """Return the page with both tables as the code has it."""
    page = _replace(page, "settings", SETTINGS_HEAD + _settings(page))
    return _replace(page, "fixed", FIXED_HEAD + _fixed())


def _replace(page: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    assert found, f"the page lacks {begin}"
    _, found, after = rest.partition(end)
    assert found, f"the page lacks {end}"
    return before + begin + table + end + after


def _settings(page: str) -> str:
    words = {
        row["name"]: [cell.strip() for cell in row["cells"].split("|")][-2:]
        for row in _ROW.finditer(page)
    }
    hints = get_type_hints(Limits, include_extras=True)
    rows: list[str] = []
    for name in Limits.__struct_fields__:
        what, one_more = words.get(name, [UNKNOWN, UNKNOWN])
        default = _figure(getattr(Limits(), name))
        span = _span(name, hints[name])
        cells = (f"`{name}`", default, span, _unit(name), what, one_more)
        rows.append(f"| {' | '.join(cells)} |\n")
    return "".join(rows)


def _fixed() -> str:
    return "".join(
        f"| {_figure(limit.value)} | {limit.unit} | `{name}` | {limit.doc} |\n"
        for name, limit in LIMITS.items()
        if limit.min == limit.max
    )


def _figure(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{cast('float', value):,}"


def _unit(name: str) -> str:
    if name in LIMITS:
        return LIMITS[name].unit
    if name.startswith("has_"):
        return "switch"
    for suffix, unit in _SUFFIXES.items():
        if name.endswith(suffix):
            return unit
    return "count"


def _span(name: str, hint: object) -> str:
    """Write the range that a setting may have."""
    if name in LIMITS:
        return f"{LIMITS[name].min:,} to {LIMITS[name].max:,}"
    if get_origin(hint) is not Annotated:
        return "on, off"
    (meta,) = [one for one in get_args(hint) if isinstance(one, Meta)]
    upper = "" if meta.le is None else f"{meta.le:,}"
    if meta.gt is not None:
        return f"above {meta.gt:,} to {upper}"
    return f"{meta.ge:,} to {upper}" if upper else f"from {meta.ge:,}"


def main() -> int:
    """Write the page; status 1: a row lacks its words."""
    text = render(PAGE.read_text("utf-8"))
    PAGE.write_text(text, "utf-8")
    return int(f"| {UNKNOWN} |" in text)


if __name__ == "__main__":
    sys.exit(main())
