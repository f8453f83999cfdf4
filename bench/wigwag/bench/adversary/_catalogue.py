"""All attacks, and why the rest of the design's rows isn't among them."""

from collections.abc import Mapping
from types import MappingProxyType

from wigwag.bench.adversary._attack import Attack, Row
from wigwag.bench.adversary._authz_rows import ROWS as AUTHZ_ROWS
from wigwag.bench.adversary._frame_rows import ROWS as FRAME_ROWS
from wigwag.bench.adversary._message_rows import ROWS as MESSAGE_ROWS
from wigwag.bench.adversary._state_rows import ROWS as STATE_ROWS
from wigwag.bench.adversary._tls_rows import ROWS as TLS_ROWS
from wigwag.bench.adversary.floods import FLOODS

# The lines of the bad-input catalogue; the numbers left out were never given.
DESIGN_ROWS: tuple[str, ...] = (
    *(f"F{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15)),
    *(f"M{number}" for number in (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13)),
    *(f"S{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14)),
    *(f"A{number}" for number in range(1, 16)),
)

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        "M9": "No type holds itself: nothing nests deeper than its layout says.",
        "S10": "No request can be cancelled, and there are no subscriptions.",
        "A4": "No message names its sender: it is who signed in.",
        "A6": "There are no groups, so no membership epochs.",
        "A7": "There are no groups, so no rights in them.",
        "A8": "There are no groups, invitations into them or blocked users.",
        "A9": "There are no attachments.",
        "A12": "There are no groups: nobody joins or leaves a direct chat.",
    }
)
"""Lines about what doesn't exist yet, with the reason."""

ROWS: tuple[Row, ...] = (
    *TLS_ROWS,
    *FRAME_ROWS,
    *MESSAGE_ROWS,
    *STATE_ROWS,
    *AUTHZ_ROWS,
)
"""One bad input each; the tests do every one of them against a real server."""

ATTACKS: tuple[Attack, ...] = (*ROWS, *FLOODS)
"""Rows and floods: what `wigwag bench adversary` runs."""
