"""A process that ends at a crash point: an engine under load that says what it answers.

Its life passes every point: two accounts, a few messages, forty days with a tick that
drops day tables, then both write to each other and acknowledge while the WAL is
checkpointed, then a clean end. Every answer is printed as it is given, one line each;
`CRASH_AT` ends it in between. Started again on the same file it goes on.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import trio
from tests.contracts.harness import Ears, SetClock, ask, expect, settle
from tests.server.core.world import (
    ALICE_1,
    BOB_1,
    CHAT,
    DAY_MS,
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
    Connect,
    Connected,
    EngineLimits,
    EngineStatus,
    Entries,
    InboxEntry,
    InboxRead,
    Send,
    Sequenced,
    Status,
    Tick,
    Ticked,
)
from wigwag.server.engines import EmbeddedEngine, ThreadExecutor, _store, open_engine

WINDOW = 8
NUMBERS_BEFORE = 6
"""Messages of a device before the forty days; their day tables are dropped."""
NUMBER_MAX = 400
JUMP_MS = 20 * DAY_MS
"""Short enough that a device that signs in isn't suspended; two drop a day table."""
RESERVE_BYTES = 2 << 20
PEER = {ALICE_1: BOB_1, BOB_1: ALICE_1}


def say(line: str) -> None:
    """Print a line past every buffer."""
    os.write(1, line.encode() + b"\n")


def id_of(number: int) -> bytes:
    """Return the client_msg_id of a device's message."""
    if number == 0:
        return NO_ID
    jumps = 0 if number <= NUMBERS_BEFORE else 2
    return message_id(START_MS + jumps * JUMP_MS, number)


def make_send(device: bytes, number: int) -> Send:
    """Make the device's message of a number; the same every time."""
    peer = PEER[device]
    return Send(
        *(device, REGISTRATION, 1 << 40, CHAT, id_of(number), 1),
        *(id_of(number - 1), 1, (peer[:16],)),
        (envelope(peer, number.to_bytes(4) * 50),),
    )


def number_of(client_msg_id: bytes) -> int:
    """Return the number of an id."""
    return 0 if client_msg_id == NO_ID else int.from_bytes(client_msg_id[-7:])


class Talker:
    """A device that keeps a window of messages going and acknowledges what it gets."""

    def __init__(self, engine: EmbeddedEngine, device: bytes, number: int) -> None:
        self.engine = engine
        self.device = device
        self.number = number
        self.waiting = 0
        self.got = 0
        self.done = trio.Event()

    def talk(self) -> None:
        """Send the next message."""
        if self.number < NUMBER_MAX:
            self.number += 1
            self.waiting += 1
            self.engine.append(make_send(self.device, self.number), self.answered)
        elif not self.waiting:
            self.done.set()

    def answered(self, answer: Answer) -> None:
        """Say it and go on."""
        assert isinstance(answer, Sequenced), answer
        number = number_of(answer.client_msg_id)
        say(f"sent {self.device.hex()} {number} {answer.chat_seq}")
        self.waiting -= 1
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


async def sign_in(engine: EmbeddedEngine, device: bytes, generation: int) -> Connected:
    """Sign in with everything acknowledged that is there."""
    found = await expect(Entries, engine, InboxRead(device, 0, 1_000, 1 << 24))
    request = Connect(device, REGISTRATION, generation, found.last)
    signed_in = await expect(Connected, engine, request)
    say(f"acked {device.hex()} {signed_in.acked}")
    return signed_in


async def live_before(engine: EmbeddedEngine, clock: SetClock) -> None:
    """Begin: accounts, some messages, and forty days that end with a tick."""
    await settle(engine, *PEER)
    say("registered")
    for number in range(1, NUMBERS_BEFORE + 1):
        for device in PEER:
            await expect(Sequenced, engine, make_send(device, number))
    for jump in (2, 3):
        clock.ms += JUMP_MS
        for device in PEER:
            await sign_in(engine, device, jump)
    tick = Tick()
    while (after := (await expect(Ticked, engine, tick)).after) is not None:
        tick = Tick(after=after)


async def live(engine: EmbeddedEngine, clock: SetClock) -> None:
    """Live from wherever the last process ended."""
    status = await ask(engine, Status())
    assert isinstance(status, EngineStatus)
    if status.accounts == 0:
        await live_before(engine, clock)
    clock.ms = START_MS + 2 * JUMP_MS
    talkers: list[Talker] = []
    for device in PEER:
        signed_in = await sign_in(engine, device, 4 + (status.epoch << 4))
        number = number_of(signed_in.last_stored_id)
        talkers.append(Talker(engine, device, max(number, NUMBERS_BEFORE)))
    for talker in talkers:
        engine.watch(talker.device, talker)
    for talker in talkers:
        for _ in range(WINDOW):
            talker.talk()
    for talker in talkers:
        await talker.done.wait()


async def main(path: Path, is_new: bool) -> None:
    """Live until killed, or to a clean end."""
    _store.WAL_PAGES_MAX = 40
    clock = SetClock(START_MS if is_new else START_MS + 2 * JUMP_MS)
    with ThreadExecutor() as executor:
        async with open_engine(
            path,
            clock=clock,
            executor=executor,
            listener=Ears(),
            limits=EngineLimits(group_records_max=16),
            reserve_bytes=RESERVE_BYTES,
            accept_clock=True,
        ) as engine:
            await live(engine, clock)
    say("ended")


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), not Path(sys.argv[1]).exists())
