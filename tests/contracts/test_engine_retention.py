"""What is gone is gone, from the database and its WAL; what is damaged is noticed."""

from pathlib import Path

import apsw
import pytest
from tests.contracts.harness import Lab, ask, ask_all, expect, settle
from tests.contracts.test_engine_order import sends
from tests.server.core.world import (
    ALICE_1,
    BOB,
    BOB_1,
    CHAT,
    DAY_MS,
    NO_ID,
    REGISTRATION,
    START_MS,
    ec_prekeys,
    envelope,
    message_id,
    signed_prekey,
)
from trio.testing import MockClock, wait_all_tasks_blocked

from wigwag.server.core import (
    Ack,
    Bundles,
    Connect,
    Connected,
    EngineLimits,
    EngineStatus,
    Entries,
    Gap,
    GapReason,
    InboxRead,
    InviteCreate,
    PrekeysClaim,
    PrekeysCount,
    PrekeysHeld,
    PrekeysUpload,
    Refusal,
    Refused,
    ReRegister,
    Send,
    Sequenced,
    Status,
    Tick,
    Ticked,
)
from wigwag.server.engines import EmbeddedEngine, checked_vfs, forget_mark
from wigwag.server.engines._embedded import CHECKPOINT_SECONDS
from wigwag.server.engines._sql import typed
from wigwag.wire import suite1

NEEDLE = b"a ciphertext that can be found again, " * 3
READ = InboxRead(BOB_1, 0, 100, 1 << 20)


def needle(number: int = 1) -> Send:
    """Make a SEND with a body that can be searched for."""
    return Send(
        *(ALICE_1, REGISTRATION, 1, CHAT, message_id(START_MS, number), 1, NO_ID, 3),
        (BOB,),
        (envelope(BOB_1, NEEDLE),),
    )


async def test_an_acknowledged_body_is_gone_after_a_minute(
    tmp_path: Path, mock_clock: MockClock
) -> None:
    """Deleted from the database at once, and from the WAL with its truncation."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, needle())
        assert NEEDLE in lab.bytes_on_disk()
        mock_clock.jump(CHECKPOINT_SECONDS + 1)
        await wait_all_tasks_blocked()
        assert NEEDLE in lab.path.read_bytes()
        found = await expect(Entries, engine, READ)
        await ask(engine, Ack(BOB_1, REGISTRATION, found.last))
        assert NEEDLE in lab.bytes_on_disk()
        mock_clock.jump(CHECKPOINT_SECONDS + 1)
        await wait_all_tasks_blocked()
        assert NEEDLE not in lab.bytes_on_disk()


async def test_an_acknowledged_body_is_gone_at_shutdown(tmp_path: Path) -> None:
    """Whoever takes the disk away finds nothing that was delivered."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, needle())
        found = await expect(Entries, engine, READ)
        await ask(engine, Ack(BOB_1, REGISTRATION, found.last))
    assert NEEDLE not in lab.bytes_on_disk()
    assert len(lab.bytes_on_disk()) == lab.path.stat().st_size


async def test_a_long_wal_is_copied_back_between_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under load no minute passes without it growing; it stays bounded."""
    monkeypatch.setattr("wigwag.server.engines._store.WAL_PAGES_MAX", 30)
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        wal = lab.path.with_name("wigwag.db-wal")
        sizes: list[int] = []
        for message in sends(60, size=3_000):
            await ask(engine, message)
            sizes.append(wal.stat().st_size)
    assert max(sizes) < 80 * 4_200


def days_of(lab: Lab) -> list[str]:
    """Return the day tables that are there."""
    found = lab.query(
        "SELECT name FROM sqlite_schema "
        "WHERE name LIKE 'sent_index_%' OR name LIKE 'chat_log_%' ORDER BY 1"
    )
    return [name for (name,) in found]


async def tick(engine: EmbeddedEngine) -> tuple[int, int]:
    """Tick until all was looked at."""
    after: bytes | None = b""
    expired = suspended = 0
    while after is not None:
        answer = await expect(Ticked, engine, Tick(after))
        expired, suspended = expired + answer.expired, suspended + answer.suspended
        after = answer.after
    return expired, suspended


async def test_old_days_are_dropped_whole(tmp_path: Path) -> None:
    """Sent index after 33 days, chat log after 30, expired invites and entries too."""
    lab = Lab(tmp_path)
    today = START_MS // DAY_MS
    (first,) = sends(1)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, InviteCreate(b"c" * 32, 1, START_MS + 5))
        stored = await ask(engine, first)
        assert days_of(lab) == [f"chat_log_{today}", f"sent_index_{today}"]
        lab.clock.ms += 31 * DAY_MS
        assert await tick(engine) == (1, 1)
        assert days_of(lab) == [f"sent_index_{today}"]
        assert not lab.query("SELECT * FROM invite")
        assert not lab.query("SELECT * FROM inbox WHERE kind = 96")
        assert await ask(engine, first) == stored
        lab.clock.ms += 3 * DAY_MS
        assert await tick(engine) == (0, 0)
        assert days_of(lab) == []
        refused = await expect(Refused, engine, first)
        assert refused.code is Refusal.EXPIRED


async def test_many_inboxes_are_walked_in_portions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan looks at so many inboxes, and the next goes on behind them."""
    monkeypatch.setattr("wigwag.server.engines._reader._SCAN_DEVICES_MAX", 2)
    monkeypatch.setattr("wigwag.server.core._inbox_drop.TICK_DEVICES_MAX", 2)
    lab = Lab(tmp_path)
    devices = [bytes((n,)) * 16 + b"\x01" for n in range(1, 8)]
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, *devices)
        for number, device in enumerate(devices, 1):
            await ask(engine, _to(device, number))
        lab.clock.ms += 30 * DAY_MS + 1
        first = await expect(Ticked, engine, Tick())
        assert first.after is not None
        assert await tick(engine) == (7 - first.expired, 7 - first.suspended)
        assert await tick(engine) == (0, 0)


