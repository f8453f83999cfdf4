"""Judges a soak from what people noted and what their stores hold, and nothing else.

It knows nothing of servers and faults. A journal is what a person's process wrote down
while it lived; a history is what its store holds in the end.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHOWN_MAX = 5
"""So many examples of a finding are told."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a history.

    Attributes:
        id: Its id.
        is_own: Whether the store's owner sent it.
        text: Its text.
        chat_seq: Its place in the chat; 0: none.
    """

    id: str
    is_own: bool
    text: str
    chat_seq: int


@dataclass(slots=True)
class Journal:
    """What one person's processes wrote down, over all their lives.

    Attributes:
        queued: Id → text of what `send` said to be durable here.
        sequenced: Id → place of what the server acknowledged.
        got: Ids of what came as an event, by life; an event comes again when its
            `done` was cut off, so within one life each is there once.
        odd: What should never be told.
        moved: Ids that were acknowledged with two different places.
        settled: How many messages it had sent when everybody had them; 0: not yet.
    """

    queued: dict[str, str] = field(default_factory=dict[str, str])
    sequenced: dict[str, int] = field(default_factory=dict[str, int])
    got: list[list[str]] = field(default_factory=list[list[str]])
    odd: list[str] = field(default_factory=list[str])
    moved: list[str] = field(default_factory=list[str])
    settled: int = 0

    def take(self, line: Sequence[str | int]) -> None:
        """Take one line.

        Raises:
            ValueError: It is of no known kind.
        """
        match line:
            case ["life"]:
                self.got.append([])
            case ["queued", str(id_), str(text)]:
                self.queued[id_] = text
            case ["sequenced", str(id_), int(seq)]:
                if self.sequenced.setdefault(id_, seq) != seq:
                    self.moved.append(id_)
            case ["got", str(id_)]:
                self.got[-1].append(id_)
            case ["odd", str(what)]:
                self.odd.append(what)
            case ["settled", int(count)]:
                self.settled = count
            case _:
                raise ValueError(f"no such line: {line!r}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be.

    Attributes:
        what: "lost", "doubled", "reordered", "moved", "changed", "phantom" or
            "odd".
        detail: What exactly.
    """

    what: str
    detail: str


def read_journal(path: Path) -> Journal:
    """Read a journal; a last line that a kill has cut was never said."""
    journal = Journal()
    for line in path.read_bytes().split(b"\n")[:-1]:
        journal.take(json.loads(line))
    return journal


def read_history(path: Path) -> list[Said]:
    """Read a history."""
    return [Said(*row) for row in json.loads(path.read_bytes())]


def judge_pair(
    names: tuple[str, str],
    journals: Mapping[str, Journal],
    histories: Mapping[str, Sequence[Said]],
) -> list[Finding]:
    """Judge two people who talked with each other."""
    found: list[Finding] = []
    for sender, receiver in (names, names[::-1]):
        found += _judge_direction(
            f"{sender} to {receiver}",
            journals[sender],
            histories[sender],
            journals[receiver],
            histories[receiver],
        )
        found += [
            Finding("odd", f"{sender} was told {what}") for what in journals[sender].odd
        ]
    views = [[(said.id, said.chat_seq) for said in histories[name]] for name in names]
    if Counter(views[0]) == Counter(views[1]) and views[0] != views[1]:
        found.append(Finding("reordered", f"{names} see two orders of one chat (I4)"))
    return found


def _judge_direction(
    way: str,
    sent_journal: Journal,
    sender: Sequence[Said],
    got_journal: Journal,
    receiver: Sequence[Said],
) -> list[Finding]:
    own = [said for said in sender if said.is_own]
    theirs = [said for said in receiver if not said.is_own]
    own_ids = {said.id for said in own}
    their_ids = {said.id for said in theirs}
    events = set(itertools.chain(*got_journal.got))
    found = [
        *_missing(
            "lost",
            f"{way}: said durable, not at the sender",
            sent_journal.queued,
            own_ids,
        ),
        *_missing("lost", f"{way}: not at the receiver", own_ids, their_ids),
        *_missing(
            "lost",
            f"{way}: acknowledged, not at the receiver",
            sent_journal.sequenced,
            their_ids,
        ),
        *_missing("lost", f"{way}: stored, never an event", their_ids, events),
        *_missing("phantom", f"{way}: never sent", their_ids, own_ids),
        *_missing(
            "moved",
            f"{way}: acknowledged twice, with two places (I9)",
            sent_journal.moved,
            (),
        ),
    ]
    for where, history in (("sender", own), ("receiver", theirs)):
        found += _doubled(f"{way}: at the {where}", [said.id for said in history])
        found += _doubled(f"{way}: at the {where}", [said.text for said in history])
    for life in got_journal.got:
        found += _doubled(f"{way}: an event of one life", life)
    found += _judge_places(way, sent_journal, own, theirs)
    return found


