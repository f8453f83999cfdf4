"""What the server counts: plain integers, so that counting costs next to nothing.

A metrics library's counter takes a lock for every message; these are read when
somebody scrapes (`_metrics.py`). They count events and never name anybody.
"""

from collections import Counter
from dataclasses import dataclass, field

# From one fsync of a good disk (0.2 ms) to a disk that stalls.
COMMIT_BUCKETS_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)


@dataclass(slots=True)
class Counts:
    """Totals since the process started, and a few present values."""

    connections: int = 0
    """Now open, whatever their state."""
    signed_in: int = 0
    """Now signed in."""
    connections_opened: int = 0
    connections_refused: Counter[str] = field(default_factory=Counter[str])
    """By reason, before any TLS work."""
    tls_failures: int = 0
    sign_ins: int = 0
    registrations: int = 0
    auth_failures: int = 0
    displaced: int = 0
    removed: int = 0
    accounts_deleted: int = 0
    bytes_in: int = 0
    """Decrypted bytes."""
    bytes_out: int = 0
    sends: int = 0
    sequenced: int = 0
    sequenced_late: int = 0
    """After more than the promised time: what the error budget pays for."""
    refusals: Counter[str] = field(default_factory=Counter[str])
    """Answers that refuse, by the name of their error."""
    protocol_errors: Counter[str] = field(default_factory=Counter[str])
    """Connections ended for the peer's fault, by the name of the error."""
    entries_sent: int = 0
    acks: int = 0
    receipts_sent: int = 0
    gaps_sent: int = 0
    slow_readers: int = 0
    shed: int = 0
    """Connections sent away because they held most when memory was short."""
    failures: int = 0
    """Faults of ours, each with an error id in the log."""
    restores_proven: int = 0
    entries_corrupt: int = 0
    pages_damaged: int = 0
    is_space_low: bool = False
    certificate_ends: float = 0.0
    """Seconds since the Unix epoch, of what new connections are presented with."""
    certificate_reloads: int = 0
    certificate_failures: int = 0
    is_certificate_refused: bool = False
    """The files are others than those in use, and can't be used."""
    groups: int = 0
    group_records: int = 0
    commit_seconds: float = 0.0
    commit_buckets: list[int] = field(
        default_factory=lambda: [0] * (len(COMMIT_BUCKETS_SECONDS) + 1)
    )
    """Groups by the time of their commit; the last has no upper bound."""

    def committed(self, records: int, seconds: float) -> None:
        """Count one group."""
        self.groups += 1
        self.group_records += records
        self.commit_seconds += seconds
        for index, bound in enumerate(COMMIT_BUCKETS_SECONDS):
            if seconds <= bound:
                self.commit_buckets[index] += 1
                return
        self.commit_buckets[-1] += 1
