"""What a run of attacks found, for people and for machines."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wigwag.bench._figures import percentile
from wigwag.bench.adversary._honest import Block, Harm

# Latency under attack against without; above it isolation isn't what is promised.
RATIO_MAX = 2.0
# A table is cut to the terminal; in a file or a pipe it needs a width of its own.
PIPE_COLUMNS = 190


class Felt(msgspec.Struct, frozen=True):
    """What honest pairs felt: milliseconds, medians and 99th percentiles.

    Attributes:
        messages: How many deliveries this is of.
    """

    messages: int
    ack_p50_ms: float
    ack_p99_ms: float
    delivery_p50_ms: float
    delivery_p99_ms: float

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Felt":
        """Sum blocks up."""
        acked = sorted(one for block in blocks for one in block.acked)
        delivered = sorted(one for block in blocks for one in block.delivered)
        if not acked or not delivered:
            return cls(0, *(float("nan"),) * 4)
        return cls(
            len(delivered),
            percentile(acked, 50) * 1000,
            percentile(acked, 99) * 1000,
            percentile(delivered, 50) * 1000,
            percentile(delivered, 99) * 1000,
        )


class Result(msgspec.Struct, frozen=True):
    """One attack.

    Attributes:
        attack: Its id.
        title: What it does.
        expected: What the server must answer, in words.
        rounds: How often it was measured: again while it looked bad.
        runs: How often it was done, or with how many connections.
        as_expected: How many got that.
        turned_away: How many a limit stopped before that.
        surprises: What the others got.
        unexpected: How many others there were.
        actions: Frames, handshakes or whatever else a flood threw.
        without: What honest pairs felt before and after.
        under: What they felt meanwhile.
        harm: What they lost.
        resident_kib: The server's largest resident memory meanwhile.
        server_cpu: Cores that the server used meanwhile.
        server_cpu_without: Cores that it used before and after.
        attacker_cpu: Cores that the attacker used.
    """

    attack: str
    title: str
    expected: str
    rounds: int
    runs: int
    as_expected: int
    turned_away: int
    unexpected: int
    actions: int
    surprises: tuple[str, ...]
    without: Felt
    under: Felt
    harm: Harm
    resident_kib: int
    server_cpu: float
    server_cpu_without: float
    attacker_cpu: float

    @property
    def ack_ratio(self) -> float:
        """99th percentile of acknowledgements, with the attack against without."""
        return self.under.ack_p99_ms / self.without.ack_p99_ms

    @property
    def delivery_ratio(self) -> float:
        """99th percentile of deliveries, with the attack against without."""
        return self.under.delivery_p99_ms / self.without.delivery_p99_ms

    @property
    def is_unseen(self) -> bool:
        """Whether its answer was never seen, since a limit always came first."""
        return self.as_expected == 0

    @property
    def is_violated(self) -> bool:
        """Whether somebody honest was harmed, or the server answered otherwise."""
        return bool(self.harm) or self.unexpected > 0


class Report(msgspec.Struct):
    """A whole run.

    Attributes:
        command: What was typed.
        machine: What it ran on.
        load: The machine's load average before; above the cores no figure counts.
        limits: Of the server.
        pairs: Honest pairs.
        seconds: Length of each stretch of time.
        results: One for each attack.
    """

    command: str
    machine: str
    load: float
    limits: str
    pairs: int
    seconds: float
    results: list[Result] = msgspec.field(default_factory=list[Result])

    @property
    def is_violated(self) -> bool:
        """Whether one of the attacks found something."""
        return any(result.is_violated for result in self.results)

    def to_json(self) -> str:
        """Return it for machines, with the ratios worked out."""
        whole = msgspec.to_builtins(self)
        for result, built in zip(self.results, whole["results"], strict=True):
            built["ack_ratio"] = result.ack_ratio
            built["delivery_ratio"] = result.delivery_ratio
        return msgspec.json.format(msgspec.json.encode(whole), indent=1).decode()


def shown(report: Report, console: Console | None = None) -> None:
    """Print it for people."""
    plain = Console()
    console = console or Console(width=None if plain.is_terminal else PIPE_COLUMNS)
    console.print(
        f"{report.machine}; load average before {report.load:.1f}", highlight=False
    )
    console.print(
        f"limits: {report.limits}; {report.pairs} honest pairs, 8 messages a second "
        f"each; {report.seconds:g} s of peace, attack, peace",
        highlight=False,
    )
    console.print(_table(report))
    for result in report.results:
        for surprise in result.surprises:
            console.print(f"{result.attack}: {surprise}", style="bold red")
        for reason in result.harm.reasons:
            console.print(f"{result.attack}: honest: {reason}", style="bold red")
    console.print(_last_line(report), highlight=False)


def _table(report: Report) -> Table:
    table = Table()
    table.add_column("attack", min_width=30)
    table.add_column("answer", min_width=18)
    for head in (
        "as said",
        "limited",
        "rounds",
        "ack p50 ms",
        "ack p99 ms",
        "ratio",
        "delivery p99 ms",
        "ratio",
        "lost",
        "RSS MiB",
        "server",
        "attacker",
    ):
        table.add_column(head, justify="right", no_wrap=True)
    for result in report.results:
        without, under, harm = result.without, result.under, result.harm
        table.add_row(
            f"{result.attack} {result.title}",
            result.expected,
            _count(result),
            str(result.turned_away or ""),
            str(result.rounds),
            f"{without.ack_p50_ms:.1f} → {under.ack_p50_ms:.1f}",
            f"{without.ack_p99_ms:.1f} → {under.ack_p99_ms:.1f}",
            _ratio(result.ack_ratio),
            f"{without.delivery_p99_ms:.1f} → {under.delivery_p99_ms:.1f}",
            _ratio(result.delivery_ratio),
            Text(
                f"{harm.lost}/{harm.doubled}/{harm.reordered}",
                style="bold red" if harm else "",
            ),
            f"{result.resident_kib / 1024:.0f}",
            f"{result.server_cpu:.0%}",
            f"{result.attacker_cpu:.0%}",
        )
    return table


def _count(result: Result) -> Text:
    """Write how often the answer was the specified one."""
    words = f"{result.as_expected}/{result.runs - result.turned_away}"
    if result.unexpected:
        return Text(words, style="bold red")
    return Text(words, style="yellow" if result.is_unseen else "")


def _ratio(ratio: float) -> Text:
    return Text(f"{ratio:.2f}", style="bold red" if ratio > RATIO_MAX else "green")


def _last_line(report: Report) -> str:
    results = report.results
    over = [
        result.attack
        for result in results
        if max(result.ack_ratio, result.delivery_ratio) > RATIO_MAX
    ]
    worst = max((max(one.ack_ratio, one.delivery_ratio) for one in results), default=0)
    lost = sum(one.harm.lost for one in results)
    doubled = sum(one.harm.doubled for one in results)
    reordered = sum(one.harm.reordered for one in results)
    unexpected = sum(one.unexpected for one in results)
    messages = sum(one.under.messages for one in results)
    unseen = [result.attack for result in results if result.is_unseen]
    return (
        f"adversary: {len(results)} attacks, {messages} honest messages under them, "
        f"{lost} lost, {doubled} doubled, {reordered} reordered, {unexpected} answers "
        f"unexpected, stopped by a limit each time: {', '.join(unseen) or 'none'}; "
        f"worst p99 {worst:.2f} times, above {RATIO_MAX:g} times: "
        f"{', '.join(over) or 'none'}"
    )
