"""A chat that fills the terminal: messages above, one line to type in below.

The screen is drawn as a whole, so a message that arrives while one types goes above
the line that is typed in, and check marks change where they stand.
"""

from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import HSplit, Layout, Window
from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.styles import Style

from wigwag.client._chat_control import STYLES, TranscriptControl
from wigwag.client._chat_transcript import Remark, Shown, Transcript
from wigwag.client._chat_view import ChatStatus
from wigwag.client._render import one_line

INPUT_ROWS_MAX = 5
"""A long text grows to here before it scrolls."""


class Screen:
    """The full-screen view of a chat.

    Args:
        transcript: What to show.
        peer: The peer's name.
        submit: Takes a typed line; returns False if it can't just now, and the line
            stays where it is.
    """

    def __init__(
        self, transcript: Transcript, peer: str, submit: Callable[[str], bool]
    ) -> None:
        self._peer = one_line(peer)
        self._submit = submit
        self._status = ChatStatus()
        self._control = TranscriptControl(transcript, self._peer)
        self._buffer = Buffer(
            multiline=False, history=InMemoryHistory(), accept_handler=self._accept
        )
        self._application: Application[None] = Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=Style.from_dict(STYLES),
            full_screen=True,
            mouse_support=False,  # selecting text stays the terminal's
        )

    async def run(self) -> None:
        """Show the chat until the person leaves."""
        # Signals are the event loop's: a SIGINT from elsewhere leaves cleanly too.
        await self._application.run_async(handle_sigint=False)

    def leave(self) -> None:
        """End `run`; harmless when it hasn't begun or has ended."""
        if self._application.is_running and not self._application.is_done:
            self._application.exit()

    def begin(self) -> None:
        """The first drawing shows the history."""

    def show(self, shown: Shown, *, is_new: bool) -> None:
        """Draw again: the transcript holds the message already."""
        del shown, is_new
        self._application.invalidate()

    def remark(self, remark: Remark) -> None:
        """Draw again: the transcript holds the remark already."""
        del remark
        self._application.invalidate()

    def show_status(self, status: ChatStatus) -> None:
        """Draw the toolbar again."""
        self._status = status
        self._application.invalidate()

    def _accept(self, buffer: Buffer) -> bool:
        text = buffer.text
        if not text.strip():
            return False
        # True keeps the text in the line.
        return not self._submit(text)

    def _layout(self) -> Layout:
        entry = Window(
            BufferControl(self._buffer, input_processors=[BeforeInput("> ")]),
            wrap_lines=True,
            height=self._input_height,
            dont_extend_height=True,
        )
        return Layout(
            HSplit(
                [
                    Window(self._control, wrap_lines=False),
                    Window(char="─", height=1, style="class:rule"),
                    entry,
                    Window(
                        FormattedTextControl(self._toolbar),
                        height=1,
                        style="class:toolbar",
                    ),
                ]
            ),
            focused_element=entry,
        )

    def _input_height(self) -> int:
        columns = self._application.output.get_size().columns
        rows = (len(self._buffer.text) + len("> ")) // max(columns, 1) + 1
        return min(rows, INPUT_ROWS_MAX)

    def _toolbar(self) -> StyleAndTextTuples:
        status = self._status
        trust = "verified" if status.is_verified else "not verified: /verify"
        if status.change:
            trust = "KEY CHANGED: /verify"
        more = "" if self._control.is_at_end else " │ PageDown: newer messages"
        words = f" {status.connection_words()} │ {self._peer}, {trust} │ /help{more}"
        return [("", words)]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            """Clear what is typed; leave if there is nothing."""
            if self._buffer.text:
                self._buffer.reset()
            else:
                event.app.exit()

        @keys.add("c-d", filter=Condition(lambda: not self._buffer.text))
        @keys.add("<sigint>")
        def _(event: KeyPressEvent) -> None:
            event.app.exit()

        @keys.add("pageup")
        def _(event: KeyPressEvent) -> None:
            self._control.page_up()
            event.app.invalidate()

        @keys.add("pagedown")
        def _(event: KeyPressEvent) -> None:
            self._control.page_down()
            event.app.invalidate()

        return keys
