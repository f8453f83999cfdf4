"""Counts what was sent and what arrived, from what the clients stored and wrote.

Nothing is assumed: each side's store is read by `wigwag history` after its chat has
ended, and compared with what was typed, with the other side's store, and with what
the chats wrote on their standard outputs.
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from wigwag.demo._person import Said, Shown


@dataclass(frozen=True, slots=True)
class Direction:
    """What became of the messages of one sender.

    Attributes:
        sender: Who wrote them.
        receiver: Who got them.
        typed: How many were typed.
        sent: How many the sender's store has, numbered by the server.
        received: How many the receiver's store has.
        shown: How many different ones the receiver's chat wrote.
        lost: Typed and not in the receiver's store, or never shown there.
        doubled: More often than once, in either store or in one run of a chat.
        out_of_order: Places where the receiver's store or output doesn't follow the
            order in which they were typed, or where the two stores number a message
            differently.
        unread: Own messages whose last mark isn't the peer's word that he read them.
    """

    sender: str
    receiver: str
    typed: int
    sent: int
    received: int
    shown: int
    lost: int
    doubled: int
    out_of_order: int
    unread: int

    @property
    def is_right(self) -> bool:
        """Whether every message arrived, once, in order."""
        wrong = self.lost + self.doubled + self.out_of_order + self.unread
        same = self.typed == self.sent == self.received == self.shown
        return same and not wrong and self.typed > 0

    def value(self) -> dict[str, object]:
        """Return it as a program reads it."""
        return asdict(self)


def count_direction(
    sender: str,
    receiver: str,
    typed: Sequence[str],
    sender_store: Sequence[Said],
    receiver_store: Sequence[Said],
    receiver_shown: Sequence[Shown],
) -> Direction:
    """Count what became of the messages of one sender.

    Args:
        sender: Who wrote them.
        receiver: Who got them.
        typed: The texts, in the order in which they were typed; all different.
        sender_store: The sender's history.
        receiver_store: The receiver's history.
        receiver_shown: What the receiver's chats wrote as new, over all its runs.
    """
    sent = [said for said in sender_store if said.is_own and said.chat_seq]
    received = [said for said in receiver_store if not said.is_own]
    runs: dict[int, list[str]] = {}
    for shown in receiver_shown:
        if not shown.said.is_own:
            runs.setdefault(shown.run, []).append(shown.said.text or "")
    first_shown = list(dict.fromkeys(text for run in runs.values() for text in run))
    got = {said.text for said in received}
    missing = set(typed) - (got & set(first_shown))
    return Direction(
        sender=sender,
        receiver=receiver,
        typed=len(typed),
        sent=len(sent),
        received=len(received),
        shown=len(first_shown),
        lost=len(missing),
        doubled=sum(
            _repeats(texts)
            for texts in (
                [said.text or "" for said in sent],
                [said.text or "" for said in received],
                [said.message_id for said in received],
                *runs.values(),
            )
        ),
        out_of_order=_inversions(typed, [said.text or "" for said in received])
        + _inversions(typed, first_shown)
        + _falls([int(said.chat_seq or 0) for said in received])
        + _differences(sent, received),
        unread=sum(said.state != "read" for said in sent),
    )


def _repeats(texts: Sequence[str]) -> int:
    return sum(count - 1 for count in Counter(texts).values())


def _inversions(typed: Sequence[str], got: Sequence[str]) -> int:
    """Count neighbours in `got` that were typed the other way round."""
    places = {text: place for place, text in enumerate(typed)}
    return _falls([places[text] for text in got if text in places])


def _falls(numbers: Sequence[int]) -> int:
    return sum(after < before for before, after in itertools.pairwise(numbers))


def _differences(sent: Sequence[Said], received: Sequence[Said]) -> int:
    numbers = {said.message_id: said.chat_seq for said in received}
    return sum(
        said.message_id in numbers and numbers[said.message_id] != said.chat_seq
        for said in sent
    )
