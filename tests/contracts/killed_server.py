"""A process for `test_engine_kill.py`: an engine under load that says what it answers.

Two devices write to each other and acknowledge; every answer is printed as it is
given, one line each. `CRASH_AT` ends it.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import trio
from tests.contracts.harness import Ears, settle
from tests.server.core.world import (
    ALICE_1,
    BOB_1,
    CHAT,
    NO_ID,
    REGISTRATION,
    START_MS,
    envelope,
    message_id,
)

from wigwag.server.core import (
    Ack,
    Acked,
    Answer,
    EngineLimits,
    InboxEntry,
    Send,
    Sequenced,
)
from wigwag.server.engines import EmbeddedEngine, ThreadExecutor, _store, open_engine

WINDOW = 8
COUNT_MAX = 3_000


def say(line: str) -> None:
    """Print a line past every buffer."""
    os.write(1, line.encode() + b"\n")


def make_send(device: bytes, peer: bytes, number: int) -> Send:
    """Make the device's message of a number; the same every time."""
    return Send(
        *(device, REGISTRATION, 1, CHAT, message_id(START_MS, number), 1),
        message_id(START_MS, number - 1) if number > 1 else NO_ID,
        1,
        (peer[:16],),
        (envelope(peer, number.to_bytes(4) * 50),),
    )


class Talker:
    """A device that keeps a window of messages going and acknowledges what it gets."""

    def __init__(self, engine: EmbeddedEngine, device: bytes, peer: bytes) -> None:
        self.engine = engine
        self.device = device
        self.peer = peer
        self.number = 0
        self.got = 0

    def talk(self) -> None:
        """Send the next message."""
        self.number += 1
        if self.number <= COUNT_MAX:
            send = make_send(self.device, self.peer, self.number)
            self.engine.append(send, self.answered)

    def answered(self, answer: Answer) -> None:
        """Say it and go on."""
        assert isinstance(answer, Sequenced)
        number = int.from_bytes(answer.client_msg_id[-7:])
        say(f"sent {self.device.hex()} {number} {answer.chat_seq}")
        self.talk()

    def entries(self, entries: Sequence[InboxEntry], /) -> None:
        """Acknowledge now and then."""
        self.got += len(entries)
        if self.got >= 5:
            self.got = 0
            ack = Ack(self.device, REGISTRATION, entries[-1].position)
            self.engine.append(ack, self.acked)

    def acked(self, answer: Answer) -> None:
        """Say it."""
        assert isinstance(answer, Acked)
        say(f"acked {self.device.hex()} {answer.acked}")


class StartClock:
    """The time of the test's ids."""

    def now_ms(self) -> int:
        """Return ms since the Unix epoch."""
        return START_MS


async def main(path: Path) -> None:
    """Talk until killed."""
    _store.WAL_PAGES_MAX = 40
    with ThreadExecutor() as executor:
        async with open_engine(
            path,
            clock=StartClock(),
            executor=executor,
            listener=Ears(),
            limits=EngineLimits(group_records_max=16),
            reserve_bytes=0,
        ) as engine:
            await settle(engine, ALICE_1, BOB_1)
            for device, peer in ((ALICE_1, BOB_1), (BOB_1, ALICE_1)):
                talker = Talker(engine, device, peer)
                engine.watch(device, talker)
                for _ in range(WINDOW):
                    talker.talk()
            await trio.sleep_forever()


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]))
