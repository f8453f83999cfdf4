"""The trace of frames: what a server could read, in a file, for development only."""

import json
from pathlib import Path

import pytest
import trio
from tests.server._peer import Account, connect

from wigwag.server._trace import FrameSplitter
from wigwag.testing import ServerNotReadyError, ServerProcess, server_process
from wigwag.wire import DRAFT, Deliver, Ping, Sequenced, encode_frame


def traced(path: Path) -> list[dict[str, object]]:
    """Return the lines of a trace."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_trace_holds_every_frame_in_both_directions(tmp_path: Path) -> None:
    """A scan of the trace proves nothing about frames that the trace leaves out."""
    path = tmp_path / "frames.jsonl"
    development = {
        "WIGWAG_SERVER_DEVELOPMENT": "true",
        "WIGWAG_SERVER_TRACE_FRAMES": str(path),
    }

    async def talk(port: int, join: str) -> None:
        alice, bob = Account(), Account()
        async with connect(port) as to_alice, connect(port) as to_bob:
            await to_alice.register(alice, join)
            await to_bob.register(bob, join)
            answer = await to_alice.ask(to_alice.send_message(bob, b"not encrypted"))
            assert isinstance(answer, Sequenced)
            await to_bob.expect(Deliver)

    with server_process(tmp_path, environment=development) as process:
        trio.run(talk, process.port, process.join)
    lines = traced(path)
    names = [(line["direction"], line["message"]) for line in lines]
    expected = {
        ("in", "HELLO"),
        ("out", "WELCOME"),
        ("in", "REGISTER"),
        ("out", "AUTH_OK"),
        ("in", "SEND"),
        ("out", "SEQUENCED"),
        ("out", "DELIVER"),
    }
    assert expected <= set(names)
    holders = [
        (line["direction"], line["message"])
        for line in lines
        if b"not encrypted" in bytes.fromhex(str(line["content"]))
    ]
    assert holders == [("in", "SEND"), ("out", "DELIVER")]
    assert path.stat().st_mode & 0o077 == 0


def test_a_public_server_refuses_to_trace(tmp_path: Path) -> None:
    """Who wrote to whom must not pile up in a file because of one setting."""
    process = ServerProcess(
        tmp_path, environment={"WIGWAG_SERVER_TRACE_FRAMES": str(tmp_path / "trace")}
    )
    with pytest.raises(ServerNotReadyError, match="development") as caught:
        process.start()
    assert not (tmp_path / "trace").exists()
    assert caught.value.exit_code == 3


def test_frames_are_split_the_same_however_they_arrive() -> None:
    """TLS cuts where it likes."""
    frames = [encode_frame(Ping(token), DRAFT, corr=token) for token in (1, 2, 3)]
    whole: list[bytes] = []
    FrameSplitter(whole.append).feed(b"".join(frames))
    single: list[bytes] = []
    splitter = FrameSplitter(single.append)
    for byte in b"".join(frames):
        splitter.feed(bytes([byte]))
    assert whole == single == frames
