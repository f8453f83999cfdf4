"""A person of the demonstration: a `wigwag chat --json` process, and what it wrote.

What is noted here is what the process said on its standard output; what it stored
is asked of `wigwag history` after it has ended.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import anyio
import msgspec
from anyio.abc import TaskGroup

from wigwag.demo._processes import Commands, Program, StageError

WAIT_SECONDS: Final = 30.0
"""For anything that must happen; the demonstration has failed if it doesn't."""

HISTORY_LIMIT: Final = 10_000

STATES: Final = ("queued", "sequenced", "delivered", "read")

StateName = Literal["queued", "sequenced", "delivered", "read"]


class Said(msgspec.Struct, frozen=True):
    """A message as `chat` and `history` write it.

    Attributes:
        message_id: Its id, hexadecimal.
        is_own: Whether the profile's owner wrote it.
        text: Its text; None: a placeholder.
        state: Where it stands, e.g. "delivered".
        chat_seq: Its place in the chat, as text; None: none yet.
    """

    message_id: str
    is_own: bool
    text: str | None
    state: str
    chat_seq: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that a process wrote.

    Attributes:
        run: Which process of this person it was, from 1.
        said: The message.
    """

    run: int
    said: Said


class Person:
    """One person, with a profile of his or her own.

    Args:
        commands: Starts the processes.
        name: Username; also of the profile's folder.
        peer: Whom he or she talks with.
        passphrase: Of the profile.

    Attributes:
        messages: Newest version of each message that a process wrote, by id.
        shown: Every message that was written as new, in order.
        runs: How often the chat was started.
        is_connected: What the chat said last about its connection.
    """

    def __init__(
        self, commands: Commands, name: str, peer: str, passphrase: str
    ) -> None:
        self.name = name
        self.peer = peer
        self.passphrase = passphrase
        self.profile = commands.folder / name
        self.log = commands.folder / f"{name}.log"
        self.messages: dict[str, Said] = {}
        self.shown: list[Shown] = []
        self.runs = 0
        self.is_connected = False
        self._own: set[str] = set()
        self._commands = commands
        self._environment = {"WIGWAG_PASSPHRASE": passphrase}
        self._program: Program | None = None
        self._changed = anyio.Event()
        self._ended = anyio.Event()

    def __repr__(self) -> str:
        return f"<Person {self.name}>"

    async def register(self, join: str) -> None:
        """Make the account."""
        await self._run(["register", self.name, join])

    async def safety_number(self) -> str:
        """Ask for the safety number with the peer."""
        (value,) = await self._run(["verify", self.peer])
        return str(value["safety_number"])

    async def history(self) -> list[Said]:
        """Ask the store for all messages with the peer; the chat must not run."""
        arguments = ["history", self.peer, "--limit", str(HISTORY_LIMIT)]
        values = await self._run(arguments)
        return [msgspec.convert(value, Said) for value in values]

    async def come_online(self, tasks: TaskGroup) -> None:
        """Start the chat and wait until it is connected."""
        assert self._program is None, "the chat runs"
        arguments = ["chat", self.peer, "--json", "--profile", str(self.profile)]
        self._program = await self._commands.start(
            arguments, self.log, self._environment
        )
        self.runs += 1
        self.is_connected = False
        self._ended = anyio.Event()
        tasks.start_soon(self._read, self._program, self.runs, self._ended)
        await self.wait_until(lambda: self.is_connected, "to be connected")

    async def go_offline(self) -> None:
        """End the chat as Ctrl-D does.

        Raises:
            StageError: It didn't end well.
        """
        assert self._program is not None, "the chat doesn't run"
        program, self._program = self._program, None
        await program.close_input()
        exit_code = await program.wait()
        await self._ended.wait()
        if exit_code:
            raise StageError(f"{self.name}'s chat ended with {exit_code}")

    async def kill(self) -> None:
        """End the chat with SIGKILL, whatever it is doing; harmless without one."""
        program, self._program = self._program, None
        if program is not None:
            await program.kill()
            await self._ended.wait()

    async def say(self, text: str) -> None:
        """Type a line.

        Raises:
            StageError: Nobody reads it.
        """
        if self._program is None:
            raise StageError(f"{self.name} is offline")
        await self._program.write(text)

    def own_texts(self) -> set[str]:
        """Return what the chat confirmed to be stored, of this person's own."""
        return set(self._own)

    def has_confirmed(self, text: str) -> bool:
        """Say whether the chat confirmed that an own text is stored."""
        return text in self._own

    def count_reached(self, state: StateName, prefix: str = "") -> int:
        """Count own messages that came at least so far, by what the chat wrote."""
        reached = STATES[STATES.index(state) :]
        return sum(
            said.is_own
            and said.state in reached
            and (said.text or "").startswith(prefix)
            for said in self.messages.values()
        )

    def count_received(self, prefix: str = "") -> int:
        """Count the peer's messages that the chat wrote."""
        return sum(
            not said.is_own and (said.text or "").startswith(prefix)
            for said in self.messages.values()
        )

    async def wait_state(self, text: str, state: StateName) -> None:
        """Wait until an own message has come at least so far."""
        await self.wait_until(
            lambda: self.count_reached(state, text) > 0, f"its message to be {state}"
        )

    async def wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so; it is looked at whenever the chat writes.

        Raises:
            StageError: It doesn't become so.
        """
        with anyio.move_on_after(WAIT_SECONDS):
            while not is_so():
                await self._changed.wait()
            return
        raise StageError(f"{self.name} waited {WAIT_SECONDS:.0f} s for {what}")

    async def change(self) -> None:
        """Wait until the chat writes something, or ends."""
        await self._changed.wait()

    async def _run(self, arguments: list[str]) -> list[dict[str, object]]:
        profile = ["--profile", str(self.profile)]
        return await self._commands.run(
            [*arguments, *profile], self.log, self._environment
        )

    async def _read(self, program: Program, run: int, ended: anyio.Event) -> None:
        try:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                while (line := await program.line()) is not None:
                    self._note(json.loads(line), run)
                    self._signal()
        finally:
            self.is_connected = False
            ended.set()
            self._signal()

    def _note(self, value: dict[str, object], run: int) -> None:
        match value.get("event"):
            case "message" | "state" as event:
                said = msgspec.convert(value, Said)
                self.messages[said.message_id] = said
                if said.is_own and said.text is not None:
                    self._own.add(said.text)
                if event == "message":
                    self.shown.append(Shown(run, said))
            case "status":
                self.is_connected = bool(value["is_connected"])
            case "remark":
                pass
            case _:
                raise StageError(f"{self.name}'s chat wrote {value}")

    def _signal(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
