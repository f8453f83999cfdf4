"""One scenario under TLS: the real handshake and records of both sides.

The other runs go without: TLS costs three times the rest, and finds nothing that they
are about.
"""

import ssl
from hashlib import sha256
from pathlib import Path

import pytest
import trio
from tests.simulation._network import End, Network
from tests.simulation._run import Verdict, run_seed
from tests.simulation._secure import Secure, SecureEnd, secured
from tests.simulation._server import HOST
from tests.simulation._world import Process, World, run_world

SEED = 20_001

HOURS = 0.02


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    """Run the scenario."""
    return run_seed(SEED, HOURS, is_secure=True)


def test_nothing_is_violated_under_tls(verdict: Verdict) -> None:
    """Connections break in the middle of handshakes and records, too."""
    assert [str(one) for one in verdict.violations] == []
    assert verdict.sequenced >= 10
    assert verdict.faults


def test_a_run_under_tls_repeats(verdict: Verdict) -> None:
    """What OpenSSL draws changes no length and no time."""
    assert run_seed(SEED, HOURS, is_secure=True).digest == verdict.digest


def test_the_wire_carries_no_clear_text_and_the_certificate_is_the_fixed_one(
    tmp_path: Path,
) -> None:
    """The bytes go through OpenSSL on both sides, not past it."""
    seen: list[bytes] = []
    answers: list[bytes] = []

    async def main(world: World) -> None:
        secure = Secure(tmp_path, HOST)
        assert secure.tls.leaf_sha256 == sha256(secure.authority).digest()
        network = Network(world.random)
        process = Process(world, HOST)

        async def accept(end: End) -> None:
            receive = end.receive

            async def watched(bytes_max: int) -> bytes:
                seen.append(await receive(bytes_max))
                return seen[-1]

            end.receive = watched  # type: ignore[method-assign] # to look at the wire
            server = SecureEnd(end, secure.tls)
            await server.send((await server.receive(100)).upper())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(network.serve, HOST, accept, process)
            await trio.sleep(1)
            end = await secured(await network.dial("ann", HOST), secure, HOST)
            await end.send(b"clear text")
            answers.append(await end.receive(100))
            other = Secure(tmp_path, "elsewhere")
            with pytest.raises(ssl.SSLError):
                await secured(await network.dial("ann", HOST), other, "elsewhere")
            nursery.cancel_scope.cancel()

    run_world(World(1, tmp_path), main, seconds_max=60)
    assert answers == [b"CLEAR TEXT"]
    assert b"clear text" not in b"".join(seen)
