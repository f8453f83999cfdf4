"""Forty days of traffic in simulated time: what expires does so on time, and is said.

The oracle is a list of what was sent when and a rule for each reader: entries and
headers live 30 days, ids are known for 33, a device that hasn't been seen for 30
days is suspended. Nothing of the engine's own state is asked for what must be there.
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from tests.contracts.harness import Lab, ask, expect, settle
from tests.contracts.test_engine_retention import days_of, tick
from tests.server.core.world import (
    ALICE_1,
    BOB_1,
    CAROL_1,
    DAY_MS,
    NO_ID,
    REGISTRATION,
    START_MS,
    envelope,
    message_id,
)

from wigwag.server.core import (
    Ack,
    Connect,
    Connected,
    Device,
    EngineLimits,
    Entries,
    GapReason,
    InboxRead,
    Refusal,
    Refused,
    Send,
    Sequenced,
    device_of,
)
from wigwag.server.engines import EmbeddedEngine
from wigwag.server.engines._mark import forget_mark
from wigwag.wire import suite1

DAVE_1 = device_of(b"D" * 16, 1)
READERS = (BOB_1, CAROL_1, DAVE_1)
DAYS = 40
# Of the tables' first day: entries and headers, and ids.
LIFE_DAYS = 30
KNOWN_DAYS = 33
TEXT = b"t" * 2_000
UNDELIVERED = 102


@dataclass
class Sent:
    """One message of Alice's.

    Attributes:
        at_ms: When it was sequenced.
        send: The request.
        answer: What it was answered.
    """

    at_ms: int
    send: Send
    answer: Sequenced


@dataclass
class Month:
    """The people and what they have seen.

    Attributes:
        lab: The engine's folder and clock.
        sent: By reader, in order.
        reported: Ids that Alice was told undelivered, by how often.
        generations: Of each device.
    """

    lab: Lab
    sent: dict[Device, list[Sent]] = field(
        default_factory=lambda: {reader: [] for reader in READERS}
    )
    reported: dict[bytes, int] = field(default_factory=dict[bytes, int])
    generations: dict[Device, int] = field(default_factory=dict[Device, int])
    count: int = 0

    @property
    def now_ms(self) -> int:
        """The time."""
        return self.lab.clock.ms

    async def sign_in(
        self, engine: EmbeddedEngine, device: Device, cursor: int
    ) -> Connected:
        """Sign a device in with its next generation."""
        generation = self.generations[device] = self.generations.get(device, 1) + 1
        request = Connect(device, REGISTRATION, generation, cursor)
        return await expect(Connected, engine, request)

    async def send(self, engine: EmbeddedEngine, reader: Device) -> None:
        """Send one message from Alice to a reader."""
        self.count += 1
        before = self.sent[reader]
        send = Send(
            ALICE_1,
            REGISTRATION,
            self.generations.get(ALICE_1, 1),
            suite1.direct_chat_id(ALICE_1[:16], reader[:16]),
            message_id(self.now_ms, self.count),
            1,
            before[-1].send.client_msg_id if before else NO_ID,
            1,
            (reader[:16],),
            (envelope(reader, TEXT),),
        )
        answer = await expect(Sequenced, engine, send)
        before.append(Sent(self.now_ms, send, answer))

    async def read_all(self, engine: EmbeddedEngine, device: Device) -> list[bytes]:
        """Return the ids of what an inbox holds."""
        ids: list[bytes] = []
        above = 0
        while True:
            found = await expect(
                Entries, engine, InboxRead(device, above, 100, 1 << 20)
            )
            if not found.entries:
                return ids
            ids += [entry.client_msg_id for entry in found.entries]
            above = found.entries[-1].position

    async def read_reports(self, engine: EmbeddedEngine) -> None:
        """Have Alice read and acknowledge what she is told."""
        while True:
            found = await expect(Entries, engine, InboxRead(ALICE_1, 0, 500, 1 << 20))
            if not found.entries:
                return
            for entry in found.entries:
                assert entry.kind == UNDELIVERED
                told = self.reported.get(entry.client_msg_id, 0)
                self.reported[entry.client_msg_id] = told + 1
            last = found.entries[-1].position
            await ask(engine, Ack(ALICE_1, REGISTRATION, last))

    def alive(self, reader: Device) -> list[bytes]:
        """Return the ids of messages to a reader whose time isn't over."""
        oldest_ms = self.now_ms - LIFE_DAYS * DAY_MS
        return [
            one.send.client_msg_id
            for one in self.sent[reader]
            if one.at_ms >= oldest_ms
        ]

    async def check(self, engine: EmbeddedEngine, day: int) -> None:
        """Hold the engine against the rules, after the day's ticks."""
        assert await self.read_all(engine, BOB_1) == []
        assert await self.read_all(engine, DAVE_1) == self.alive(DAVE_1)
        is_carol_suspended = day > LIFE_DAYS
        carols = [] if is_carol_suspended else self.alive(CAROL_1)
        assert await self.read_all(engine, CAROL_1) == carols
        gone = {
            one.send.client_msg_id
            for one in self.sent[DAVE_1]
            if one.send.client_msg_id not in self.alive(DAVE_1)
        }
        if is_carol_suspended:
            gone |= {one.send.client_msg_id for one in self.sent[CAROL_1]}
        assert self.reported == dict.fromkeys(gone, 1)
        self.check_days(day)

    def check_days(self, day: int) -> None:
        """Check that whole days are dropped on time, and not before."""
        first, today = START_MS // DAY_MS, START_MS // DAY_MS + day
        sent = range(max(first, today - KNOWN_DAYS), today + 1)
        log = range(max(first, today - LIFE_DAYS), today + 1)
        expected = [f"chat_log_{one}" for one in log]
        assert days_of(self.lab) == expected + [f"sent_index_{one}" for one in sent]

    async def check_repeats(self, engine: EmbeddedEngine) -> None:
        """A known id gets its answer; one that isn't known any more is EXPIRED."""
        today = self.now_ms // DAY_MS
        for one in self.sent[BOB_1][::3]:
            generation = self.generations[ALICE_1]
            again = msgspec.structs.replace(one.send, generation=generation)
            answer = await ask(engine, again)
            if one.at_ms // DAY_MS >= today - KNOWN_DAYS:
                assert answer == one.answer
            else:
                assert isinstance(answer, Refused)
                assert answer.code is Refusal.EXPIRED


