"""What a run says: a table for people, JSON for comparing."""

from dataclasses import dataclass

from wigwag.bench._pairs import BODY_BYTES, PairsPlan, PairsResult

# What a first version must reach on 2 cores shared with the generator.
PER_SECOND_GOAL = 10_000
CPU_MICROSECONDS_GOAL = 60


@dataclass(frozen=True, slots=True)
class PairsReport:
    """The figures of one *pairs* run, with what they were measured on."""

    plan: PairsPlan
    result: PairsResult
    server_resident_kib: int
    machine: str
    command: str

    @property
    def server_microseconds(self) -> float:
        """Server CPU (user + system) for each message, in microseconds."""
        return self.result.server_cpu_seconds / max(1, self.result.messages) * 1e6

    @property
    def generator_microseconds(self) -> float:
        """Generator CPU for each message, in microseconds."""
        return self.result.generator_cpu_seconds / max(1, self.result.messages) * 1e6

    def to_json(self) -> dict[str, object]:
        """Returns the figures with their units in the names."""
        result = self.result
        return {
            "work": "pairs",
            "command": self.command,
            "machine": self.machine,
            "limits_profile": "bench",
            "pairs": self.plan.pairs,
            "window": self.plan.window,
            "body_bytes": BODY_BYTES,
            "tls": True,
            "durable": True,
            "measured_seconds": round(result.seconds, 3),
            "messages": result.messages,
            "messages_per_second": round(result.per_second),
            "server_cpu_us_per_message": round(self.server_microseconds, 1),
            "server_resident_kib": self.server_resident_kib,
            "generator_cpu_us_per_message": round(self.generator_microseconds, 1),
            "generator_cpu_share": round(
                result.generator_cpu_seconds / result.seconds, 2
            ),
            "sequenced_p50_ms": round(result.percentile_ms("sequenced", 50), 2),
            "sequenced_p99_ms": round(result.percentile_ms("sequenced", 99), 2),
            "delivered_p50_ms": round(result.percentile_ms("delivered", 50), 2),
            "delivered_p99_ms": round(result.percentile_ms("delivered", 99), 2),
            "goal_messages_per_second": PER_SECOND_GOAL,
            "goal_server_cpu_us_per_message": CPU_MICROSECONDS_GOAL,
        }

    def to_text(self) -> str:
        """Returns the table."""
        figures = self.to_json()
        rows = (
            ("messages/s", "messages_per_second", f"goal ≥ {PER_SECOND_GOAL:,}"),
            (
                "server CPU, µs each",
                "server_cpu_us_per_message",
                f"goal ≤ {CPU_MICROSECONDS_GOAL}",
            ),
            ("SEND to SEQUENCED p50, ms", "sequenced_p50_ms", ""),
            ("SEND to SEQUENCED p99, ms", "sequenced_p99_ms", ""),
            ("SEND to DELIVER p50, ms", "delivered_p50_ms", ""),
            ("SEND to DELIVER p99, ms", "delivered_p99_ms", ""),
            ("server memory, KiB", "server_resident_kib", ""),
            ("generator CPU, µs each", "generator_cpu_us_per_message", ""),
            ("generator CPU, share of a core", "generator_cpu_share", ""),
        )
        head = (
            f"pairs: {self.plan.pairs} pairs, window {self.plan.window}, "
            f"{BODY_BYTES}-byte bodies, TLS 1.3, every answer after fsync\n"
            f"{self.machine}; limits profile bench; "
            f"{self.result.messages:,} messages in {self.result.seconds:.1f} s\n"
        )
        lines = [f"  {name:<32}{figures[key]:>12,}  {note}" for name, key, note in rows]
        return head + "\n".join(line.rstrip() for line in lines)
