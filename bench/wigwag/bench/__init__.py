"""Measure Wigwag: real processes, real TLS, durable answers, metrics and logs on.

    wigwag bench server --quick
    wigwag bench server --quick --json > before.json

The generator speaks the wire protocol itself and keeps its own cost low; what it
cost is part of every result.
"""

from wigwag.bench._machine import machine_line as machine_line
from wigwag.bench._pairs import PairsPlan as PairsPlan
from wigwag.bench._pairs import PairsResult as PairsResult
from wigwag.bench._pairs import run_pairs as run_pairs

__all__ = ["PairsPlan", "PairsResult", "machine_line", "run_pairs"]
