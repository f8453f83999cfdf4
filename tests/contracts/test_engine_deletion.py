"""Deleting an account in the real database: what goes, and what a crash leaves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contracts.harness import Lab, ask, ask_all, expect, make_older, settle
from tests.server.core.world import (
    ALICE_1,
    BOB,
    BOB_1,
    CHAT,
    DAY_MS,
    NO_ID,
    REGISTRATION,
    START_MS,
    envelope,
    message_id,
    register,
)

from wigwag.server.core import (
    NAME_HOLD_DAYS,
    AccountDelete,
    AccountDeleted,
    DeviceListPublish,
    DeviceListPublished,
    Entries,
    Failed,
    InboxRead,
    Refusal,
    Send,
    Sequenced,
    Tick,
    Ticked,
    UsernameClaim,
    UsernameResolve,
)
from wigwag.server.core._limits import DROP_ENTRIES_MAX
from wigwag.server.engines import SCHEMA_VERSION, EmbeddedEngine

ROOT = Path(__file__).parents[2]
DELETE = AccountDelete(BOB, register(BOB_1).account_key)
BEFORE_COMMIT = (
    *("engine.after_fold", "writer.after_registration", "store.before_commit"),
)
AFTER_COMMIT = (
    *("store.after_commit", "store.after_mark", "engine.before_answers"),
    *("engine.before_notices", "engine.after_answers"),
)
TABLES_OF_DEVICES = (
    *("device", "sender", "inbox_head", "inbox", "prekey_base", "prekey_page"),
    "quarantine",
)
TABLES_OF_USERS = ("account", "roster", "device_list")


def send(number: int) -> Send:
    """Make Alice's message of a number to Bob."""
    return Send(
        *(ALICE_1, REGISTRATION, 1, CHAT, message_id(START_MS, number), 1),
        message_id(START_MS, number - 1) if number > 1 else NO_ID,
        1,
        (BOB,),
        (envelope(BOB_1),),
    )


def lists(count: int) -> list[DeviceListPublish]:
    """Make Bob's next lists, all with his device."""
    return [
        DeviceListPublish(
            BOB_1,
            seq,
            b"1" * 32 if seq == 2 else f"{seq - 1:032}".encode(),
            f"{seq:032}".encode(),
            f"list {seq}".encode(),
            b"l" * 64,
            (1,),
        )
        for seq in range(2, 2 + count)
    ]


async def fill(engine: EmbeddedEngine) -> None:
    """Two accounts, a name, a few lists, three messages that wait for Bob."""
    await settle(engine, ALICE_1, BOB_1)
    await ask(engine, UsernameClaim(BOB, "bob"))
    for answer in await ask_all(engine, *lists(3)):
        assert isinstance(answer, DeviceListPublished)
    for answer in await ask_all(engine, *(send(number) for number in (1, 2, 3))):
        assert isinstance(answer, Sequenced)


async def tick(engine: EmbeddedEngine) -> None:
    """Let the folds have their time, a whole round."""
    after: bytes | None = b""
    while after is not None:
        after = (await expect(Ticked, engine, Tick(after=after))).after


def rows_of_bob(lab: Lab) -> dict[str, int]:
    """Count what the tables hold under Bob's id."""
    found: dict[str, int] = {}
    for table in (*TABLES_OF_DEVICES, *TABLES_OF_USERS):
        column = "user" if table in TABLES_OF_USERS else "device"
        ((found[table],),) = lab.query(
            f"SELECT count(*) FROM {table} WHERE substr({column}, 1, 16) = ?",  # noqa: S608 - our tables
            BOB,
        )
    return found


async def test_no_table_keeps_what_was_the_accounts(tmp_path: Path) -> None:
    """R-ACCOUNT-004, read past the engine; the budget of metadata.toml is kept."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await fill(engine)
        assert rows_of_bob(lab)["device_list"] == 4
        assert await ask(engine, DELETE) == AccountDeleted(START_MS)
        assert not any(rows_of_bob(lab).values())
        told = await expect(Entries, engine, InboxRead(ALICE_1, 0, 9, 1 << 20))
        assert len(told.entries) == 3


async def test_a_held_name_is_dropped_when_its_time_is_over(tmp_path: Path) -> None:
    """The last thing that named him goes by itself."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await fill(engine)
        await ask(engine, DELETE)
        for days, names in ((NAME_HOLD_DAYS - 1, [("bob",)]), (1, [])):
            lab.clock.ms += days * DAY_MS
            await tick(engine)
            assert lab.query("SELECT name FROM username") == names
        assert not lab.ears.of("fold_failed")
        assert await ask(engine, UsernameResolve("bob")) == Failed(Refusal.NOT_FOUND)


async def test_what_is_left_of_a_huge_inbox_calls_for_ticks_at_once(
    tmp_path: Path,
) -> None:
    """Its senders needn't wait for the hour; then its head goes too."""
    lab = Lab(tmp_path)
    count = DROP_ENTRIES_MAX + 1
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask_all(engine, *(send(number) for number in range(1, count + 1)))
        await ask(engine, DELETE)
        assert ("doomed", BOB_1) in lab.ears.heard
        assert rows_of_bob(lab)["inbox_head"] == 1
        await tick(engine)
        assert not any(rows_of_bob(lab).values())
        ((told,),) = lab.query("SELECT count(*) FROM inbox WHERE device = ?", ALICE_1)
        assert told == count


async def test_a_removal_is_told_before_the_groups_later_answers(
    tmp_path: Path,
) -> None:
    """I14: an answer behind it may be for the removed device's connection."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await fill(engine)
        order: list[tuple[object, ...]] = lab.ears.heard
        order.clear()
        engine.append(DELETE, lambda _: order.append(("deleted",)))
        engine.append(UsernameResolve("alice"), lambda _: order.append(("resolved",)))
        await ask(engine, UsernameResolve("bob"))
        expected = [("deleted",), ("revoked", BOB_1), ("resolved",)]
        assert [one for one in order if one in expected] == expected


def delete_until_killed(path: Path, point: str) -> None:
    """Delete Bob's account in a process that kills itself at a point."""
    environment = {**os.environ, "CRASH_AT": point}
    environment["PYTHONPATH"] = os.pathsep.join(
        str(ROOT / one) for one in ("", "server", "wire", "spec")
    )
    ended = subprocess.run(
        [sys.executable, "-m", "tests.contracts.killed_deletion", str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


@pytest.mark.parametrize("point", [*BEFORE_COMMIT, *AFTER_COMMIT])
async def test_a_deletion_is_whole_or_not_at_all(tmp_path: Path, point: str) -> None:
    """Kill -9 at each step: the retry tells the outcome, and nothing is half gone."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await fill(engine)
        before = rows_of_bob(lab)
    delete_until_killed(lab.path, point)
    lab.clock.ms += 5_000
    async with lab.engine() as engine:
        is_gone = point in AFTER_COMMIT
        found = rows_of_bob(lab)
        assert not any(found.values()) if is_gone else found == before
        answer = await ask(engine, DELETE)
        assert answer == AccountDeleted(START_MS if is_gone else lab.clock.ms)
        assert not any(rows_of_bob(lab).values())


async def test_a_folder_of_the_first_schema_is_brought_up(tmp_path: Path) -> None:
    """An older build's accounts can be deleted too."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await fill(engine)
    make_older(lab.path, 1)
    async with lab.engine() as engine:
        assert lab.query("SELECT schema FROM log") == [(SCHEMA_VERSION,)]
        assert isinstance(await ask(engine, DELETE), AccountDeleted)
