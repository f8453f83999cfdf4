"""What shows a chat and takes what is typed: a screen, or lines in a pipe."""

from dataclasses import dataclass
from typing import Protocol

from wigwag.client._chat_transcript import Remark, Shown
from wigwag.client._render import counted


@dataclass(frozen=True, slots=True)
class ChatStatus:
    """How things stand beside the messages.

    Attributes:
        is_connected: Whether we are signed in at the server.
        error: Why the last try failed, a sentence; "": none did.
        queued: Messages of ours that it hasn't taken yet.
        is_verified: Whether the peer's safety number was compared.
        change: Why nothing is sent to the peer; "": it is sent.
    """

    is_connected: bool = False
    error: str = ""
    queued: int = 0
    is_verified: bool = False
    change: str = ""

    def connection_words(self) -> str:
        """Say how the connection is, in a few words."""
        if self.is_connected:
            words = "connected"
        else:
            words = "offline" if self.error else "connecting…"
        if not self.queued:
            return words
        return f"{words}: {counted(self.queued, 'message')} queued"


class View(Protocol):
    """One way to show a chat."""

    async def run(self) -> None:
        """Take lines until the person leaves; then return."""
        ...

    def begin(self) -> None:
        """Show what the transcript holds before anything happens: the history."""
        ...

    def show(self, shown: Shown, *, is_new: bool) -> None:
        """Show a message that came, or how one of ours stands now."""
        ...

    def leave(self) -> None:
        """End `run`; harmless when it has ended."""
        ...

    def remark(self, remark: Remark) -> None:
        """Show a remark."""
        ...

    def show_status(self, status: ChatStatus) -> None:
        """Show how things stand."""
        ...