def _judge_places(
    way: str, journal: Journal, own: Sequence[Said], theirs: Sequence[Said]
) -> list[Finding]:
    """Compare texts, order and places."""
    found: list[Finding] = []
    numbers = [number_of(said.text) for said in own]
    if numbers != list(range(len(own))):
        found.append(Finding("reordered", f"{way}: not numbered as sent (I7)"))
    for where, history in (("sender", own), ("receiver", theirs)):
        places = [said.chat_seq for said in history]
        if any(later <= earlier for earlier, later in itertools.pairwise(places)):
            found.append(Finding("reordered", f"{way}: at the {where} (I3)"))
        if 0 in places:
            found.append(Finding("lost", f"{way}: without a place at the {where}"))
    common = {said.id for said in own} & {said.id for said in theirs}
    sent = [said.id for said in own if said.id in common]
    got = [said.id for said in theirs if said.id in common]
    if sent != got and Counter(sent) == Counter(got):
        found.append(Finding("reordered", f"{way}: sent in another order"))
    at_receiver = {said.id: said for said in theirs}
    for said in own:
        other = at_receiver.get(said.id)
        if other is None:
            continue
        if other.text != said.text:
            found.append(Finding("changed", f"{way}: {said.id}"))
        place = journal.sequenced.get(said.id, said.chat_seq)
        if not place == said.chat_seq == other.chat_seq:
            found.append(Finding("moved", f"{way}: {said.id} has two places (I9)"))
    return found


def judge_raw(
    way: str,
    sent: Sequence[bytes],
    acknowledged: Mapping[bytes, int],
    ids: Sequence[bytes],
    bodies: Sequence[bytes],
    places: Sequence[int],
) -> list[Finding]:
    """Judge one raw sender and its receiver.

    Args:
        way: Who they are.
        sent: Bodies, in order.
        acknowledged: Client id → place.
        ids: Client ids of what was delivered.
        bodies: Bodies of it.
        places: Places of it.
    """
    found = [*_missing("lost", way, acknowledged, ids), *_doubled(way, ids)]
    found += _missing("phantom", way, set(bodies), set(sent))
    if len(bodies) < len(sent):
        found.append(Finding("lost", f"{way}: {len(sent) - len(bodies)} bodies"))
    elif list(bodies) != list(sent):
        found.append(Finding("reordered", f"{way}: bodies"))
    if list(places) != sorted(set(places)):
        found.append(Finding("reordered", f"{way}: places (I3)"))
    told = [acknowledged[id_] for id_ in ids if id_ in acknowledged]
    if told != [
        place for id_, place in zip(ids, places, strict=True) if id_ in acknowledged
    ]:
        found.append(Finding("moved", f"{way}: acknowledged with other places (I9)"))
    return found


def number_of(text: str) -> int:
    """Return the number that a text begins with; -1: it doesn't."""
    first = text.partition(" ")[0]
    return int(first) if first.isdigit() else -1


def _missing(
    what: str, where: str, wanted: Iterable[object], present: Iterable[object]
) -> list[Finding]:
    there = set(present)
    gone = [one for one in wanted if one not in there]
    if not gone:
        return []
    return [Finding(what, f"{where}: {len(gone)}, among them {gone[:SHOWN_MAX]}")]


def _doubled(where: str, values: Sequence[object]) -> list[Finding]:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if not twice:
        return []
    return [Finding("doubled", f"{where}: {len(twice)}, {twice[:SHOWN_MAX]}")]
