"""A chat without a terminal: each line read is a message, each line written an event.

With `--json` these lines are objects with an `event`:

    message   a message that is new here, of either side (`is_own`); those of the
              history come first, with `is_history`
    state     a message of ours that went on
    remark    words about the chat, `is_warning`
    status    connection, queue, trust

For a person standard output has what the peer writes from now on, standard error
everything else.
"""

from collections.abc import Awaitable, Callable

import anyio

from wigwag.client._chat_transcript import Remark, Shown, Transcript
from wigwag.client._chat_view import ChatStatus
from wigwag.client._cli_input import LineReader
from wigwag.client._cli_output import Output
from wigwag.client._render import (
    check_mark,
    message_value,
    message_words,
    one_line,
    shown_text,
)


class Lines:
    """The line-by-line view of a chat.

    Args:
        output: Where events go.
        transcript: What happened before.
        submit: Takes a line; returns once it is stored, so that a pipe is read no
            faster than the disk is written.
    """

    def __init__(
        self,
        output: Output,
        transcript: Transcript,
        submit: Callable[[str], Awaitable[None]],
    ) -> None:
        self._output = output
        self._transcript = transcript
        self._submit = submit
        self._status: ChatStatus | None = None
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """Take lines until the input ends or `leave` is called."""
        reader = LineReader()
        with self._scope:
            while (line := await reader.line()) is not None:
                if line.strip():
                    with anyio.CancelScope(shield=True):
                        await self._submit(line)

    def leave(self) -> None:
        """End `run`, between two lines."""
        self._scope.cancel()

    def begin(self) -> None:
        """Write the history, for a program."""
        if self._output.as_json:
            for entry in self._transcript:
                if isinstance(entry, Shown):
                    self._write_message(entry, is_new=True, is_history=True)

    def show(self, shown: Shown, *, is_new: bool) -> None:
        """Write a message, or what became of one of ours."""
        self._write_message(shown, is_new=is_new, is_history=False)

    def _write_message(self, shown: Shown, *, is_new: bool, is_history: bool) -> None:
        message = shown.message
        value = message_value(message) | {
            "is_above": shown.is_above,
            "is_history": is_history,
        }
        if self._output.as_json or (is_new and not message.is_own):
            event = "message" if is_new else "state"
            self._output.result({"event": event} | value, message_words(message))
        else:
            text = one_line(shown_text(message))
            self._output.note(f"{check_mark(message)}  {text}")

    def remark(self, remark: Remark) -> None:
        """Write a remark."""
        if self._output.as_json:
            self._output.result(
                {
                    "event": "remark",
                    "text": remark.text,
                    "is_warning": remark.is_warning,
                },
                remark.text,
            )
        else:
            self._output.note(remark.text)

    def show_status(self, status: ChatStatus) -> None:
        """Write how things stand, if a program reads it and it changed."""
        if status == self._status:
            return
        self._status = status
        if self._output.as_json:
            self._output.result(
                {
                    "event": "status",
                    "is_connected": status.is_connected,
                    "error": status.error,
                    "queued": status.queued,
                    "is_verified": status.is_verified,
                    "change": status.change,
                },
                "",
            )
