"""The pytest fixture, as somebody else's tests would use it."""

from tests.server._peer import Account, connect

from wigwag.testing import RunningServer
from wigwag.testing.pytest_plugin import wigwag_server as wigwag_server


async def test_the_fixture_is_a_running_server(wigwag_server: RunningServer) -> None:
    """Real TLS, a folder of its own, a join string that works."""
    assert wigwag_server.join.startswith("wigwag://127.0.0.1:")
    async with connect(wigwag_server.address.port) as peer:
        await peer.register(Account(), await wigwag_server.invite())
    assert (wigwag_server.folder / "wigwag.db").exists()
