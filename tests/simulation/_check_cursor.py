"""I23: cursors and delivered marks never go back and never exceed what there is."""

from collections.abc import Iterator

from tests.simulation._facts import Cursor, Entry, Facts, GapTold
from tests.simulation._violation import Violation, short


def check_cursors(facts: Facts) -> Iterator[Violation]:
    """I23, for the devices' cursors as both sides tell them."""
    highest: dict[tuple[bytes, int, int], int] = {}
    for cursor in facts.cursors:
        owner = cursor.device, cursor.registration_id, cursor.life
        if cursor.position < highest.get(owner, 0):
            what = "AUTH" if cursor.is_sign_in else "ACK"
            yield Violation(
                "I23",
                cursor.time,
                f"{short(cursor.device)} goes back to {cursor.position:#x} in {what},"
                f" after {highest[owner]:#x}",
            )
        highest[owner] = max(cursor.position, highest.get(owner, 0))
    yield from _check_sent_entries(facts)
    yield from _check_welcomes(facts)


def _check_sent_entries(facts: Facts) -> Iterator[Violation]:
    """A client vouches for no position that it was never sent."""
    sent: dict[bytes, int] = {}
    for event in _entries_and_cursors(facts):
        match event:
            case Entry():
                sent[event.device] = max(event.position, sent.get(event.device, 0))
            case GapTold():
                sent[event.device] = max(event.last, sent.get(event.device, 0))
            case Cursor():
                if event.position > sent.get(event.device, 0):
                    yield Violation(
                        "I23",
                        event.time,
                        f"{short(event.device)} vouches for {event.position:#x},"
                        f" was sent {sent.get(event.device, 0):#x}",
                    )


def _check_welcomes(facts: Facts) -> Iterator[Violation]:
    """The server's cursor is at least what AUTH said, and never goes back."""
    before: dict[tuple[bytes, int, int], tuple[int, int]] = {}
    for welcome in facts.welcomed:
        owner = welcome.device, welcome.registration_id, welcome.era
        acked, last = before.get(owner, (0, 0))
        asked = welcome.asked or 0
        if welcome.acked < max(acked, asked) or welcome.last < last:
            yield Violation(
                "I23",
                welcome.time,
                f"{short(welcome.device)} is told acked {welcome.acked:#x}, last"
                f" {welcome.last:#x}; before: {acked:#x}, {last:#x}; it said"
                f" {asked:#x}",
            )
        if welcome.acked > welcome.last:
            yield Violation(
                "I23",
                welcome.time,
                f"{short(welcome.device)} is told acked {welcome.acked:#x} above last"
                f" {welcome.last:#x}",
            )
        before[owner] = welcome.acked, welcome.last


def check_marks(facts: Facts) -> Iterator[Violation]:
    """I23, for delivered marks: monotonic, within the log, and true.

    A hint is gathered for a moment and may come behind an answer that is newer, so
    the two are each monotonic; whoever gets both keeps the higher (R-RECEIPT-001).
    """
    highest: dict[tuple[bytes, bytes, bytes, bool, int], int] = {}
    ends = {
        chat: rows[-1].chat_seq
        for chat in facts.chats()
        if (rows := facts.log_of(chat))
    }
    stored = _stored_turns(facts)
    reported = {(one.id, one.unreached) for one in facts.entries if one.unreached}
    for seen in facts.marks:
        mark = seen.mark
        owner = seen.device, mark.chat, mark.user, seen.is_hint, seen.era
        if mark.mark < highest.get(owner, 0):
            yield Violation(
                "I23",
                seen.time,
                f"the mark of {short(mark.user)} goes back to {mark.mark:#x}",
                (mark.chat,),
            )
        highest[owner] = max(mark.mark, highest.get(owner, 0))
        if seen.era == facts.era and mark.mark > ends.get(mark.chat, 0):
            yield Violation(
                "I23",
                seen.time,
                f"the mark of {short(mark.user)} is {mark.mark:#x}, beyond the log",
                (mark.chat,),
            )
        for row in facts.log_of(mark.chat):
            if row.chat_seq > mark.mark:
                break
            id_ = row.message_id
            if row.sender[:16] == mark.user or (id_, mark.user) in reported:
                continue
            at = stored.get((mark.user, id_))
            if at is None or at > seen.turn:
                yield Violation(
                    "I23",
                    seen.time,
                    f"message {short(id_)} is marked as delivered to"
                    f" {short(mark.user)}, who had not acknowledged it",
                    (id_,),
                )


def _stored_turns(facts: Facts) -> dict[tuple[bytes, bytes], int]:
    """Find when a device of a user first vouched for each message."""
    waiting: dict[bytes, list[Entry]] = {}
    stored: dict[tuple[bytes, bytes], int] = {}
    for event in _entries_and_cursors(facts):
        match event:
            case Entry():
                waiting.setdefault(event.device, []).append(event)
            case Cursor():
                left: list[Entry] = []
                for entry in waiting.get(event.device, []):
                    if entry.position > event.position:
                        left.append(entry)
                    elif entry.sender:
                        stored.setdefault((event.device[:16], entry.id), event.turn)
                waiting[event.device] = left
            case GapTold():
                continue
    return stored


def _entries_and_cursors(facts: Facts) -> list[Entry | GapTold | Cursor]:
    """Return all kinds in the order of the history."""
    events: list[Entry | GapTold | Cursor]
    events = [*facts.entries, *facts.gaps, *facts.cursors]
    return sorted(events, key=lambda event: event.turn)
