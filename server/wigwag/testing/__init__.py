"""Real servers for tests: real TLS, real cryptography, a folder of their own.

    async with wigwag.testing.server() as running:          # under trio
        await wigwag.client.register("alice", running.join, profile=…, passphrase=…)

`server_in_thread` is the same for tests under asyncio or without an event loop, and
`ServerProcess` a process that can be killed and started again on its folder and
port. With pytest, `pytest_plugins = ["wigwag.testing.pytest_plugin"]` makes the
fixture `wigwag_server`.
"""

from wigwag.testing._in_process import RunningServer as RunningServer
from wigwag.testing._in_process import server as server
from wigwag.testing._in_thread import server_in_thread as server_in_thread
from wigwag.testing._process import ServerNotReadyError as ServerNotReadyError
from wigwag.testing._process import ServerProcess as ServerProcess
from wigwag.testing._process import server_process as server_process

__all__ = [
    "RunningServer",
    "ServerNotReadyError",
    "ServerProcess",
    "server",
    "server_in_thread",
    "server_process",
]
