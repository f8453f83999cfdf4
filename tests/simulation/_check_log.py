"""The log's promises: I1 durable ack, I2 once, I3 order, I4 one history, I8, I9."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from tests.simulation._facts import Facts, Key, log_key
from tests.simulation._violation import Violation, short

from wigwag.wire import ErrorCode, MessageClass, suite1

ORDERED: Final = (MessageClass.MESSAGE, MessageClass.OPERATION)

ENDS_OF_NONE: Final = ("REJECTED", "CANCELLED")
"""End states that say: never delivered."""


def check_durable_ack(facts: Facts) -> Iterator[Violation]:
    """I1: what a client saw SEQUENCED is in the log, whatever crashed."""
    log = {log_key(row) for row in facts.log}
    index = {log_key(row) for row in facts.sent_index}
    for answer in facts.answered:
        kept = log if answer.chat_seq else index
        if answer.key not in kept:
            yield _violation(
                "I1",
                answer.time,
                answer.key,
                f"was answered SEQUENCED at {answer.chat_seq:#x} and is not on disk",
            )


def check_once(facts: Facts) -> Iterator[Violation]:
    """I2: one entry per (chat, device, client id); no CONFLICT for an honest client."""
    for key, count in Counter(log_key(row) for row in facts.log).items():
        if count > 1:
            yield _violation("I2", 0, key, f"is {count} times in the log")
    places: defaultdict[Key, set[int]] = defaultdict(set)
    for entry in facts.entries:
        if entry.key is not None:
            places[entry.key].add(entry.chat_seq)
            if len(places[entry.key]) == 2:
                yield _violation(
                    "I2", entry.time, entry.key, "was delivered at two positions"
                )
    for turned in facts.turned:
        if turned.code == ErrorCode.CONFLICT:
            yield _violation(
                "I2",
                turned.time,
                turned.key,
                f"attempt {turned.attempt} was answered CONFLICT",
            )


def check_order(facts: Facts) -> Iterator[Violation]:
    """I3: per chat and epoch 1, 2, 3, ...; every reader sees rising positions."""
    for chat in facts.chats():
        last = 0
        for row in facts.log_of(chat):
            place = row.chat_seq
            is_next = place == last + 1 and place >> 32 == last >> 32
            is_first = place >> 32 > last >> 32 and place & 0xFFFF_FFFF == 1
            if not is_next and not is_first:
                yield Violation(
                    "I3",
                    0,
                    f"chat {short(chat)} goes from {last:#x} to {place:#x}",
                    (row.message_id,),
                )
            last = place
    yield from _check_readers(facts)
    yield from _check_shown_order(facts)


def _check_readers(facts: Facts) -> Iterator[Violation]:
    """Within an inbox, entries chain by `prev`, and each chat's positions rise."""
    prev_of: dict[tuple[bytes, int], int] = {}
    place_of: dict[tuple[bytes, int], tuple[Key, int]] = {}
    for entry in facts.entries:
        known = prev_of.setdefault((entry.device, entry.position), entry.prev)
        if known != entry.prev or entry.prev >= entry.position:
            yield Violation(
                "I3",
                entry.time,
                f"device {short(entry.device)}: {entry.position:#x} follows"
                f" {entry.prev:#x}, before it followed {known:#x}",
            )
        if entry.key is not None and entry.chat_seq:
            place_of[entry.device, entry.position] = entry.key, entry.chat_seq
    last: dict[tuple[bytes, bytes], int] = {}
    for (device, position), (key, chat_seq) in sorted(place_of.items()):
        if chat_seq <= last.get((device, key.chat), 0):
            yield _violation(
                "I3",
                0,
                key,
                f"is at {chat_seq:#x} and was sent to {short(device)} at"
                f" {position:#x}, after a later one",
            )
        last[device, key.chat] = chat_seq


def _check_shown_order(facts: Facts) -> Iterator[Violation]:
    """A consumer is first shown the messages of a chat in the log's order.

    A message that was a stub first (MISSED) may come later.
    """
    place_of = {log_key(row): row.chat_seq for row in facts.log}
    missed = {entry.key for entry in facts.entries if not entry.is_delivery}
    seen: set[tuple[str, str, Key]] = set()
    last: dict[tuple[str, str, bytes], int] = {}
    for event in facts.shown:
        key = Key(event.chat, event.sender, event.message_id)
        place = place_of.get(key)
        if place is None or key in missed:
            continue
        if (event.process, event.consumer, key) in seen:
            continue
        seen.add((event.process, event.consumer, key))
        reader = event.process, event.consumer, event.chat
        if place < last.get(reader, 0):
            yield _violation(
                "I3",
                event.time,
                key,
                f"at {place:#x} was shown to {event.process} after a later one",
            )
        last[reader] = max(place, last.get(reader, 0))


