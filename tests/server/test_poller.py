"""The poller: many sockets, one task, and nobody's failure is another's."""

import socket
from collections.abc import Generator
from contextlib import contextmanager

import trio

from wigwag.server._poller import ROUND_SOCKETS_MAX, Poller

WAIT_SECONDS_MAX = 5.0


class Reader:
    """Reads what its socket has, and counts its calls."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.read: list[bytes] = []
        self.writable = 0
        self.told = trio.Event()

    def ready(self, *, readable: bool, writable: bool) -> None:
        """Do what can be done now."""
        if readable:
            self.read.append(self.connection.recv(100))
        self.writable += writable
        self.told.set()


@contextmanager
def pair() -> Generator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets, the first not blocking."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


async def test_a_socket_is_watched_for_what_was_said_last() -> None:
    """A paused connection must cost nothing, however much waits to be read."""
    poller = Poller(begin=lambda: None, end=lambda: None)
    with pair() as (ours, theirs), trio.fail_after(WAIT_SECONDS_MAX):
        reader = Reader(ours)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.run)
            poller.watch(ours, reader, reads=True, writes=False)
            theirs.send(b"one")
            await reader.told.wait()
            assert reader.read == [b"one"]
            assert reader.writable == 0
            poller.watch(ours, reader, reads=False, writes=True)
            theirs.send(b"two")
            reader.told = trio.Event()
            await reader.told.wait()
            assert reader.read == [b"one"]
            assert reader.writable > 0
            poller.watch(ours, reader, reads=False, writes=False)
            calls = reader.writable
            await trio.testing.wait_all_tasks_blocked()
            assert reader.writable == calls
            nursery.cancel_scope.cancel()
    poller.close()


async def test_rounds_are_bounded_and_stand_between_begin_and_end() -> None:
    """What is written goes out after each round, so none may be without end."""
    calls: list[str] = []
    poller = Poller(
        begin=lambda: calls.append("begin"), end=lambda: calls.append("end")
    )

    class One:
        def ready(self, *, readable: bool, writable: bool) -> None:
            assert writable
            assert not readable
            calls.append("ready")

    count = ROUND_SOCKETS_MAX + 1
    pairs = [socket.socketpair() for _ in range(count)]
    try:
        for ours, _ in pairs:
            poller.watch(ours, One(), reads=False, writes=True)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.run)
            while calls.count("ready") < count:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    finally:
        for ends in pairs:
            for end in ends:
                end.close()
        poller.close()
    rounds = " ".join(calls).split("begin")[1:]
    assert all(one.strip().endswith("end") for one in rounds)
    assert max(one.count("ready") for one in rounds) == ROUND_SOCKETS_MAX
