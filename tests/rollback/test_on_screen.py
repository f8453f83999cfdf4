"""What two people at their terminals see of an old copy: one sentence each."""

import json
import shutil
from pathlib import Path

from tests.client._cli_world import open_world
from tests.rollback._scenes import put_back, restart_on


def test_people_are_told_in_one_sentence(tmp_path: Path) -> None:
    """The server comes back as it was, then a profile does; `listen` says which."""
    with open_world(tmp_path) as world:
        for name in ("alice", "bob"):
            world.register(name, "--no-passphrase")
        send = ("send", "bob", "-p", "alice", "--until", "sequenced")
        listen = ("listen", "-p", "bob", "--wait", "3")
        copy = tmp_path / "copy"
        world.server.stop()
        shutil.copytree(world.server.folder, copy)
        world.server.start()
        world.run(*send, "read").succeeded()
        assert "read" in world.run(*listen, "--count", "1").succeeded().out
        world.run(*send, "unread").succeeded()
        restart_on(world.server, copy)
        # Whoever opens his profile next offers again what the server has lost.
        told = world.run("listen", "-p", "alice", "--wait", "3").succeeded()
        assert "yours that it may have lost are sent again" in told.err
        heard = world.run(*listen, "--count", "1").succeeded()
        assert heard.out.count("\n") == 1
        assert "unread" in heard.out
        assert "The server was put back from an older copy" in heard.err
        status = world.run(
            "admin", "status", "--json", "--data", str(world.server.folder)
        )
        assert status.succeeded().value()["restores_proven"] == 1

        shutil.copytree(world.profile("bob"), tmp_path / "bob")
        world.run(*send, "received by the newer").succeeded()
        world.run(*listen, "--count", "1").succeeded()
        put_back(tmp_path / "bob", world.profile("bob"))
        told = world.run("listen", "-p", "bob", "--wait", "3", "--json").succeeded()
        events = [json.loads(line) for line in told.out.splitlines()]
        assert [event["reason"] for event in events] == ["store_rolled_back"]