def _to(device: bytes, number: int) -> Send:
    chat = suite1.direct_chat_id(ALICE_1[:16], device[:16])
    return Send(
        *(ALICE_1, REGISTRATION, 1, chat, message_id(START_MS, number), 1, NO_ID, 3),
        (device[:16],),
        (envelope(device),),
    )


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE inbox SET record = CAST(substr(record, 1, 60) || x'01' "
        "|| substr(record, 62) AS BLOB) WHERE position % 16 = 2",
        "UPDATE inbox SET record = substr(record, 1, 5) WHERE position % 16 = 2",
        "UPDATE inbox SET chat_seq = chat_seq + 1 WHERE position % 16 = 2",
        "UPDATE inbox SET sender = x'00' WHERE position % 16 = 2",
    ],
)
async def test_a_flipped_bit_is_never_served(tmp_path: Path, damage: str) -> None:
    """I22: quarantine, GAP(CORRUPT), UNDELIVERED, an alarm; the others arrive."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *sends(3))
    connection = apsw.Connection(str(lab.path), vfs=checked_vfs())
    typed(connection).execute(damage)
    assert connection.changes() == 1
    connection.close()
    async with lab.engine() as engine:
        found = await expect(Entries, engine, READ)
        places = [one.position & 15 for one in found.entries]
        assert places == [1, 3]
        (gap,) = found.gaps
        assert (gap.first & 15, gap.reason) == (2, GapReason.CORRUPT)
        assert lab.ears.of("entry_corrupt") == [(BOB_1, gap.first)]
        assert lab.ears.of("gap") == [(BOB_1, gap)]
        aside = lab.query("SELECT device, position FROM quarantine")
        assert aside == [(BOB_1, gap.first)]
        reports = await expect(Entries, engine, InboxRead(ALICE_1, 0, 9, 1 << 20))
        is_sender_known = "sender" not in damage
        assert len(reports.entries) == is_sender_known
        again = await expect(Entries, engine, READ)
        assert (again.gaps, len(again.entries)) == ((), 2)
        answer = await expect(Connected, engine, Connect(BOB_1, REGISTRATION, 2, 0))
        assert answer.gaps == (gap,)
        lab.clock.ms += 31 * DAY_MS
        await tick(engine)
        assert lab.query("SELECT * FROM quarantine") == []


async def test_a_restored_folder_is_proven_by_a_devices_cursor(
    tmp_path: Path,
) -> None:
    """Copy the folder, go on, put it back: the device's cursor tells."""
    lab = Lab(tmp_path)
    first, second, third = sends(3)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, PrekeysUpload(ALICE_1, REGISTRATION, ec_prekeys(2, 3), ()))
        await ask(engine, first)
    backup = lab.path.read_bytes()
    async with lab.engine() as engine:
        await ask(engine, second)
        found = await expect(Entries, engine, READ)
        cursor = found.last
        await ask(engine, Ack(BOB_1, REGISTRATION, cursor))
    lab.path.write_bytes(backup)
    forget_mark(lab.path)
    lab.clock.ms += 3_000
    async with lab.engine() as engine:
        again = await expect(Sequenced, engine, second)
        answer = await expect(
            Connected, engine, Connect(BOB_1, REGISTRATION, 2, cursor)
        )
        assert lab.ears.of("restore_proven") == [(BOB_1, cursor)]
        lost = Gap(answer.gaps[0].first, cursor, GapReason.SERVER_RESTORED)
        assert answer.gaps[0] == lost
        assert answer.acked == cursor
        await ask(engine, third)
        found = await expect(Entries, engine, READ)
        # The first message of before and what came since, above the cursor.
        ids = [one.client_msg_id for one in found.entries]
        assert ids == [one.client_msg_id for one in (first, second, third)]
        assert found.entries[0].prev == cursor
        assert again.chat_seq >> 32 > cursor >> 32
        held = await expect(PrekeysHeld, engine, PrekeysCount(ALICE_1))
        assert held.ec_left == 0
        assert not lab.query("SELECT * FROM prekey_page")
    async with lab.engine() as engine:
        answer = await expect(
            Connected, engine, Connect(BOB_1, REGISTRATION, 3, found.last)
        )
        assert answer.gaps == ()
        held = await expect(PrekeysHeld, engine, PrekeysCount(ALICE_1))
        assert held.ec_left == 0


