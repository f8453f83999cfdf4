"""`wigwag listen`: messages as they come, handled one by one."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from subprocess import PIPE
from typing import IO, Final, cast

import anyio

from wigwag.client._cli_failures import HandlerFailed
from wigwag.client._cli_output import Output
from wigwag.client._cli_session import Opening, open_profile
from wigwag.client._errors import TimedOut
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
from wigwag.client._keys import VARIABLE as PASSPHRASE_VARIABLE
from wigwag.client._message import Message
from wigwag.client._render import (
    counted,
    gap_words,
    message_value,
    message_words,
    one_line,
    shown_text,
)

STDERR: Final = 2


@dataclass(frozen=True, slots=True)
class Listening:
    """What to listen for.

    Attributes:
        consumer: Name of the durable cursor.
        count: Messages after which it is over; None: it goes on.
        wait_seconds: Time after which it is over; None: it goes on.
        handler: Command for the shell, run for each message; None: none.
    """

    consumer: str
    count: int | None
    wait_seconds: float | None
    handler: str | None


async def run_listen(opening: Opening, listening: Listening) -> None:
    """Write each message, or hand it to a command, until it is over.

    Args:
        opening: Profile and output.
        listening: What to listen for.

    Raises:
        TimedOut: There were fewer messages than wanted.
        HandlerFailed: The command didn't exit with 0; the message comes again.
    """
    async with (
        open_profile(opening) as session,
        anyio.create_task_group() as tasks,
    ):
        listener = Listener(opening.output, listening)
        tasks.start_soon(listener.obey_signals)
        await listener.run(session.events(consumer=listening.consumer))
        tasks.cancel_scope.cancel()


class Listener:
    """Takes events one by one.

    Args:
        output: Where messages are written.
        listening: What to listen for.
    """

    def __init__(self, output: Output, listening: Listening) -> None:
        self._output = output
        self._listening = listening
        self._waiting = anyio.CancelScope()
        self._handled = 0
        self._is_told_to_stop = False

    async def run(self, events: AsyncIterator[AnyEvent]) -> None:
        """Handle events until it is over."""
        wait_seconds = self._listening.wait_seconds
        if wait_seconds is not None:
            self._waiting.deadline = anyio.current_time() + wait_seconds
        # Only the wait for the next event is cut short: one that was begun is
        # finished.
        with self._waiting:
            async for event in events:
                with anyio.CancelScope(shield=True):
                    await self._take(event)
                    await event.done()
                if self._handled == self._listening.count:
                    return
        if self._listening.count is not None:
            came = counted(self._handled, "message")
            why = "was told to stop" if self._is_told_to_stop else "the time is over"
            raise TimedOut(f"{came} of {self._listening.count} came; {why}.")

    async def obey_signals(self) -> None:
        """End between two messages on SIGINT or SIGTERM; at once on the second."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                if self._is_told_to_stop:
                    signal.signal(number, signal.SIG_DFL)
                    os.kill(os.getpid(), number)
                self._is_told_to_stop = True
                self._waiting.cancel()

    async def _take(self, event: AnyEvent) -> None:
        match event:
            case MessageReceived(message=message):
                await self._take_message(event, message)
                self._handled += 1
            case MessageUnreadable(message=message):
                words = f"{one_line(message.peer)}: {one_line(shown_text(message))}"
                self._tell("unreadable", message_value(message), words)
            case Gap(first=first, last=last, reason=reason):
                value: dict[str, object] = {
                    "first": first,
                    "last": last,
                    "reason": reason,
                }
                self._tell("gap", value, gap_words(reason))
            case PeerKeyChanged(peer=peer, reason=reason):
                words = f"The key of {one_line(peer)} changed ({one_line(reason)})."
                self._tell("peer_changed", {"peer": peer, "reason": reason}, words)
            case ListsDiffer(peer=peer, reason=reason):
                words = (
                    f"{one_line(peer)} sees other device lists ({one_line(reason)})."
                )
                self._tell("lists_differ", {"peer": peer, "reason": reason}, words)
            case MessageStateChanged() | MessageUndelivered():
                return

    async def _take_message(self, event: MessageReceived, message: Message) -> None:
        value: dict[str, object] = {
            "event": "message",
            **message_value(message),
            "is_above": event.is_above,
            "is_repaired": event.is_repaired,
        }
        if self._listening.handler is not None:
            await self._hand_over(self._listening.handler, message, value)
        if self._listening.handler is None or self._output.as_json:
            self._output.result(value, message_words(message))

    async def _hand_over(
        self, handler: str, message: Message, value: dict[str, object]
    ) -> None:
        """Run the command for one message; returns once it exited with 0."""
        environment = {
            name: value_
            for name, value_ in os.environ.items()
            if name != PASSPHRASE_VARIABLE
        }
        environment |= {
            "WIGWAG_MESSAGE_ID": message.id,
            "WIGWAG_PEER": message.peer,
            # No variable can hold a NUL.
            "WIGWAG_TEXT": (message.text or "").replace("\0", "\ufffd"),
            "WIGWAG_CHAT_SEQ": str(message.chat_seq or ""),
            "WIGWAG_SENT_AT_MS": str(message.sent_at_ms),
        }
        line = json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"
        # With --json standard output is ours alone.
        stdout = STDERR if self._output.as_json else None
        process = await anyio.open_process(
            handler,
            stdin=PIPE,
            stdout=cast("IO[bytes] | int | None", stdout),
            stderr=None,
            env=environment,
        )
        async with process:
            assert process.stdin is not None
            # It needn't read its input: its exit status is what counts.
            with suppress(anyio.BrokenResourceError, OSError):
                await process.stdin.send(line)
            await process.stdin.aclose()
            status = await process.wait()
        if status:
            raise HandlerFailed(
                f"The command ended with {status} for a message from"
                f" {one_line(message.peer)}; the message comes again."
            )

    def _tell(self, event: str, value: dict[str, object], words: str) -> None:
        if self._output.as_json:
            self._output.result({"event": event, **value}, words)
        else:
            self._output.note(words)
