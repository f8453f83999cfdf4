"""A chat: what comes from the session goes to a view, what is typed to the session.

Three tasks beside the view: events, outgoing lines, and settling, which tells the
session now and then what was handled and read: one durable write for a burst of
messages instead of one for each.
"""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from wigwag.client._chat_commands import HELP, Command, Say, Unknown, read_line
from wigwag.client._chat_lines import Lines
from wigwag.client._chat_transcript import Remark, Transcript
from wigwag.client._chat_view import ChatStatus, View
from wigwag.client._cli_output import Output, is_terminal
from wigwag.client._cli_session import Opening, open_profile
from wigwag.client._errors import WigwagError
from wigwag.client._events import (
    AnyEvent,
    Gap,
    ListsDiffer,
    MessageReceived,
    MessageStateChanged,
    MessageUndelivered,
    MessageUnreadable,
    PeerKeyChanged,
)
from wigwag.client._message import Message, MessageState
from wigwag.client._render import grouped, one_line
from wigwag.client._session import Session

HISTORY_MESSAGES: Final = 100
"""Shown at the start; `wigwag history` has the rest."""

LINES_MAX: Final = 100
"""Typed lines that wait for the disk; a person never gets there."""

SETTLE_SECONDS: Final = 0.1
"""What was handled and read is told this late, so that a burst is told once."""

LEAVE_SECONDS: Final = 10.0
"""How long leaving waits for the server to take what is queued."""


async def run_chat(opening: Opening, peer: str) -> None:
    """Talk with a peer until the person leaves or the input ends.

    Args:
        opening: Profile and output.
        peer: His or her name.
    """
    async with open_profile(opening) as session:
        conversation = Conversation(session, peer, opening.output)
        is_screen = (
            not opening.output.as_json
            and is_terminal(sys.stdin)
            and is_terminal(sys.stdout)
        )
        await (conversation.on_screen() if is_screen else conversation.in_lines())


class Conversation:
    """One chat while it is open.

    Args:
        session: The open session.
        peer: The peer's name.
        output: For the view in lines.
    """

    def __init__(self, session: Session, peer: str, output: Output) -> None:
        self._session = session
        self._peer = peer
        self._output = output
        self._transcript = Transcript()
        self._view: View
        self._status = ChatStatus()
        self._queued: set[str] = set()
        self._emptied = anyio.Event()
        self._handled: AnyEvent | None = None
        self._unread: Message | None = None
        self._unsettled = anyio.Event()
        # A message sent by us and the event of its next state come from two tasks.
        self._order = anyio.Lock()

    async def on_screen(self) -> None:
        """Fill the terminal."""
        from wigwag.client._chat_screen import Screen

        send, receive = anyio.create_memory_object_stream[str](LINES_MAX)

        def submit(line: str) -> bool:
            try:
                send.send_nowait(line)
            except anyio.WouldBlock:
                return False
            return True

        with send:
            self._view = Screen(self._transcript, self._peer, submit)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._take_lines, receive)
                await self._run_view(tasks)

    async def in_lines(self) -> None:
        """Read and write lines."""
        self._view = Lines(self._output, self._take_line)
        async with anyio.create_task_group() as tasks:
            await self._run_view(tasks)

    async def _run_view(self, tasks: anyio.abc.TaskGroup) -> None:
        await self._show_history()
        tasks.start_soon(self._follow_events)
        tasks.start_soon(self._follow_status)
        tasks.start_soon(self._settle)
        tasks.start_soon(self._obey_signals)
        await self._view.run()
        await self._leave()
        tasks.cancel_scope.cancel()

    async def _leave(self) -> None:
        """Give the server a moment to take what is queued; then write what remains."""
        if self._queued and self._status.is_connected:
            with anyio.move_on_after(LEAVE_SECONDS):
                await self._emptied.wait()
        with anyio.move_on_after(LEAVE_SECONDS, shield=True):
            await self._settle_once()
        if self._queued:
            self._output.note(
                f"{len(self._queued)} queued: sent when the profile is next open."
            )
