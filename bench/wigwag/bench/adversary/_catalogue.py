"""All attacks, and why the rest of the design's rows isn't among them."""

from wigwag.bench.adversary._attack import Attack, Row
from wigwag.bench.adversary._frame_rows import ROWS as FRAME_ROWS

ROWS: tuple[Row, ...] = (*FRAME_ROWS,)
"""One bad input each; the tests do every one of them against a real server."""

ATTACKS: tuple[Attack, ...] = (*ROWS,)
"""Rows and floods: what `wigwag bench adversary` runs."""
