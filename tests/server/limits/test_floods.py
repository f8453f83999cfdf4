"""Every flood in a short form: bounded, answered as said, and nobody is harmed."""

import dataclasses
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
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
from wigwag.server import Limits
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
LOOK_SECONDS = 0.3
# Strangers before sign-in, and the few who have signed in.
CONNECTIONS_MAX = Limits().unauthenticated_max + 16


class Look(msgspec.Struct, frozen=True):
    """What a flood is judged by; the server tells more."""

    connections: int
    failures: int
    held_bytes: int = msgspec.field(name="memory_held_bytes")
    budget_bytes: int = msgspec.field(name="memory_bytes_max")


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, an attacker, and a pair that only wants to talk."""

    target: Target
    honest: Honest
    server: ServerProcess

    def look(self) -> Look:
        """Return what the server tells its operator."""
        told = ask_admin(self.server.folder, {"command": "status"})
        return msgspec.convert(told, Look, strict=False)

    @contextmanager
    def watching(self) -> Generator[list[Look]]:
        """Look again and again while the block runs, and once at its end."""
        looks: list[Look] = []
        over = threading.Event()

        def go_on() -> None:
            while not over.is_set():
                looks.append(self.look())
                over.wait(LOOK_SECONDS)

        watcher = threading.Thread(target=go_on, daemon=True)
        watcher.start()
        try:
            yield looks
        finally:
            over.set()
            watcher.join()
            looks.append(self.look())


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
    with scene.watching() as looks:
        tally = flood.go_on(scene.target, seconds)
    assert not tally.surprises
    assert tally.unexpected == 0
    assert tally.as_expected + tally.turned_away == tally.runs
    assert tally.as_expected > 0
    assert scene.honest.goes_on() == Harm()
    assert looks, "nobody looked at the server meanwhile"
    assert max(look.held_bytes for look in looks) < looks[0].budget_bytes
    assert max(look.connections for look in looks) <= CONNECTIONS_MAX
    assert looks[-1].failures == 0
