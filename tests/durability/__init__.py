"""Durability, shown by breaking what a store stands on.

    python -m tests.durability power --quick

Each kind of fault has a module that runs it from a seed and returns a `Tally`; the
command adds them up, prints one line of figures per kind and ends with status 1 when
something that was acknowledged was lost, doubled or reordered, or damage was served.
"""
