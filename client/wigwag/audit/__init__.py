"""Looks for secrets where none may be, in every usual spelling.

scanner = Scanner([Needle("database key", key)])
findings = scanner.scan_tree(folder)
assert scanner.looked.files and not findings
"""

from wigwag.audit._scan import HEAD_BYTES as HEAD_BYTES
from wigwag.audit._scan import Finding as Finding
from wigwag.audit._scan import Looked as Looked
from wigwag.audit._scan import Needle as Needle
from wigwag.audit._scan import Scanner as Scanner

__all__ = ["HEAD_BYTES", "Finding", "Looked", "Needle", "Scanner"]
