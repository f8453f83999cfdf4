"""`wigwag bench`: the commands, one line each."""

import click

from wigwag.bench._adversary_cli import adversary
from wigwag.bench._codec_cli import codec
from wigwag.bench._crypto_cli import crypto
from wigwag.bench._server_cli import server


@click.group()
def bench() -> None:
    """Measure speed: real processes, real TLS, durable answers."""


bench.add_command(adversary)
bench.add_command(server)
bench.add_command(codec)
bench.add_command(crypto)