async def test_shares_are_summed_by_sender(tmp_path: Path) -> None:
    """The quota of one account reads what is stored, whoever else has sent."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(sender_bytes_max=2_000)
    messages = sends(4, size=800)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *messages[:2])
    async with lab.engine() as engine:
        refused = await expect(Refused, engine, messages[2])
        assert refused.code is Refusal.RECIPIENT_FULL
        found = await expect(Entries, engine, READ)
        first = found.entries[0].position
        await ask(engine, Ack(BOB_1, REGISTRATION, first))
        assert isinstance(await ask(engine, messages[2]), Sequenced)


async def test_status_counts_what_is_stored(tmp_path: Path) -> None:
    """The operator's figures come from the tables."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, sends(1)[0])
        status = await expect(EngineStatus, engine, Status())
        found = await expect(Entries, engine, READ)
    assert (status.accounts, status.devices, status.chats) == (2, 2, 1)
    assert status.inbox_bytes == found.entries[0].size
    assert status.database_bytes > 50_000
    assert not status.is_space_low


async def test_a_one_time_key_is_handed_out_once_over_restarts(tmp_path: Path) -> None:
    """I24: the index is durable before the answer, and an empty page is gone."""
    lab = Lab(tmp_path)
    seen: list[int] = []
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, PrekeysUpload(BOB_1, REGISTRATION, ec_prekeys(2, 3, 4), ()))
    for _ in range(4):
        async with lab.engine() as engine:
            answer = await expect(Bundles, engine, PrekeysClaim(ALICE_1, BOB))
            key = answer.bundles[0].one_time
            seen.append(0 if key is None else key.id)
            if key is not None:
                assert key.key == bytes((key.id,)) * 32
    assert seen == [2, 3, 4, 0]
    async with lab.engine():
        assert lab.query("SELECT * FROM prekey_page") == []


async def test_what_a_new_registration_leaves_is_found_by_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of a large inbox is doomed: reported and deleted portion by portion."""
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 4)
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *sends(15))
        await ask(engine, ReRegister(BOB_1, 8, 2, signed_prekey(2)))
        assert len(lab.query("SELECT 1 FROM inbox WHERE device = ?", BOB_1)) == 11
    async with lab.engine() as engine:
        assert await tick(engine) == (11, 0)
        assert lab.query("SELECT 1 FROM inbox WHERE device = ?", BOB_1) == []
        reports = await expect(Entries, engine, InboxRead(ALICE_1, 0, 99, 1 << 20))
        assert len(reports.entries) == 15


async def test_more_inboxes_are_due_than_a_tick_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old and doomed ones are merged in order; the next tick goes on behind."""
    monkeypatch.setattr("wigwag.server.core._inbox_drop.TICK_DEVICES_MAX", 2)
    for module in ("_inbox_drop", "_wanted"):
        monkeypatch.setattr(f"wigwag.server.core.{module}.DROP_ENTRIES_MAX", 1)
    lab = Lab(tmp_path)
    devices = [bytes((n,)) * 16 + b"\x01" for n in range(1, 6)]
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, *devices)
        for number, device in enumerate(devices * 2, 1):
            await ask(engine, _to(device, number))
        for device in devices[::2]:
            await ask(engine, ReRegister(device, 8, 2, signed_prekey(2)))
        lab.clock.ms += 30 * DAY_MS + 1
        await ask(engine, Connect(ALICE_1, REGISTRATION, 2, 0))
        expired, suspended = await tick(engine)
        # One of each doomed inbox is left, two of each old one, and what Alice
        # was told of the first three, which is older than a month by now.
        assert (expired, suspended) == (3 + 2 * 2 + 3, 2)
        assert await tick(engine) == (0, 0)


async def test_a_read_from_the_table_keeps_to_its_bytes(tmp_path: Path) -> None:
    """The first entry comes even if it is too large; else nothing would move."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *sends(6, size=500))
    async with lab.engine() as engine:
        counts: list[int] = []
        for bytes_max in (1, 700, 1_400, 1 << 20):
            found = await expect(Entries, engine, InboxRead(BOB_1, 0, 99, bytes_max))
            counts.append(len(found.entries))
    assert counts == [1, 1, 2, 6]
