"""Measure Wigwag: real processes, real TLS, durable answers, metrics and logs on.

    wigwag bench server pairs wide --json before.json
    wigwag bench server pairs wide --compare before.json

The generator speaks the wire protocol itself, in processes of its own, and keeps
its own cost low; what it cost is part of every result.
"""

from wigwag.bench._errors import BenchError as BenchError
from wigwag.bench._figures import SCHEMA as SCHEMA
from wigwag.bench._figures import BenchReport as BenchReport
from wigwag.bench._figures import Figure as Figure
from wigwag.bench._figures import WorkReport as WorkReport
from wigwag.bench._machine import machine_line as machine_line

__all__ = [
    "SCHEMA",
    "BenchError",
    "BenchReport",
    "Figure",
    "WorkReport",
    "machine_line",
]
