"""Features, revisions, and what never changes.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from enum import IntEnum

from wigwag.wire._message_info import FeatureInfo


class Feature(IntEnum):
    """Behaviours that both sides may agree on."""

    PADDING = 1
    """Frames may be padded to buckets of 256 bytes times a power of two up to 16 KiB, then to
    multiples of 16 KiB.
    """


FEATURES: dict[int, FeatureInfo] = {
    1: FeatureInfo('PADDING', 1, (), 'Frames may be padded to buckets of 256 bytes times a power of two up to 16 KiB, then to multiples of 16 KiB.'),
}

RELEASES: tuple[int, ...] = ()
"""Released revisions, rising."""
DRAFT = 0x8004
"""What the wire calls the revision being worked on; 0 if there is none."""
REVISIONS: tuple[int, ...] = (*RELEASES, DRAFT) if DRAFT else RELEASES
"""Revisions that this codec speaks, as the wire calls them, the newest last."""
NEWEST_REVISION = 0x8004
ALPN = 'wigwag/1'
HEADER_BYTES = 12
GREASE_LOW_BITS = 27
GREASE_MASK = 31
VENDOR_IDS_FROM = 0x8000
