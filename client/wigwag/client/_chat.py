"""A chat: what comes from the session goes to a view, what is typed to the session.

Beside the view run four tasks: events, connection, signals, and settling, which
tells the session now and then what was handled and read: one durable write for a
burst of messages instead of one for each.
"""

import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from wigwag.client._chat_commands import HELP, Command, Say, Unknown, read_line
from wigwag.client._chat_lines import Lines
from wigwag.client._chat_transcript import Remark, Transcript
from wigwag.client._chat_view import ChatStatus, View
from wigwag.client._cli_output import Output, is_terminal
from wigwag.client._cli_session import Opening, open_profile, wait_to_look_up
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
from wigwag.client._render import counted, gap_words, one_line
from wigwag.client._session import PeerInfo, Session
from wigwag.wire import ErrorCode

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
        # Somebody new is looked up first: a misspelt name is an error at once.
        await wait_to_look_up(session, peer)
        info = await session.peer(peer)
        conversation = Conversation(session, info, opening.output)
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
        peer: Whom it is with.
        output: For the view in lines.
    """

    def __init__(self, session: Session, peer: PeerInfo, output: Output) -> None:
        self._session = session
        self._peer = peer.name
        self._output = output
        self._transcript = Transcript()
        self._view: View
        self._info = peer
        self._queued: set[str] = set()
        self._queue_changed = anyio.Event()
        self._handled: AnyEvent | None = None
        self._unread: Message | None = None
        self._unsettled = anyio.Event()
        self._is_gone = False

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

        self._view = Screen(self._transcript, self._peer, submit)
        async with self._helpers(), anyio.create_task_group() as typing:
            typing.start_soon(self._take_lines, receive)
            await self._view.run()
            # What was typed just before leaving is still stored.
            send.close()

    async def in_lines(self) -> None:
        """Read and write lines."""
        self._view = Lines(self._output, self._transcript, self._take_line)
        async with self._helpers():
            await self._view.run()

    @asynccontextmanager
    async def _helpers(self) -> AsyncGenerator[None, None]:
        """Follow what happens while the view runs, and until the queue is empty."""
        async with anyio.create_task_group() as helpers:
            await self._begin()
            helpers.start_soon(self._follow_events)
            helpers.start_soon(self._follow_connection)
            helpers.start_soon(self._settle)
            helpers.start_soon(self._obey_signals)
            yield
            await self._leave()
            helpers.cancel_scope.cancel()

    async def _begin(self) -> None:
        for message in await self._session.history(self._peer, HISTORY_MESSAGES):
            self._transcript.put(message)
            self._note(message)
        self._view.begin()
        self._show_status()

    async def _leave(self) -> None:
        """Give the server a moment to take what is queued; then say what remains."""
        if self._session.connectivity.is_online:
            with anyio.move_on_after(LEAVE_SECONDS):
                while self._queued:
                    await self._queue_changed.wait()
        with anyio.move_on_after(LEAVE_SECONDS, shield=True):
            await self._settle_once()
        if self._queued:
            waiting = counted(len(self._queued), "message")
            self._output.note(f"{waiting} queued: sent when the profile is next open.")

    # What is typed

    async def _take_lines(self, lines: MemoryObjectReceiveStream[str]) -> None:
        async with lines:
            async for line in lines:
                await self._take_line(line)

    async def _take_line(self, line: str) -> None:
        try:
            match read_line(line):
                case Say(text=text):
                    await self._say(text)
                case Unknown(words=words):
                    self._remark(words)
                case Command() as command:
                    await self._obey(command)
        except WigwagError as error:
            # The person is told and goes on; the session ends by itself if it must.
            self._remark(f"{error} {error.action}", is_warning=True)

    async def _say(self, text: str) -> None:
        sent = await self._session.send(self._peer, text)
        self._put(await self._session.message(sent.message_id))

    async def _obey(self, command: Command) -> None:
        match command:
            case Command.HELP:
                self._remark(HELP)
            case Command.VERIFY:
                number = await self._session.safety_number(self._peer)
                name = one_line(self._peer)
                self._remark(f"{name} must see the same number:\n{number.grouped}")
            case Command.MARK:
                await self._session.mark_verified(self._peer)
                self._remark(f"{one_line(self._peer)} is verified.")
            case Command.ACCEPT:
                await self._session.accept_peer_change(self._peer)
                self._remark("The new key is accepted; compare numbers: /verify")
            case Command.QUIT:
                self._view.leave()
        await self._look_at_peer()

    # What happens

    async def _follow_events(self) -> None:
        consumer = f"chat {self._peer}"
        async for event in self._session.events(consumer=consumer):
            self._take_event(event)
            self._handled = event
            self._unsettled.set()

    def _take_event(self, event: AnyEvent) -> None:
        match event:
            case MessageReceived():
                self._put(event.message, is_above=event.is_above)
            case MessageStateChanged() | MessageUndelivered() | MessageUnreadable():
                self._put(event.message)
                self._note_gone(event.message)
            case Gap(reason=reason):
                self._remark(gap_words(reason), is_warning=True)
            case PeerKeyChanged(peer=peer, reason=reason):
                if peer == self._peer:
                    self._info = replace(self._info, change=reason)
                    self._show_status()
                self._warn_of(peer, f"has a new key ({reason}): /verify, then /accept")
            case ListsDiffer(peer=peer, reason=reason):
                self._warn_of(peer, f"sees other device lists than you ({reason})")

    def _note_gone(self, message: Message) -> None:
        """Say once that the peer's account is gone: no message can reach him."""
        is_gone = (
            message.is_own
            and message.peer == self._peer
            and message.state is MessageState.REJECTED
            and message.reason == ErrorCode.NOT_FOUND.name.lower()
        )
        if is_gone and not self._is_gone:
            self._warn_of(self._peer, "has no account any more; nothing reaches him")
        self._is_gone = self._is_gone or is_gone

    def _warn_of(self, peer: str, words: str) -> None:
        if peer == self._peer:
            self._remark(f"{one_line(peer)} {one_line(words)}.", is_warning=True)

    def _put(self, message: Message, *, is_above: bool = False) -> None:
        if message.peer != self._peer:
            return
        is_new = message.id not in self._transcript
        shown = self._transcript.put(message, is_above=is_above)
        if shown is None:
            return
        self._note(message)
        self._view.show(shown, is_new=is_new)

    def _note(self, message: Message) -> None:
        """Note what a message that is shown means for the queue and for receipts."""
        if message.is_own:
            self._count_queued(message)
        elif message.text is not None:
            self._unread = _newer(self._unread, message)
            self._unsettled.set()

    def _count_queued(self, message: Message) -> None:
        before = len(self._queued)
        if message.state is MessageState.QUEUED:
            self._queued.add(message.id)
        else:
            self._queued.discard(message.id)
        if len(self._queued) != before:
            self._queue_changed.set()
            self._queue_changed = anyio.Event()
            self._show_status()

    async def _follow_connection(self) -> None:
        told = ""
        while True:
            self._show_status()
            error = self._session.connectivity.error
            # An absent server comes back; the rest needs somebody who acts.
            if error is not None and not error.retryable and error.name != told:
                told = error.name
                self._remark(f"{error} {error.action}", is_warning=True)
            await self._session.connectivity_change()

    async def _look_at_peer(self) -> None:
        """Look again whether the peer is verified, and whether sending is held."""
        self._info = await self._session.peer(self._peer)
        self._show_status()

    def _show_status(self) -> None:
        connectivity = self._session.connectivity
        self._view.show_status(
            ChatStatus(
                is_connected=connectivity.is_online,
                error=str(connectivity.error or ""),
                queued=len(self._queued),
                is_verified=self._info.is_verified,
                change=self._info.change,
            )
        )

    # Once in a while

    async def _settle(self) -> None:
        while True:
            await self._unsettled.wait()
            await anyio.sleep(SETTLE_SECONDS)
            self._unsettled = anyio.Event()
            await self._settle_once()

    async def _settle_once(self) -> None:
        handled, self._handled = self._handled, None
        unread, self._unread = self._unread, None
        if handled is not None:
            await handled.done()
        if unread is not None:
            await self._session.mark_read(unread)

    async def _obey_signals(self) -> None:
        """Leave as on Ctrl-D: the terminal is put right, the queue gets its moment."""
        with anyio.open_signal_receiver(
            signal.SIGINT, signal.SIGTERM, signal.SIGHUP
        ) as signals:
            async for _ in signals:
                self._view.leave()

    def _remark(self, text: str, *, is_warning: bool = False) -> None:
        remark = Remark(text, is_warning)
        self._transcript.remark(remark)
        self._view.remark(remark)


def _newer(one: Message | None, other: Message) -> Message:
    """Return the one that is further down: reading it means reading what is above."""
    if one is None or other.chat_seq >= one.chat_seq:
        return other
    return one
