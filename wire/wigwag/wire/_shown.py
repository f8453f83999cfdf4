"""How a record with sensitive fields shows itself: without them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


def shown(record: msgspec.Struct, names: Sequence[str]) -> str:
    """Return a repr with the named attributes; the rest is only said to be there."""
    parts = ", ".join(f"{name}={getattr(record, name)!r}" for name in names)
    return f"{type(record).__name__}({parts}{', ' if parts else ''}…)"
