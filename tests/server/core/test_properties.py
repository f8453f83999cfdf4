"""Random scripts: what must hold whatever happens, and memory that must not matter.

Each script is folded twice, once with everything kept in memory and in one group
a step, once with nothing kept; both must answer alike. After it, every inbox and
every chat is checked against what was asked and answered.
"""

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    ALICE_2,
    BOB,
    BOB_1,
    BOB_2,
    CHAT,
    DAY_MS,
    World,
    envelope,
    signed_prekey,
)

from wigwag.server.core import (
    Ack,
    Answer,
    Connected,
    Gap,
    InboxEntry,
    InboxRead,
    Request,
    ReRegister,
    Send,
    Sequenced,
    Tick,
    rows,
)
from wigwag.server.core._frames import DELIVER, UNDELIVERED
from wigwag.server.core._marks import mark_of

DEVICES = (ALICE_1, ALICE_2, BOB_1, BOB_2)

STEP = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("signal"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("repeat"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("ack"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(st.just("read"), st.integers(0, 3), st.integers(1, 4)),
    st.tuples(st.just("connect"), st.integers(0, 3), st.integers(0, 9)),
    st.tuples(st.just("renew"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("wait"), st.integers(0, 20), st.just(0)),
    st.tuples(st.just("tick"), st.just(0), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
)


class Script:
    """Turns steps into requests, with what a client would know."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sends: list[Send] = []
        self.answers: list[Answer] = []
        self.accepted: dict[bytes, Sequenced] = {}
        self.stored: dict[bytes, list[InboxEntry]] = {one: [] for one in DEVICES}
        self.gaps: dict[bytes, list[Gap]] = {one: [] for one in DEVICES}

    def request(self, kind: str, which: int, how: int) -> Request | None:
        """Make the request of a step; None when there is nothing to ask."""
        world, device = self.world, DEVICES[which % 4]
        sender = world.tables[rows.SENDERS][device]
        match kind:
            case "send" | "signal":
                return self._send(device, sender, how, is_signal=kind == "signal")
            case "repeat":
                return self.sends[which % len(self.sends)] if self.sends else None
            case "ack":
                entries = self.stored[device]
                place = entries[how % len(entries)].position if entries else 0
                return Ack(device, sender.registration_id, place)
            case "read":
                last = self.stored[device][-1].position if self.stored[device] else 0
                return InboxRead(device, last, how, 600)
            case "connect":
                last = self.stored[device][-1].position if self.stored[device] else 0
                return world.sign_in(device, max(last, world.head(device).acked))
            case "renew":
                self.stored[device] = []
                return ReRegister(
                    device,
                    sender.registration_id + 1,
                    sender.generation + 1,
                    signed_prekey(2),
                )
            case _:
                return Tick()

    def _send(
        self, device: bytes, sender: rows.SenderRow, how: int, *, is_signal: bool
    ) -> Send:
        world = self.world
        targets = [one for one in DEVICES if one != device]
        if is_signal:
            targets = targets[: how or 1]
        envelopes = [
            envelope(
                one,
                bytes((len(self.sends) % 256,)) * (20 * how + 1),
                world.tables[rows.SENDERS][one].registration_id,
            )
            for one in targets
        ]
        row = world.tables[rows.CHATS].get(CHAT)
        known = row.tails.get(device, (0, b"")) if row else (0, b"")
        after = known[1] if known[0] == sender.registration_id else bytes(16)
        send = world.send(
            *envelopes,
            sender=device,
            users=(ALICE, BOB),
            after=bytes(16) if is_signal else after,
            class_=3 if is_signal else 1,
            registration_id=sender.registration_id,
            generation=sender.generation,
        )
        self.sends.append(send)
        return send

    def step(self, kind: str, which: int, how: int) -> None:
        """Take one step and note what came of it."""
        if kind == "wait":
            self.world.now_ms += which * DAY_MS // 10
            return
        if kind == "restart":
            self.world.restart()
            return
        request = self.request(kind, which, how)
        if request is None:
            return
        answer = self.world.ask(request)
        self.answers.append(answer)
        match answer:
            case Sequenced():
                known = self.accepted.setdefault(answer.client_msg_id, answer)
                assert known == answer, "one id, one answer"
            case Connected():
                self.gaps[DEVICES[which % 4]] += answer.gaps
            case _:
                found = getattr(answer, "entries", ())
                if isinstance(request, InboxRead):
                    self.stored[request.device] += found


@settings(deadline=None, max_examples=150)
@given(steps=st.lists(STEP, max_size=40))
def test_invariants_hold_and_memory_does_not_matter(
    steps: list[tuple[str, int, int]],
) -> None:
    """I1 to I3, I8, I9, I23, on any script; a cache changes no answer."""
    scripts: list[Script] = []
    for is_forgetful in (False, True):
        world = World(is_forgetful=is_forgetful)
        for device in (ALICE_1, BOB_1):
            world.register(device)
        for device in (ALICE_2, BOB_2):
            world.add_device(device)
        script = Script(world)
        for step in steps:
            script.step(*step)
        scripts.append(script)
    remembering, forgetful = scripts
    assert remembering.answers == forgetful.answers
    assert remembering.world.events == forgetful.world.events
    check_chat(remembering)
    for device in DEVICES:
        check_inbox(remembering, device)
    check_marks(remembering)


def check_chat(script: Script) -> None:
    """Every accepted message has one place, in the order of its sender."""
    log = script.world.log
    seqs = [row.chat_seq for row in log]
    assert seqs == sorted(set(seqs))
    ids = [row.client_msg_id for row in log]
    assert len(ids) == len(set(ids))
    placed = {one for one, answer in script.accepted.items() if answer.chat_seq}
    assert placed == set(ids)
    for device in DEVICES:
        mine = [row.client_msg_id for row in log if row.sender == device]
        assert mine == sorted(mine), "log order is client order"
    for row in log:
        assert script.accepted[row.client_msg_id].chat_seq == row.chat_seq


def check_inbox(script: Script, device: bytes) -> None:
    """What is left is dense, joins, weighs what the head says, and is readable."""
    world = script.world
    head = world.head(device)
    left = sorted(world.inboxes.get(device, {}))
    readable = [one for one in left if one > head.floor]
    assert [one.position for one in world.read(device)] == readable
    assert head.size == sum(world.inboxes[device][one].size for one in readable)
    for before, after in pairwise(readable):
        assert world.inboxes[device][after].prev == before
    assert head.acked <= head.last
    assert not left or left[-1] <= head.last
    got = script.stored[device]
    assert [one.position for one in got] == sorted({one.position for one in got})


def check_marks(script: Script) -> None:
    """A mark passes nothing that still waits unread and unreported for the user."""
    world = script.world
    for user, devices in ((ALICE, (ALICE_1, ALICE_2)), (BOB, (BOB_1, BOB_2))):
        row = world.tables[rows.MARKS].get(CHAT + user)
        if row is None:
            continue
        assert mark_of(row) <= max((one.chat_seq for one in world.log), default=0)
        reported = {
            entry.client_msg_id
            for entries in script.stored.values()
            for entry in entries
            if entry.kind == UNDELIVERED
        } | {
            entry.client_msg_id
            for inbox in world.inboxes.values()
            for entry in inbox.values()
            if entry.kind == UNDELIVERED
        }
        addressed = {
            entry.chat_seq: entry.client_msg_id
            for device in devices
            for entry in world.inboxes.get(device, {}).values()
            if entry.kind == DELIVER and entry.chat_seq and entry.sender[:16] != user
        }
        for seq, message in addressed.items():
            copies = sum(
                seq in {one.chat_seq for one in world.inboxes.get(device, {}).values()}
                for device in devices
            )
            if copies == len(devices) and message not in reported:
                assert seq > mark_of(row), "nobody has stored it"