async def live_a_day(month: Month, engine: EmbeddedEngine, day: int) -> None:
    """Bob reads daily, Dave signs in and stores nothing, Carol stays away."""
    await tick(engine)
    for reader in READERS:
        await month.send(engine, reader)
        await month.send(engine, reader)
    found = await expect(Entries, engine, InboxRead(BOB_1, 0, 100, 1 << 20))
    assert len(found.entries) == 2
    await ask(engine, Ack(BOB_1, REGISTRATION, found.last))
    await month.sign_in(engine, ALICE_1, 0)
    if day % 10 == 0:
        await month.sign_in(engine, DAVE_1, 0)
    await tick(engine)
    await month.read_reports(engine)
    await month.check(engine, day)


async def test_forty_days_pass(tmp_path: Path) -> None:
    """Every day is held against the rules; a restart a week, a backup put back once."""
    month = Month(Lab(tmp_path))
    lab = month.lab
    sizes: list[int] = []
    backup = b""
    day = 0
    while day <= DAYS:
        async with lab.engine(accept_clock=True) as engine:
            if day == 0:
                await settle(engine, ALICE_1, *READERS)
            for _ in range(7):
                lab.clock.ms = START_MS + day * DAY_MS + 3_600_000
                await live_a_day(month, engine, day)
                if day % 7 == 0:
                    await month.check_repeats(engine)
                sizes.append(lab.query("PRAGMA page_count")[0][0])
                day += 1
        if day == 28:
            backup = lab.path.read_bytes()
    # What is deleted makes room: after the life of everything it grows no more.
    assert sizes[-1] <= sizes[KNOWN_DAYS + 1] * 1.05
    async with lab.engine() as engine:
        await come_back(month, engine)
    lab.path.write_bytes(backup)
    forget_mark(lab.path)
    async with lab.engine() as engine:
        await check_backup(month, engine)


async def come_back(month: Month, engine: EmbeddedEngine) -> None:
    """Carol signs in after all: she is told what is gone, and takes part again."""
    answer = await month.sign_in(engine, CAROL_1, 0)
    assert [gap.reason for gap in answer.gaps] == [GapReason.SUSPENDED]
    gap = answer.gaps[0]
    assert (gap.first, gap.last) == (1, answer.last)
    answer = await month.sign_in(engine, DAVE_1, 0)
    assert {gap.reason for gap in answer.gaps} == {GapReason.EXPIRED}
    oldest = (await expect(Entries, engine, InboxRead(DAVE_1, 0, 1, 1))).entries[0]
    # The gaps reach up to the oldest entry that is left, and no further.
    assert max(gap.last for gap in answer.gaps) == oldest.prev
    await month.send(engine, CAROL_1)
    newest = month.sent[CAROL_1][-1].send.client_msg_id
    assert await month.read_all(engine, CAROL_1) == [newest]


async def check_backup(month: Month, engine: EmbeddedEngine) -> None:
    """I21: what has expired since the backup isn't delivered from it either."""
    await tick(engine)
    for reader in (BOB_1, CAROL_1, DAVE_1):
        held = await month.read_all(engine, reader)
        alive = set(month.alive(reader))
        assert set(held) <= alive
    assert await month.read_all(engine, DAVE_1)


async def test_a_full_inbox_refuses_and_never_trims(tmp_path: Path) -> None:
    """RECIPIENT_FULL for a month, and what was taken before is all still there."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(device_bytes_max=6 * len(TEXT))
    month = Month(lab)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        for _ in range(5):
            await month.send(engine, BOB_1)
        taken = month.alive(BOB_1)
        more = last = month.sent[BOB_1][-1].send
        for number in range(1, LIFE_DAYS):
            lab.clock.ms = START_MS + number * DAY_MS
            await month.sign_in(engine, BOB_1, 0)
            await tick(engine)
            more = msgspec.structs.replace(
                last,
                client_msg_id=message_id(lab.clock.ms, 1_000 + number),
                after=last.client_msg_id,
            )
            refused = await expect(Refused, engine, more)
            assert refused.code is Refusal.RECIPIENT_FULL
            assert await month.read_all(engine, BOB_1) == taken
        found = await expect(Entries, engine, InboxRead(BOB_1, 0, 1, 1))
        await ask(engine, Ack(BOB_1, REGISTRATION, found.entries[0].position))
        assert isinstance(await ask(engine, more), Sequenced)
        assert await month.read_all(engine, BOB_1) == [*taken[1:], more.client_msg_id]
