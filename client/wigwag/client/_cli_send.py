"""`wigwag send`: one message, durable before anything is said about it."""

import time
from typing import Final, cast

from wigwag.client._cli_input import LineReader
from wigwag.client._cli_output import Output
from wigwag.client._cli_session import (
    Opening,
    open_profile_or_holder,
    wait_to_look_up,
)
from wigwag.client._errors import ConnectionLost, MessageTooLong, TimedOut
from wigwag.client._handover_client import Holder
from wigwag.client._message import Message, MessageState
from wigwag.client._render import check_mark, one_line
from wigwag.client._session import TEXT_BYTES_MAX, Session, Until

FROM_STDIN: Final = "-"

HOLDERS_MAX: Final = 20
"""Processes that held the profile and ended, while one message is waited for."""


async def run_send(
    opening: Opening, peer: str, text: str, until: str | None, wait_seconds: float
) -> None:
    """Send a message, and wait for what becomes of it.

    Args:
        opening: Profile and output.
        peer: Who gets it.
        text: The text; "-": it comes from standard input.
        until: State to wait for; None: sequenced, and it is no failure if it doesn't
            come about.
        wait_seconds: How long.
    """
    if text == FROM_STDIN:
        text = await _read_text()
    waiting = Waiting(opening.output, peer, until, wait_seconds)
    async with open_profile_or_holder(opening) as door:
        if isinstance(door, Session):
            await wait_to_look_up(door, peer, wait_seconds)
        sent = await door.send(peer, text)
        is_over = await waiting.wait(door, sent.message_id)
    for _ in range(HOLDERS_MAX):
        if is_over:
            return
        # The holder has ended; the message is in the store.
        async with open_profile_or_holder(opening) as door:
            is_over = await waiting.wait(door, sent.message_id)
    raise ConnectionLost("The profile changes hands all the time.")


class Waiting:
    """Waits for what becomes of a message, through whoever holds the profile.

    Args:
        output: Where it is told.
        peer: Who gets it.
        until: State to wait for; None: sequenced, as long as there is time.
        wait_seconds: How long, in all.
    """

    def __init__(
        self, output: Output, peer: str, until: str | None, wait_seconds: float
    ) -> None:
        self._output = output
        self._peer = peer
        self._is_strict = until is not None
        self._target: Until = cast("Until", until) if until else "sequenced"
        self._deadline = time.monotonic() + wait_seconds

    async def wait(self, door: Session | Holder, message_id: str) -> bool:
        """Wait and tell.

        Returns:
            Whether it is over; otherwise the holder went away.

        Raises:
            TimedOut: It didn't come so far in time, and it should have.
            MessageRejected: It never will.
        """
        left = max(self._deadline - time.monotonic(), 0.0)
        try:
            message = await door.wait(message_id, self._target, left)
        except TimedOut:
            if self._is_strict:
                raise
            _tell_queued(self._output, self._peer, message_id)
            return True
        except ConnectionLost:
            if isinstance(door, Holder):
                return False
            raise
        _tell(self._output, message)
        return True


async def _read_text() -> str:
    data = await LineReader().all(TEXT_BYTES_MAX)
    if len(data) > TEXT_BYTES_MAX:
        raise MessageTooLong(f"The text is longer than {TEXT_BYTES_MAX} bytes.")
    return data.decode("utf-8", "replace").removesuffix("\n")


def _tell(output: Output, message: Message) -> None:
    state = message.state.name.lower()
    words = f"{check_mark(message)} {state}: to {one_line(message.peer)}"
    output.result(_value(message.id, message.peer, state), words)


def _tell_queued(output: Output, peer: str, message_id: str) -> None:
    output.result(
        _value(message_id, peer, MessageState.QUEUED.name.lower()),
        f"… queued: to {one_line(peer)}; it is sent when the server can be reached"
        " while the profile is open (wigwag chat, listen or send).",
    )


def _value(message_id: str, peer: str, state: str) -> dict[str, object]:
    return {"message_id": message_id, "peer": peer, "state": state}
