"""The same SDK under asyncio: plain functions, a server in a process of its own."""

import ast
import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from tests.client.worlds import at, join, texts

import wigwag.client
from wigwag.client import MessageState
from wigwag.testing import server_in_thread


def test_two_people_talk_under_asyncio(tmp_path: Path) -> None:
    """Bot authors live on asyncio."""

    async def main() -> None:
        with anyio.fail_after(60):
            alice = await join("alice", server.join, tmp_path)
            bob = await join("bob", server.join, tmp_path)
            async with at(alice, has_handover=True) as a, at(bob) as b:
                sent = await a.send("bob", "hello")
                assert await texts(b, 1) == ["hello"]
                await sent.wait("delivered", 10)
                for number in range(19):
                    await b.send("alice", f"{number}")
                last = await b.send("alice", "19")
                await last.wait("delivered", 10)
                assert await texts(a, 20) == [f"{number}" for number in range(20)]
                await b.mark_read(sent.message_id)
                assert (await sent.wait("read", 10)).state is MessageState.READ

    with server_in_thread() as server:
        anyio.run(main, backend="asyncio")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_example_in_the_docstring_runs(tmp_path: Path, backend: str) -> None:
    """What a newcomer copies first must work as it stands, on both."""
    doc = inspect.getdoc(wigwag.client) or ""
    lines = doc.splitlines()
    begin = next(n for n, line in enumerate(lines) if "open_session" in line)
    example = "\n".join(lines[begin : begin + 5])
    assert "await event.done()" in example
    body = "\n".join("    " + line[4:] for line in example.splitlines())
    # The example names a profile; here it is a folder, and it stops by itself.
    program = f"async def bot():\n{body}\n"
    program = program.replace('wigwag.client.open_session("bot")', "opened()")
    ast.parse(program)
    names: dict[str, object] = {"wigwag": wigwag}

    async def main() -> None:
        with anyio.fail_after(60):
            alice = await join("alice", server.join, tmp_path)
            bob = await join("bot", server.join, tmp_path)
            names["opened"] = lambda: at(bob)
            exec(program, names)  # noqa: S102 - our own docstring
            bot = cast("Callable[[], Coroutine[Any, Any, None]]", names["bot"])
            async with at(alice) as a, anyio.create_task_group() as tasks:
                tasks.start_soon(bot)
                await a.send("bot", "hello")
                assert await texts(a, 1) == ["You said hello"]
                tasks.cancel_scope.cancel()

    with server_in_thread() as server:
        anyio.run(main, backend=backend)
