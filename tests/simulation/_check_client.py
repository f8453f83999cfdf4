"""The devices' promises: I5 delivery, I6 exactly once, I7 send order, I10, I25."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from tests.simulation._facts import Facts
from tests.simulation._history import History, Sending, Sent, Shown
from tests.simulation._violation import Violation, short

from wigwag.wire import MessageClass

UNDONE_GRACE_SECONDS: Final = 90.0
"""From an entry's arrival until it is surely stored, or the connection over: a copy
made meanwhile may lack it."""


def check_delivery(facts: Facts) -> Iterator[Violation]:
    """I5: once faults have stopped, everybody has everything, with its text."""
    if not facts.has_settled:
        return
    texts_of: defaultdict[bytes, set[str]] = defaultdict(set)
    for sending in facts.sendings:
        texts_of[facts.device_of.get(sending.process, b"")].add(sending.text)
    sent = {event.message_id: event.text for event in facts.sent}
    for kept in facts.kept:
        undone = {
            one.id
            for one in facts.entries
            if facts.device_of.get(kept.process) == one.device
            and facts.was_undone(kept.process, one.time, UNDONE_GRACE_SECONDS)
        }
        # It may have come as a resend, which has an id of its own.
        undone |= {
            one.message_id
            for one in facts.shown
            if one.process == kept.process
            and facts.was_undone(kept.process, one.time, UNDONE_GRACE_SECONDS)
        }
        for message_id in kept.unsent:
            yield Violation(
                "I5",
                0,
                f"{kept.process} still has {short(message_id)} in its outbox",
                (message_id,),
            )
        have = {message.message_id: message.text for message in kept.messages}
        for row in facts.log:
            is_due = kept.account in facts.users_of.get(row.chat, ())
            if row.class_ != MessageClass.MESSAGE or not is_due:
                continue
            if row.sender[:16] == kept.account or row.message_id in undone:
                continue
            text = have.get(row.message_id)
            wanted = sent.get(row.message_id)
            if text is None:
                yield _violation(
                    "I5", 0, row.message_id, f"never got to {kept.process}"
                )
            elif text != wanted and (
                wanted is not None or text not in texts_of[row.sender]
            ):
                yield _violation(
                    "I5", 0, row.message_id, f"reached {kept.process} as {text!r}"
                )


def check_exactly_once(facts: Facts) -> Iterator[Violation]:
    """I6: stored once, shown at least once, never shown after done()."""
    for kept in facts.kept:
        for id_, count in Counter(one.message_id for one in kept.messages).items():
            if count > 1:
                yield _violation("I6", 0, id_, f"is {count} times in {kept.process}")
        texts = Counter(one.text for one in kept.messages if one.text is not None)
        for text, count in texts.items():
            if count > 1:
                yield Violation("I6", 0, f"{kept.process} has {text!r} {count} times")
    yield from _check_consumers(facts)


def _check_consumers(facts: Facts) -> Iterator[Violation]:
    shown = {(event.process, event.message_id) for event in facts.shown}
    done: dict[tuple[str, str, bytes], float] = {}
    for call in facts.handled:
        if facts.was_undone(call.process, call.time, UNDONE_GRACE_SECONDS):
            continue
        done.setdefault((call.process, call.consumer, call.message_id), call.time)
    for event in facts.shown:
        # Handled at the same instant as shown: the call returned without waiting.
        at = done.get((event.process, event.consumer, event.message_id))
        if at is not None and at < event.time:
            yield _violation(
                "I6",
                event.time,
                event.message_id,
                f"was shown to {event.process} again, after done()",
            )
    if not facts.has_settled:
        return
    for kept in facts.kept:
        for message in kept.messages:
            if (
                message.text is not None
                and (kept.process, message.message_id) not in shown
            ):
                yield _violation(
                    "I6", 0, message.message_id, f"was never shown to {kept.process}"
                )


def check_send_order(facts: Facts) -> Iterator[Violation]:
    """I7: of one device in one chat, the log has the client's order."""
    turn_of = {event.message_id: turn for turn, event in enumerate(facts.sent)}
    for chat in facts.chats():
        last: dict[bytes, tuple[int, bytes]] = {}
        for row in facts.log_of(chat):
            # A call that never returned has no turn; its neighbours are compared.
            turn = turn_of.get(row.message_id)
            before = last.get(row.sender)
            if turn is None:
                continue
            if before is not None and turn < before[0]:
                yield _violation(
                    "I7",
                    0,
                    row.message_id,
                    f"was sent before {short(before[1])} and is in the log after it",
                )
            last[row.sender] = turn, row.message_id


def check_causality(history: History, facts: Facts) -> Iterator[Violation]:
    """I10: what a device saw before it sent in a chat is before it in the log."""
    moved = facts.moved()
    row_of = {row.message_id: row for row in facts.log if row.message_id not in moved}
    seen: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
    known: dict[tuple[str, str], dict[bytes, int]] = {}
    for event in history:
        match event:
            case Shown():
                row = row_of.get(event.message_id)
                if row is not None:
                    places = seen[event.process]
                    places[row.chat] = max(places.get(row.chat, 0), row.chat_seq)
            case Sending():
                known[event.process, event.text] = dict(seen[event.process])
            case Sent():
                row = row_of.get(event.message_id)
                before = known.get((event.process, event.text), {})
                if row is not None and row.chat_seq <= before.get(row.chat, 0):
                    yield _violation(
                        "I10",
                        event.time,
                        row.message_id,
                        f"is at {row.chat_seq:#x}, its device had seen"
                        f" {before[row.chat]:#x}",
                    )
            case _:
                pass


def check_key_use(facts: Facts) -> Iterator[Violation]:
    """I25: no two ciphertexts under one message key.

    State that is durable too late shows here: the crash that loses it makes the next
    message use the key again.
    """
    first: dict[tuple[bytes, bytes, int], bytes] = {}
    for sealed in facts.sealed:
        known = first.setdefault(sealed.message_key, sealed.digest)
        if known != sealed.digest:
            number = sealed.message_key[2]
            yield _violation(
                "I25",
                sealed.time,
                sealed.id,
                f"is a second ciphertext under message key {number}",
            )


def _violation(invariant: str, time: float, id_: bytes, text: str) -> Violation:
    return Violation(invariant, time, f"message {short(id_)} {text}", (id_,))