def check_one_history(facts: Facts) -> Iterator[Violation]:
    """I4: whoever names a position of a chat means the same message."""
    meant: dict[tuple[bytes, int], Key] = {}
    named = [(0.0, log_key(row), row.chat_seq) for row in facts.log]
    named += [(one.time, one.key, one.chat_seq) for one in facts.answered]
    named += [
        (one.time, one.key, one.chat_seq)
        for one in facts.entries
        if one.key is not None
    ]
    for time, key, place in named:
        if not place:
            continue
        first = meant.setdefault((key.chat, place), key)
        if first != key:
            yield _violation(
                "I4", time, key, f"is at {place:#x}, where {short(first[2])} is"
            )
    yield from _check_prefixes(facts)


def _check_prefixes(facts: Facts) -> Iterator[Violation]:
    """What a device was sent of a chat is a prefix of what the others wrote there."""
    sent: defaultdict[tuple[bytes, bytes], set[Key]] = defaultdict(set)
    for entry in facts.entries:
        if entry.key is not None and entry.chat_seq:
            sent[entry.device, entry.key.chat].add(entry.key)
    for (device, chat), keys in sent.items():
        missing: Key | None = None
        for row in facts.log_of(chat):
            key = log_key(row)
            if row.sender[:16] == device[:16]:
                continue
            if key not in keys:
                missing = key
            elif missing is not None:
                yield _violation(
                    "I4",
                    0,
                    key,
                    f"was sent to {short(device)}, {short(missing.message_id)}"
                    " before it was not",
                )
                break


def check_no_phantom(facts: Facts) -> Iterator[Violation]:
    """I8: each entry was sent by a signed-in member; what was refused is in no log."""
    left = {copy.key for copy in facts.copies}
    on_disk = {log_key(row) for row in facts.log}
    on_disk |= {log_key(row) for row in facts.sent_index}
    for key in sorted(on_disk - left):
        yield _violation("I8", 0, key, "is on disk and its device never sent it")
    for answer in facts.answered:
        if answer.key not in left:
            yield _violation("I8", answer.time, answer.key, "never left its device")
    for copy in facts.copies:
        users = {copy.key.sender[:16], *copy.users}
        if len(users) != 2 or suite1.direct_chat_id(*sorted(users)) != copy.key.chat:
            yield _violation("I8", copy.time, copy.key, "names no chat of its users")
    dead = {
        (event.process, event.message_id)
        for event in facts.ended
        if event.state in ENDS_OF_NONE
    }
    gone = {(facts.device_of.get(process, b""), id_) for process, id_ in dead}
    there = on_disk | {entry.key for entry in facts.entries if entry.key is not None}
    for sender, message_id in sorted(gone & {key[1:] for key in there}):
        yield _violation(
            "I8", 0, Key(b"", sender, message_id), "was refused for good and stored"
        )


def check_ack_truth(facts: Facts) -> Iterator[Violation]:
    """I9: SEQUENCED names the entry's real place, each time the same."""
    place_of = {log_key(row): row.chat_seq for row in facts.log}
    first: dict[Key, tuple[int, int, int]] = {}
    for answer in facts.answered:
        said = answer.chat_seq, answer.attempt, answer.sent_at
        known = first.setdefault(answer.key, said)
        if known != said:
            yield _violation(
                "I9", answer.time, answer.key, f"was {known} before and is {said} now"
            )
        real = place_of.get(answer.key, 0)
        if real and answer.chat_seq != real:
            yield _violation(
                "I9",
                answer.time,
                answer.key,
                f"is said to be at {answer.chat_seq:#x} and is at {real:#x}",
            )


def _violation(invariant: str, time: float, key: Key, text: str) -> Violation:
    return Violation(
        invariant,
        time,
        f"message {short(key.message_id)} of {short(key.sender)} {text}",
        (key.message_id,),
    )
