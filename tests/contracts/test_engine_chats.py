"""The count of chats that an account opened, in the real database."""

from pathlib import Path

from tests.contracts.harness import Lab, ask, ask_all, make_older, settle
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    BOB,
    BOB_1,
    CAROL_1,
    NO_ID,
    REGISTRATION,
    START_MS,
    envelope,
    message_id,
)

from wigwag.server.core import Refusal, Refused, Send, Sequenced
from wigwag.server.core._limits import CHATS_OPENED_MAX
from wigwag.server.engines import SCHEMA_VERSION
from wigwag.wire import suite1


def first_send(sender: bytes, target: bytes, number: int = 1) -> Send:
    """Make the first message of a chat."""
    return Send(
        sender=sender,
        registration_id=REGISTRATION,
        generation=1,
        chat=suite1.direct_chat_id(sender[:16], target[:16]),
        client_msg_id=message_id(START_MS, number),
        attempt=1,
        after=NO_ID,
        class_=1,
        users=(target[:16],),
        envelopes=(envelope(target),),
    )


async def test_the_count_is_durable_and_refuses_after_a_restart(tmp_path: Path) -> None:
    """R-SEND-009: what was opened before a restart counts after it."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1, CAROL_1)
        assert isinstance(await ask(engine, first_send(ALICE_1, BOB_1)), Sequenced)
        assert lab.query("SELECT * FROM opened_chats") == [(ALICE, 1)]
        lab.query("UPDATE opened_chats SET chats = ?", CHATS_OPENED_MAX)
    async with lab.engine() as engine:
        refused = await ask(engine, first_send(ALICE_1, CAROL_1, 2))
        assert isinstance(refused, Refused)
        assert refused.code is Refusal.QUOTA
        # Carol opens it instead.
        assert isinstance(await ask(engine, first_send(CAROL_1, ALICE_1)), Sequenced)
        again = await ask(engine, first_send(ALICE_1, CAROL_1, 3))
        assert isinstance(again, Sequenced)


async def test_an_older_folder_is_brought_up_with_what_was_opened(
    tmp_path: Path,
) -> None:
    """The device that wrote first stands first in a chat's row."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1, CAROL_1)
        await ask_all(
            engine,
            first_send(BOB_1, ALICE_1),
            first_send(ALICE_1, BOB_1),
            first_send(ALICE_1, CAROL_1, 2),
            first_send(CAROL_1, BOB_1),
            first_send(BOB_1, CAROL_1, 2),
        )
        counted = lab.query("SELECT * FROM opened_chats ORDER BY user")
        assert [chats for _, chats in counted] == [1, 1, 1]
    make_older(lab.path, 2)
    async with lab.engine() as engine:
        assert lab.query("SELECT schema FROM log") == [(SCHEMA_VERSION,)]
        assert lab.query("SELECT * FROM opened_chats ORDER BY user") == counted
        await ask(engine, first_send(BOB_1, ALICE_1))
        assert (BOB, 1) in lab.query("SELECT * FROM opened_chats")
