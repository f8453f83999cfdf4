"""A conversation under an arbitrary network, as a state machine.

Two people send, start anew, lose their sessions' activity; the network delays,
drops, doubles and reorders. Whatever happens, each message opens exactly once
and no message key is used for two of them.
"""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.client.crypto.people import Person

from wigwag.client.crypto import (
    MessageKeyId,
    Undecryptable,
    UndecryptableReason,
    archive_active,
)

# The archive holds 40 sessions; a run stays below, so that every message must open.
STARTS_MAX = 30


@dataclass(frozen=True)
class Sent:
    """An envelope under way."""

    sender: Person
    receiver: Person
    envelope: bytes
    plaintext: bytes


class Conversation(RuleBasedStateMachine):
    """Any order, loss, duplication, both starting at once, and new starts."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[Sent] = []
        self.opened: list[Sent] = []
        self.keys: set[tuple[str, MessageKeyId]] = set()
        self.count = 0
        self.starts = 0

    @initialize(one_time=st.integers(0, 3))
    def meet(self, one_time: int) -> None:
        """Two strangers; with 0 one-time prekeys only the last resort is left."""
        self.people = (
            Person("alice", one_time=one_time),
            Person("bob", one_time=one_time),
        )

    @rule(side=st.integers(0, 1), length=st.integers(0, 40))
    def send(self, side: int, length: int) -> None:
        """Seal a message and put it on the way."""
        sender, receiver = self.people[side], self.people[1 - side]
        self.count += 1
        plaintext = self.count.to_bytes(4, "big") + bytes(length)
        sealed = sender.send(receiver, plaintext)
        key = (sender.name, sealed.message_key)
        assert key not in self.keys, "a message key serves once (I25)"
        self.keys.add(key)
        self.under_way.append(Sent(sender, receiver, sealed.envelope, plaintext))

    @precondition(lambda self: self.under_way)
    @rule(choice=st.integers(0, 10_000), is_doubled=st.booleans())
    def deliver(self, choice: int, is_doubled: bool) -> None:
        """Deliver any message, perhaps leaving a copy on the way."""
        sent = self.under_way[choice % len(self.under_way)]
        if not is_doubled:
            self.under_way.remove(sent)
        if sent in self.opened:
            self.refuse(sent)
            return
        opened = sent.receiver.receive(sent.sender, sent.envelope)
        assert opened.plaintext == sent.plaintext
        self.opened.append(sent)

    @precondition(lambda self: self.opened)
    @rule(choice=st.integers(0, 10_000))
    def deliver_again(self, choice: int) -> None:
        """Deliver a message that was opened long ago."""
        self.refuse(self.opened[choice % len(self.opened)])

    def refuse(self, sent: Sent) -> None:
        """Try a message a second time."""
        with pytest.raises(Undecryptable) as caught:
            sent.receiver.receive(sent.sender, sent.envelope)
        assert caught.value.reason in (
            UndecryptableReason.DUPLICATE,
            UndecryptableReason.NOT_AUTHENTIC,
        )

    @rule(side=st.integers(0, 1), count=st.integers(2, 4))
    def turn(self, side: int, count: int) -> None:
        """Send some, deliver the first at once, and let the peer answer."""
        for _ in range(count):
            self.send(side, 0)
        self.deliver(len(self.under_way) - count, False)
        self.send(1 - side, 0)
        self.deliver(len(self.under_way) - 1, False)

    @precondition(lambda self: self.under_way)
    @rule(choice=st.integers(0, 10_000))
    def lose(self, choice: int) -> None:
        """Lose a message for ever."""
        del self.under_way[choice % len(self.under_way)]

    @precondition(lambda self: self.starts < STARTS_MAX)
    @rule(side=st.integers(0, 1), is_archived=st.booleans(), chance=st.integers(0, 4))
    def start_anew(self, side: int, is_archived: bool, chance: int) -> None:
        """Now and then start a session though there is one, as after a retry."""
        if chance:
            return
        self.starts += 1
        person, peer = self.people[side], self.people[1 - side]
        if not is_archived:
            person.start(peer)
            return
        rows = person.rows_of(peer)
        archived = archive_active(rows.load())
        rows.save(archived.sessions, archived.skipped)

    @invariant()
    def rows_are_those_of_the_state(self) -> None:
        """Rows written by difference are exactly the keys that the state knows."""
        for person in getattr(self, "people", ()):
            for rows in person.rows.values():
                known = {
                    row_id
                    for session in rows.load().all
                    for row_id in session.skipped_ids()
                }
                assert set(rows.skipped) == known


TestConversation = pytest.mark.filterwarnings("default")(Conversation.TestCase)
TestConversation.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None
)
