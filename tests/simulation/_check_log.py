"""The log's promises: I1 durable ack, I2 once, I3 order, I4 one history, I8, I9."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from tests.simulation._facts import Facts
from tests.simulation._violation import Violation, short

from wigwag.wire import ErrorCode, GapReason, MessageClass, suite1

ORDERED: Final = (MessageClass.MESSAGE, MessageClass.OPERATION)

ENDS_OF_NONE: Final = ("REJECTED", "CANCELLED")
"""End states that say: never delivered."""


def check_durable_ack(facts: Facts) -> Iterator[Violation]:
    """I1: what a client saw SEQUENCED is in the log, whatever crashed.

    Unless the server was put back to a copy older than the answer: then every device
    that had stored what the copy lacks is told GAP(SERVER_RESTORED) for it.
    """
    yield from _check_said(facts)
    log = {row.message_id for row in facts.log}
    index = {row.message_id for row in facts.sent_index}
    for answer in facts.answered:
        if facts.is_lost(answer):
            continue
        kept = log if answer.chat_seq else index
        if answer.id not in kept:
            yield _violation(
                "I1",
                answer.time,
                answer.id,
                f"was answered SEQUENCED at {answer.chat_seq:#x} and is not on disk",
            )


def _check_said(facts: Facts) -> Iterator[Violation]:
    """Whoever stored what a restored server lacks is told so when he comes back."""
    if not facts.era:
        return
    log = {(row.chat, row.chat_seq) for row in facts.log}
    lost = {
        (one.device, one.position): one
        for one in facts.entries
        if one.sender and one.chat_seq and (one.chat, one.chat_seq) not in log
    }
    vouched: dict[bytes, tuple[int, int]] = {}
    told: defaultdict[bytes, set[int]] = defaultdict(set)
    for gap in facts.gaps:
        if gap.reason == GapReason.SERVER_RESTORED:
            told[gap.device].add(gap.last)
    for cursor in facts.cursors:
        # Said again, to a server that was put back since.
        if cursor.is_sign_in and (cursor.device, cursor.position) in lost:
            entry = lost[cursor.device, cursor.position]
            if cursor.era > entry.era:
                vouched[cursor.device] = cursor.position, cursor.era
    # Not with that cursor, if it had to register anew: then its own store is told to
    # be an old copy, and that says the same.
    welcomed = {(one.device, one.asked, one.era) for one in facts.welcomed}
    for device, (position, era) in vouched.items():
        if (device, position, era) in welcomed and position not in told[device]:
            yield Violation(
                "I1",
                0,
                f"{short(device)} stored {position:#x}, which the server has lost, and"
                " was not told",
            )


def check_once(facts: Facts) -> Iterator[Violation]:
    """I2: one entry per (chat, device, client id); no CONFLICT for an honest client."""
    for id_, count in Counter(row.message_id for row in facts.log).items():
        if count > 1:
            yield _violation("I2", 0, id_, f"is {count} times in the log")
    places: defaultdict[tuple[bytes, int], set[int]] = defaultdict(set)
    for entry in facts.entries:
        if entry.sender:
            here = places[entry.id, entry.era]
            is_other = entry.chat_seq not in here
            here.add(entry.chat_seq)
            if is_other and len(here) == 2:
                yield _violation(
                    "I2", entry.time, entry.id, "was delivered at two positions"
                )
    for turned in facts.turned:
        if turned.code == ErrorCode.CONFLICT:
            yield _violation(
                "I2",
                turned.time,
                turned.id,
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
    prev_of: dict[tuple[bytes, int, int], int] = {}
    place_of: dict[tuple[int, bytes, int], tuple[bytes, bytes, int]] = {}
    for entry in facts.entries:
        known = prev_of.setdefault(
            (entry.device, entry.position, entry.era), entry.prev
        )
        if known != entry.prev or entry.prev >= entry.position:
            yield Violation(
                "I3",
                entry.time,
                f"device {short(entry.device)}: {entry.position:#x} follows"
                f" {entry.prev:#x}, before it followed {known:#x}",
            )
        if entry.sender and entry.chat_seq:
            place_of[entry.era, entry.device, entry.position] = (
                entry.id,
                entry.chat,
                entry.chat_seq,
            )
    last: dict[tuple[int, bytes, bytes], int] = {}
    for (era, device, position), (id_, chat, chat_seq) in sorted(place_of.items()):
        if chat_seq <= last.get((era, device, chat), 0):
            yield _violation(
                "I3",
                0,
                id_,
                f"is at {chat_seq:#x} and was sent to {short(device)} at"
                f" {position:#x}, after a later one",
            )
        last[era, device, chat] = chat_seq


def _check_shown_order(facts: Facts) -> Iterator[Violation]:
    """A consumer is first shown the messages of a chat in the log's order.

    A message that was a stub first (MISSED) may come later.
    """
    place_of = {row.message_id: row.chat_seq for row in facts.log}
    chat_of = {row.message_id: row.chat for row in facts.log}
    missed = {entry.id for entry in facts.entries if not entry.is_delivery}
    missed |= facts.moved()
    seen: set[tuple[str, str, bytes]] = set()
    last: dict[tuple[str, str, bytes], int] = {}
    for event in facts.shown:
        id_ = event.message_id
        place = place_of.get(id_)
        if place is None or id_ in missed:
            continue
        if (event.process, event.consumer, id_) in seen:
            continue
        seen.add((event.process, event.consumer, id_))
        reader = event.process, event.consumer, chat_of[id_]
        if place < last.get(reader, 0):
            yield _violation(
                "I3",
                event.time,
                id_,
                f"at {place:#x} was shown to {event.process} after a later one",
            )
        last[reader] = max(place, last.get(reader, 0))


def check_one_history(facts: Facts) -> Iterator[Violation]:
    """I4: whoever names a position of a chat means the same message."""
    meant: dict[tuple[bytes, int], bytes] = {}
    named = [(0.0, row.message_id, row.chat, row.chat_seq) for row in facts.log]
    named += [(one.time, one.id, one.chat, one.chat_seq) for one in facts.answered]
    named += [(one.time, one.id, one.chat, one.chat_seq) for one in facts.entries]
    for time, id_, chat, place in named:
        if not place:
            continue
        first = meant.setdefault((chat, place), id_)
        if first != id_:
            other = short(first)
            yield _violation("I4", time, id_, f"is at {place:#x}, where {other} is")
    yield from _check_prefixes(facts)


def _check_prefixes(facts: Facts) -> Iterator[Violation]:
    """What a device was sent of a chat is a prefix of what the others wrote there."""
    sent: defaultdict[tuple[bytes, bytes], set[bytes]] = defaultdict(set)
    # Whose registration was lost is sent later what others send him again.
    anew = {facts.device_of.get(name, b"") for name in facts.restores}
    for entry in facts.entries:
        if entry.device in anew:
            continue
        if entry.sender and entry.chat_seq:
            sent[entry.device, entry.chat].add(entry.id)
    for (device, chat), ids in sent.items():
        missing: bytes | None = None
        for row in facts.log_of(chat):
            id_ = row.message_id
            if row.sender[:16] == device[:16]:
                continue
            if id_ not in ids:
                missing = id_
            elif missing is not None:
                yield _violation(
                    "I4",
                    0,
                    id_,
                    f"was sent to {short(device)}, {short(missing)} before it was not",
                )
                break


def check_no_phantom(facts: Facts) -> Iterator[Violation]:
    """I8: each entry was sent by a signed-in member; what was refused is in no log."""
    left = {copy.id for copy in facts.copies}
    on_disk = {row.message_id for row in facts.log}
    on_disk |= {row.message_id for row in facts.sent_index}
    for id_ in sorted(on_disk - left):
        yield _violation("I8", 0, id_, "is on disk and its device never sent it")
    for answer in facts.answered:
        if answer.id not in left:
            yield _violation("I8", answer.time, answer.id, "never left its device")
    for copy in facts.copies:
        users = {copy.sender[:16], *copy.users}
        if len(users) != 2 or suite1.direct_chat_id(*sorted(users)) != copy.chat:
            yield _violation("I8", copy.time, copy.id, "names no chat of its users")
    there = on_disk | {entry.id for entry in facts.entries if entry.sender}
    for event in facts.ended:
        if event.state in ENDS_OF_NONE and event.message_id in there:
            yield _violation(
                "I8",
                event.time,
                event.message_id,
                f"ended as {event.state} and is stored",
            )


def check_ack_truth(facts: Facts) -> Iterator[Violation]:
    """I9: SEQUENCED names the entry's real place, each time the same."""
    place_of = {row.message_id: row.chat_seq for row in facts.log}
    first: dict[bytes, tuple[int, int, int]] = {}
    for answer in facts.answered:
        if facts.is_lost(answer):
            continue
        said = answer.chat_seq, answer.attempt, answer.sent_at
        known = first.setdefault(answer.id, said)
        if known != said:
            yield _violation(
                "I9", answer.time, answer.id, f"was {known} before and is {said} now"
            )
        real = place_of.get(answer.id, 0)
        if real and answer.chat_seq != real:
            yield _violation(
                "I9",
                answer.time,
                answer.id,
                f"is said to be at {answer.chat_seq:#x} and is at {real:#x}",
            )


def _violation(invariant: str, time: float, id_: bytes, text: str) -> Violation:
    return Violation(invariant, time, f"message {short(id_)} {text}", (id_,))
