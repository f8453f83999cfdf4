"""`wigwag bench adversary`: what attacks do to an honest pair."""

import sys
from pathlib import Path

import click

from wigwag.spec import ExitCode

STANDARD_OUTPUT = "-"
VIOLATION_EXIT_CODE = 1
# Each attack takes two of these and more when it looks bad: a quarter of an hour for
# all of them. Quick: five minutes, which show what is grossly wrong.
SECONDS = 4.0
QUICK_SECONDS = 1.0

_EPILOG = """\b
Examples:
  wigwag bench adversary --list
  wigwag bench adversary F4 S11 --seconds 10
  wigwag bench adversary --quick --json attacks.json
"""


@click.command(epilog=_EPILOG)
@click.argument("attacks", nargs=-1, metavar="[ATTACK]...")
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600),
    help=f"Length of each stretch of time.  [default: {SECONDS:g}]",
)
@click.option("--quick", is_flag=True, help=f"Stretches of {QUICK_SECONDS:g} s.")
@click.option(
    "--pairs",
    default=16,
    show_default=True,
    type=click.IntRange(1, 200),
    help="Honest pairs; each sends 8 messages a second.",
)
@click.option("--list", "lists", is_flag=True, help="Name the attacks and stop.")
@click.option(
    "--json",
    "json_to",
    metavar="FILE|-",
    default="",
    help="Write the figures as JSON; -: to standard output, without a table.",
)
def adversary(
    attacks: tuple[str, ...],
    seconds: float | None,
    quick: bool,
    pairs: int,
    lists: bool,
    json_to: str,
) -> None:
    """Attack a server of its own beside honest pairs; without ATTACK: all of them.

    Each attack goes on for a while, between two stretches of peace: baseline, attack,
    baseline; what then looks bad is measured up to four times, and all of it counts.
    The table shows what the server answered, and what the pairs felt:
    time to the server's durable answer and to delivery, with the attack against
    without. The server has the default limits, with short deadlines; the attacker is a
    process of its own, niced, with 250 addresses and a bounded share of one core.

    Exit code 1: an honest message was lost, doubled, reordered or refused, or the
    server answered an attack otherwise than its specification says.
    """
    from wigwag.bench._errors import BenchError
    from wigwag.bench.adversary import ATTACKS, NOT_APPLICABLE, run_attacks, shown

    if lists:
        for attack in ATTACKS:
            click.echo(f"{attack.id:16} {attack.title}: {attack.expected}")
        for row, reason in NOT_APPLICABLE.items():
            click.echo(f"{row:16} not yet: {reason}")
        return
    known = {attack.id: attack for attack in ATTACKS}
    wrong = [name for name in attacks if name not in known]
    if wrong:
        raise click.UsageError(
            f"there is no attack {wrong[0]}; wigwag bench adversary --list names all"
        )
    chosen = tuple(known[name] for name in attacks) or ATTACKS
    try:
        report = run_attacks(
            chosen,
            seconds=seconds or (QUICK_SECONDS if quick else SECONDS),
            pairs=pairs,
            say=_say,
        )
    except (BenchError, OSError) as error:
        _say("")
        click.echo(f"the measurement failed: {error}", err=True)
        sys.exit(ExitCode.INTERNAL)
    _say("")
    if json_to == STANDARD_OUTPUT:
        click.echo(report.to_json())
    else:
        if json_to:
            Path(json_to).write_text(report.to_json() + "\n", "utf-8")
        shown(report)
    if report.is_violated:
        sys.exit(VIOLATION_EXIT_CODE)


def _say(text: str) -> None:
    """Shows where we are, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
