"""The counts in Prometheus' form, read when somebody scrapes."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from wigwag.server._counts import COMMIT_BUCKETS_SECONDS, Counts
from wigwag.server._memory import Memory
from wigwag.server.ports import Engine
from wigwag.wire import Explainer

_TOTALS = {
    "connections_opened": "Connections that were let in.",
    "tls_failures": "TLS handshakes that failed or timed out.",
    "sign_ins": "Devices that signed in.",
    "registrations": "Registrations that succeeded.",
    "auth_failures": "Wrong signatures, unknown devices, refused proofs.",
    "displaced": "Connections that gave way to a newer one of their device.",
    "removed": "Connections that ended because their device was removed.",
    "accounts_deleted": "Accounts that their owners deleted.",
    "bytes_in": "Decrypted bytes received.",
    "bytes_out": "Bytes sent, before encryption.",
    "sends": "SENDs taken.",
    "sequenced": "SENDs answered SEQUENCED.",
    "sequenced_late": "Of these, later than promised (the error budget).",
    "entries_sent": "Inbox entries sent to devices.",
    "acks": "Acknowledgements taken.",
    "receipts_sent": "RECEIPT hints sent.",
    "gaps_sent": "GAPs said.",
    "slow_readers": "Connections ended because the peer did not read.",
    "shed": "Connections that held most, sent away when memory was short.",
    "failures": "Faults of this server; each has an error id in the log.",
    "restores_proven": "Cursors that proved that the folder was put back.",
    "pages_damaged": "Pages of the database whose checksum is wrong.",
    "entries_corrupt": "Stored records that failed their checksum.",
    "groups": "Commits.",
    "group_records": "Requests in them.",
    "certificate_reloads": "Changed certificates that were taken over.",
    "certificate_failures": "Changed certificates that couldn't be used.",
}
_LABELLED = {
    "connections_refused": ("reason", "Connections refused before TLS."),
    "refusals": ("code", "Answers that refuse a request."),
    "protocol_errors": ("code", "Connections ended for the peer's fault."),
}


class _Figures(Collector):
    def __init__(
        self, counts: Counts, memory: Memory, engine: Engine, explainer: Explainer
    ) -> None:
        self._counts = counts
        self._memory = memory
        self._engine = engine
        self._explainer = explainer

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        for name, text in _TOTALS.items():
            yield CounterMetricFamily(
                f"wigwag_{name}", text, value=getattr(counts, name)
            )
        for name, (label, text) in _LABELLED.items():
            family = CounterMetricFamily(f"wigwag_{name}", text, labels=[label])
            for value, count in sorted(getattr(counts, name).items()):
                family.add_metric([value], count)
            yield family
        yield GaugeMetricFamily(
            "wigwag_connections", "Connections now open.", value=counts.connections
        )
        yield GaugeMetricFamily(
            "wigwag_signed_in", "Devices now signed in.", value=counts.signed_in
        )
        yield GaugeMetricFamily(
            "wigwag_engine_depth",
            "Requests that wait for a commit.",
            value=self._engine.depth,
        )
        yield from self._held()
        yield GaugeMetricFamily(
            "wigwag_space_low",
            "1 while the disk is full and SENDs are refused.",
            value=float(counts.is_space_low),
        )
        yield GaugeMetricFamily(
            "wigwag_certificate_end_seconds",
            "When the certificate of new connections ends, since the Unix epoch.",
            value=counts.certificate_ends,
        )
        yield GaugeMetricFamily(
            "wigwag_certificate_refused",
            "1 while the certificate's files changed and can't be used.",
            value=float(counts.is_certificate_refused),
        )
        yield CounterMetricFamily(
            "wigwag_codec_disagreements",
            "Bodies that the fast codec refused and the reference takes: must be 0.",
            value=self._explainer.disagreements,
        )
        yield self._commits()

    def _held(self) -> Iterator[Metric]:
        memory = self._memory
        yield GaugeMetricFamily(
            "wigwag_memory_budget_bytes",
            "Most that is held for clients; reading pauses at 80 % of it.",
            value=memory.budget_bytes,
        )
        held = GaugeMetricFamily(
            "wigwag_memory_held_bytes",
            "What is held for clients, as counted against the budget.",
            labels=["what"],
        )
        held.add_metric(["connections"], memory.charges_bytes)
        held.add_metric(["traffic"], memory.traffic_bytes)
        held.add_metric(["engine"], memory.engine_bytes)
        yield held

    def _commits(self) -> Metric:
        counts = self._counts
        total = 0
        buckets: list[tuple[str, float]] = []
        bounds = [*(str(bound) for bound in COMMIT_BUCKETS_SECONDS), "+Inf"]
        for bound, count in zip(bounds, counts.commit_buckets, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return HistogramMetricFamily(
            "wigwag_commit_seconds",
            "Time of a commit in the writer.",
            buckets=buckets,
            sum_value=counts.commit_seconds,
        )


class Metrics:
    """A registry of its own: several servers may live in one process."""

    def __init__(
        self, counts: Counts, memory: Memory, engine: Engine, explainer: Explainer
    ) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(counts, memory, engine, explainer))

    def render(self) -> bytes:
        """Return all figures in the text format."""
        return generate_latest(self._registry)
