"""Every flood in a short form: bounded, answered as said, and nobody is harmed."""

import dataclasses
import os
from collections.abc import Generator
from dataclasses import dataclass

import pytest
from tests.adversary.conftest import Honest

from wigwag.bench.adversary import (
    FLOODS,
    Flood,
    Harm,
    Sources,
    Target,
    aim,
    honest_target,
)
from wigwag.server._admin_client import ask_admin
from wigwag.testing import ServerProcess, server_process

# The deadlines are short, so that each flood meets its own in the time it has.
CONFIG = """\
development = true
registration = "open"

[limits]
tls_handshake_seconds = 1
auth_seconds = 2
frame_seconds = 1
stall_seconds = 1
memory_bytes_max = 67108864
"""
ACCOUNTS = 8
HERD = 16
SECONDS = 2.0
SECONDS_OF_DEADLINES = 4.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, an attacker, and a pair that only wants to talk."""

    target: Target
    honest: Honest
    server: ServerProcess

    def status(self) -> dict[str, object]:
        """Return what the server tells its operator."""
        return dict(ask_admin(self.server.folder, {"command": "status"}))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Generator[Scene]:
    """One server for all floods; at the end nothing of the pair's may be missing."""
    folder = tmp_path_factory.mktemp("floods")
    config = folder / "server.toml"
    config.write_text(CONFIG, "utf-8")
    with server_process(folder, options=("--config", str(config))) as server:
        honest = Honest(honest_target("127.0.0.1", server.port))
        # Addresses of this process alone: other floods may run beside it.
        sources = Sources(100 + os.getpid() % 100, HERD)
        target = aim("127.0.0.1", server.port, accounts=ACCOUNTS, sources=sources)
        target = dataclasses.replace(target, honest=honest.pairs.accounts)
        honest.start()
        yield Scene(target, honest, server)
        assert honest.stop() == Harm()
        assert server.stop() == 0


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.id)
def test_a_flood_is_stood(flood: Flood, scene: Scene) -> None:
    """I15, I16, I19: memory under the budget, the right end, and the pair goes on."""
    seconds = SECONDS_OF_DEADLINES if flood.seconds_min else SECONDS
    tally = flood.go_on(scene.target, seconds)
    assert not tally.surprises
    assert tally.unexpected == 0
    assert tally.as_expected + tally.turned_away == tally.runs
    assert tally.as_expected > 0
    assert scene.honest.goes_on() == Harm()
    status = scene.status()
    held, budget = status["memory_held_bytes"], status["memory_bytes_max"]
    assert isinstance(held, int)
    assert isinstance(budget, int)
    assert held < budget
    assert status["failures"] == 0
