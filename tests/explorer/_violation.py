"""What must never happen, when it has."""


class Violation(Exception):  # noqa: N818 - a finding, not an error of ours
    """An invariant is broken; says which one."""
