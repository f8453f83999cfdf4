"""What a decoder refuses, with which code, and which requirement says so.

Fields are judged in wire order, each wholly before the next (R-VALUE-014). The offset
of a fault is where the field, its length prefix, the array's element or the tag's entry
begins.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class _Statement(NamedTuple):
    code: str
    closes: bool
    requirement: str


class Rule(Enum):
    """A rule of the codec. One that doesn't close concerns a single request."""

    SHORT = _Statement("MALFORMED", True, "R-VALUE-012")
    TRAILING = _Statement("MALFORMED", True, "R-VALUE-001")
    LENGTH = _Statement("MALFORMED", True, "R-VALUE-002")
    COUNT_BOUNDS = _Statement("LIMIT", False, "R-VALUE-003")
    BOUNDS = _Statement("LIMIT", False, "R-VALUE-010")
    BOOL = _Statement("MALFORMED", True, "R-VALUE-004")
    TEXT = _Statement("INVALID_TEXT", False, "R-VALUE-005")
    ENUM = _Statement("UNSUPPORTED", False, "R-VALUE-006")
    FLAGS = _Statement("UNSUPPORTED", False, "R-VALUE-013")
    ZERO = _Statement("MALFORMED", True, "R-VALUE-008")
    ORDER = _Statement("MALFORMED", True, "R-VALUE-009")
    TAG_ORDER = _Statement("MALFORMED", True, "R-TAG-001")
    TAG_CRITICAL = _Statement("UNKNOWN_CRITICAL", True, "R-TAG-003")
    TAG_FILL = _Statement("MALFORMED", True, "R-TAG-005")
    TAG_DEFAULT = _Statement("MALFORMED", True, "R-TAG-006")
    TAG_COUNT = _Statement("MALFORMED", True, "R-TAG-007")
    TAG_UNKNOWN_BYTES = _Statement("MALFORMED", True, "R-TAG-008")
    TAG_MISSING = _Statement("MALFORMED", True, "R-TAG-009")

    @property
    def code_name(self) -> str:
        """Name of the error it is answered with."""
        return self.value.code

    @property
    def closes(self) -> bool:
        """Whether the connection can't go on."""
        return self.value.closes

    @property
    def requirement(self) -> str:
        """Id of the statement that it implements."""
        return self.value.requirement
