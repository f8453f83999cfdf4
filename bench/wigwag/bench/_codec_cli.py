"""`wigwag bench codec`: four ways to write and read the same message."""

import importlib.util
import shlex
import sys
from pathlib import Path

import click

from wigwag.bench._codec_contestants import (
    BODY_BYTES,
    Contestant,
    fast,
    messagepack,
    reference,
    sample_deliver,
    sample_send,
)
from wigwag.bench._figures import BenchReport, Figure, WorkReport
from wigwag.bench._machine import machine_line
from wigwag.bench._output import Output, output_options
from wigwag.bench._timing import nanoseconds_per_call
from wigwag.wire import Deliver, Send

_EPILOG = """\b
Examples:
  wigwag bench codec
  wigwag bench codec --json codec.json
"""


@click.command(epilog=_EPILOG)
@click.option("--quick", is_flag=True, help="One sample each.")
@click.option("--repeat", type=click.IntRange(1, 100), help="Samples.  [default: 5]")
@output_options
def codec(
    quick: bool,
    repeat: int | None,
    json_to: str,
    compare_with: Path | None,
    fails_on_regression: bool,
) -> None:
    """Time our codecs against MessagePack and Protocol Buffers.

    A SEND with one envelope of 200 bytes and its DELIVER, from values to bytes and
    back with every field read. Only ours check every rule of the specification.
    """
    put = Output(json_to, compare_with, fails_on_regression)
    report = BenchReport(shlex.join(["wigwag", *sys.argv[1:]]), machine_line())
    samples = repeat or (1 if quick else 5)

    def run() -> None:
        for message in (sample_send(), sample_deliver()):
            name = type(message).__name__.upper()
            contestants = find_contestants(message)
            report.works.append(_measure(name, contestants, samples, put))

    put.run(report, run)


def find_contestants(message: Send | Deliver) -> list[Contestant]:
    """Returns everybody who can run here; ours first."""
    found = [fast(message), reference(message), messagepack(message)]
    # A name of which the parent is missing raises instead of returning None.
    if importlib.util.find_spec("google") and importlib.util.find_spec(
        "google.protobuf"
    ):
        from wigwag.bench._codec_protobuf import protobuf

        found.append(protobuf(message))
    return found


def _measure(
    name: str, contestants: list[Contestant], samples: int, put: Output
) -> WorkReport:
    figures: list[Figure] = []
    for way in ("encode", "decode"):
        medians: dict[str, float] = {}
        for one in contestants:
            put.say(f"{name}: {one.name}, {way}")
            figure = Figure(
                f"{one.name}_{way}_ns",
                f"{one.name}: {way}, ns",
                nanoseconds_per_call(getattr(one, way), samples),
                "lower",
            )
            medians[one.name] = figure.median
            figures.append(figure)
        figures.extend(
            Figure(
                f"{other}_{way}_ratio",
                f"{other} / fast: {way}",
                (median / medians["fast"],),
            )
            for other, median in medians.items()
            if other != "fast"
        )
    figures.extend(
        Figure(f"{one.name}_bytes", f"{one.name}: bytes", (len(one.encoded),))
        for one in contestants
    )
    names = [one.name for one in contestants]
    is_absent = not any(other.startswith("protobuf") for other in names)
    return WorkReport(
        f"codec {name}",
        f"one {BODY_BYTES}-byte ciphertext, values to bytes and back"
        + ("; google.protobuf is not installed" if is_absent else ""),
        {"body_bytes": BODY_BYTES, "contestants": names},
        tuple(figures),
    )
