"""The client store's life in durability runs: numbered work whose state is a function.

Each piece of work does what a received message does, in one transaction: the message,
its event and the cursor; every third also puts a letter into the outbox, which ends
three later; every fifth moves a consumer. So after `n` pieces the database has exactly
one right content, and nobody needs to remember what was asked.
"""

from typing import NamedTuple

from wigwag.client import MessageState
from wigwag.client._events import EventKind
from wigwag.client._store_account import counter_txn, set_counter_txn
from wigwag.client._store_events import (
    add_event_txn,
    consumer_done_txn,
    consumer_seq_txn,
)
from wigwag.client._store_messages import MessageRow, insert_message_txn
from wigwag.client._store_outbox import Letter, add_letter_txn, end_letter_txn
from wigwag.client._txn import Txn
from wigwag.wire import MessageClass

KEY = bytes(range(32))
NOW_MS = 1_800_000_000_000
CHAT = b"c" * 16
LETTER_EVERY = 3
DONE_EVERY = 5


class Found(NamedTuple):
    """What a database holds.

    Attributes:
        cursor: The counter.
        messages: Numbers of the messages, by place in the chat.
        events: Numbers that events name, in order.
        letters: Numbers of letters in the outbox, in order.
        known: Numbers of letters that ended.
        done: How far the consumer is.
        bodies: Whether every body is what was written.
    """

    cursor: int
    messages: list[int]
    events: list[int]
    letters: list[int]
    known: list[int]
    done: int
    bodies: bool


def id_of(number: int) -> bytes:
    """Return the id of a number."""
    return number.to_bytes(16, "big")


def body_of(number: int) -> bytes:
    """Return the content of a message: some pages of SQLite now and then."""
    return number.to_bytes(4, "big") * (2_500 if number % 11 == 0 else 30)


def work_txn(txn: Txn) -> int:
    """Do the next piece of work; return its number."""
    number = counter_txn(txn, "cursor") + 1
    insert_message_txn(
        txn,
        MessageRow(
            id=id_of(number),
            chat=CHAT,
            chat_seq=number,
            sender=b"s" * 16,
            sender_device=1,
            client_msg_id=id_of(number),
            is_own=0,
            content=body_of(number),
            state=MessageState.RECEIVED,
            reason="",
            undelivered="",
            sent_at_ms=NOW_MS,
            tries=0,
            next_try_ms=None,
        ),
    )
    add_event_txn(txn, EventKind.MESSAGE_RECEIVED, NOW_MS, message=id_of(number))
    if number % LETTER_EVERY == 0:
        letter = Letter(
            id_of(number),
            CHAT,
            MessageClass.MESSAGE,
            body_of(number),
            id_of(number),
            None,
            NOW_MS,
        )
        add_letter_txn(txn, letter, is_offered=False)
        if number > LETTER_EVERY:
            end_letter_txn(txn, id_of(number - LETTER_EVERY), 1, NOW_MS)
    if number % DONE_EVERY == 0:
        consumer_done_txn(txn, "app", number)
    set_counter_txn(txn, "cursor", number)
    return number


def found_txn(txn: Txn) -> Found:
    """Read what the database holds."""
    rows = txn.all(
        tuple[bytes, bytes], "SELECT id, content FROM message ORDER BY chat_seq"
    )
    messages = [int.from_bytes(id_) for id_, _ in rows]
    return Found(
        counter_txn(txn, "cursor"),
        messages,
        _numbers(txn, "SELECT message FROM event ORDER BY seq"),
        _numbers(txn, "SELECT id FROM outbox ORDER BY position"),
        _numbers(txn, "SELECT id FROM known ORDER BY id"),
        consumer_seq_txn(txn, "app"),
        all(body == body_of(int.from_bytes(id_)) for id_, body in rows),
    )


def _numbers(txn: Txn, sql: str) -> list[int]:
    return [int.from_bytes(id_) for (id_,) in txn.all(tuple[bytes], sql)]


def right(number: int) -> Found:
    """Say what a database holds after so many pieces of work."""
    letters = list(range(LETTER_EVERY, number + 1, LETTER_EVERY))
    return Found(
        number,
        list(range(1, number + 1)),
        list(range(1, number + 1)),
        letters[-1:],
        letters[:-1],
        number - number % DONE_EVERY,
        bodies=True,
    )


def difference(found: Found, acknowledged: int, begun: int) -> tuple[str, str] | None:
    """Say what is wrong with a database, or None.

    Args:
        found: What it holds.
        acknowledged: Pieces of work that had returned.
        begun: Pieces of work that had been handed over.
    """
    if found.cursor < acknowledged:
        return "lost", f"{acknowledged} pieces were durable, {found.cursor} are there"
    if found.cursor > begun:
        return "doubled", f"{begun} pieces were begun, {found.cursor} are there"
    wanted = right(found.cursor)
    for name, have, want in zip(Found._fields, found, wanted, strict=True):
        if have != want:
            what = "lost" if name != "bodies" else "served"
            return what, f"{name} is {have} and not {want}"
    return None
