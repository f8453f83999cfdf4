"""When things are said: once, in order, after the commit, and no earlier."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import pytest
import trio
from tests.contracts.harness import Eyes, InlineExecutor, Lab, ask, ask_all, settle
from tests.server.core.world import (
    ALICE_1,
    BOB,
    BOB_1,
    CHAT,
    NO_ID,
    REGISTRATION,
    START_MS,
    envelope,
    message_id,
)
from trio.testing import wait_all_tasks_blocked

from wigwag.server.core import (
    Ack,
    Answer,
    EngineLimits,
    InboxEntry,
    InboxRead,
    Refusal,
    Refused,
    Send,
    Sequenced,
    Status,
)
from wigwag.server.ports import EngineClosedError

Result = TypeVar("Result")


class GatedJob(Generic[Result]):
    """Work that waits for its executor's gate."""

    def __init__(self, executor: "GatedExecutor", work: Callable[[], Result]) -> None:
        self._executor = executor
        self._work = work

    async def result(self) -> Result:
        """Wait, work."""
        await self._executor.gate.wait()
        return self._work()


class GatedExecutor:
    """Does nothing until the gate is open; notes each hand-over."""

    def __init__(self, log: list[str]) -> None:
        self.gate = trio.Event()
        self.gate.set()
        self._log = log

    def start(self, work: Callable[[], Result]) -> GatedJob[Result]:
        """Hand work over."""
        self._log.append("handed over")
        return GatedJob(self, work)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Hand work over and wait for it."""
        return await self.start(work).result()


def sends(count: int, size: int = 10) -> list[Send]:
    """Make a chain of SENDs from Alice to Bob."""
    made: list[Send] = []
    for number in range(1, count + 1):
        made.append(
            Send(
                ALICE_1,
                REGISTRATION,
                1,
                CHAT,
                message_id(START_MS, number),
                1,
                made[-1].client_msg_id if made else NO_ID,
                1,
                (BOB,),
                (envelope(BOB_1, bytes((number,)) * size),),
            )
        )
    return made


async def test_nothing_of_a_group_is_seen_before_its_commit(tmp_path: Path) -> None:
    """Rule 1: answer only what is durable; look-ups of the group wait too."""
    log: list[str] = []
    executor = GatedExecutor(log)
    lab = Lab(tmp_path, executor)
    eyes = Eyes()
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        (send,) = sends(1)
        await ask(engine, InboxRead(BOB_1, 0, 1, 100))  # rows are in memory now
        engine.watch(BOB_1, eyes)
        executor.gate = trio.Event()
        answers: list[Answer] = []
        engine.append(send, answers.append)
        engine.append(InboxRead(BOB_1, 0, 9, 1 << 20), answers.append)
        await wait_all_tasks_blocked()
        assert not answers
        assert not eyes.seen
        executor.gate.set()
        await wait_all_tasks_blocked()
        assert len(answers) == 2
        assert isinstance(answers[0], Sequenced)
        assert len(eyes.seen) == 1


async def test_the_next_group_is_handed_over_before_the_last_is_answered(
    tmp_path: Path,
) -> None:
    """Its fsync and their sending overlap."""
    log: list[str] = []
    executor = GatedExecutor(log)
    lab = Lab(tmp_path, executor)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        first, second, third = sends(3)
        await ask(engine, first)
        executor.gate = trio.Event()
        log.clear()
        engine.append(second, lambda _: log.append("second answered"))
        await wait_all_tasks_blocked()
        engine.append(third, lambda _: log.append("third answered"))
        executor.gate.set()
        await wait_all_tasks_blocked()
    assert log[:4] == [
        "handed over",
        "handed over",
        "second answered",
        "third answered",
    ]


async def test_answers_come_once_and_in_order(tmp_path: Path) -> None:
    """Whatever groups form, one order for all requests."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(group_records_max=3)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        answers = await ask_all(engine, *sends(20))
    seqs = [one.chat_seq for one in answers if isinstance(one, Sequenced)]
    assert seqs == list(range(seqs[0], seqs[0] + 20))


async def test_groups_keep_to_their_bounds(tmp_path: Path) -> None:
    """Records and bytes; one record that is larger than the bound goes alone."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(group_records_max=4, group_bytes_max=250)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        lab.ears.heard.clear()
        await ask_all(engine, *sends(6, size=100))
        await ask_all(engine, *[Status()] * 6)
    groups = [(records, sent) for records, sent, _ in lab.ears.of("committed")]
    assert groups == [(2, 2), (2, 2), (2, 2), (4, 0), (2, 0)]


async def test_a_record_larger_than_a_group_goes_alone(tmp_path: Path) -> None:
    """Else it would wait for ever."""
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(group_bytes_max=50)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        answers = await ask_all(engine, *sends(2, size=100))
    assert all(isinstance(one, Sequenced) for one in answers)


async def test_a_watcher_sees_entries_after_the_answers_and_before_hints(
    tmp_path: Path,
) -> None:
    """What joins is sent straight on; a hint never overtakes what it is about."""
    lab = Lab(tmp_path)
    order: list[str] = []

    class Noting(Eyes):
        """Notes when it is called."""

        def entries(self, entries: Sequence[InboxEntry], /) -> None:
            """Note and keep."""
            order.append("entries")
            super().entries(entries)

    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        eyes = Noting()
        engine.watch(BOB_1, eyes)
        first, second = sends(2)
        await ask(engine, first)
        lab.ears.heard.clear()
        place = eyes.seen[0].position
        done = trio.Event()
        engine.append(Ack(BOB_1, REGISTRATION, place), lambda _: order.append("acked"))
        engine.append(second, lambda _: order.append("sent"))
        engine.append(Status(), lambda _: done.set())
        await done.wait()
    assert order == ["entries", "acked", "sent", "entries"]
    assert [one[0] for one in lab.ears.heard] == ["receipt", "committed"]
    assert eyes.seen[1].prev == place


async def test_a_newer_watcher_takes_over(tmp_path: Path) -> None:
    """The older connection's good-bye must not silence the newer one."""
    lab = Lab(tmp_path)
    old, new = Eyes(), Eyes()
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        engine.watch(BOB_1, old)
        engine.watch(BOB_1, new)
        engine.unwatch(BOB_1, old)
        first, second = sends(2)
        await ask(engine, first)
        engine.unwatch(BOB_1, new)
        await ask(engine, second)
    assert (len(old.seen), len(new.seen)) == (0, 1)


async def test_a_callback_may_end_another_watcher(tmp_path: Path) -> None:
    """Sessions end each other while a commit is told; nobody is called after."""
    lab = Lab(tmp_path)
    late = Eyes()

    class Ending(Eyes):
        """Ends the other watcher."""

        def entries(self, entries: Sequence[InboxEntry], /) -> None:
            """End it."""
            engine.unwatch(BOB_1, late)

    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        engine.watch(ALICE_1, Ending())
        engine.watch(BOB_1, late)
        (send,) = sends(1)
        report = Send(
            *(BOB_1, REGISTRATION, 1, CHAT, message_id(START_MS, 5), 1, NO_ID, 3),
            (ALICE_1[:16],),
            (envelope(ALICE_1),),
        )
        await ask_all(engine, report, send)
    assert not late.seen


async def test_a_callback_that_raises_stops_nobody(tmp_path: Path) -> None:
    """I19: one session's bug changes nothing for another."""
    lab = Lab(tmp_path)

    class Broken(Eyes):
        """Raises."""

        def entries(self, entries: Sequence[InboxEntry], /) -> None:
            """Raise."""
            raise ZeroDivisionError

    def broken(_: Answer) -> None:
        raise ValueError

    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        engine.watch(BOB_1, Broken())
        first, second = sends(2)
        engine.append(first, broken)
        assert isinstance(await ask(engine, second), Sequenced)
    (answer, watcher) = lab.ears.of("fold_failed")
    assert (answer[0], watcher[0]) == ("Send", "watcher")
    assert isinstance(answer[1], ValueError)
    assert isinstance(watcher[1], ZeroDivisionError)


async def test_looking_up_writes_nothing(tmp_path: Path) -> None:
    """No transaction, no fsync, and still an answer in its place."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        before = lab.bytes_on_disk()
        lab.ears.heard.clear()
        await ask_all(engine, Status(), InboxRead(BOB_1, 0, 5, 100))
        assert lab.bytes_on_disk() == before
        assert lab.ears.of("committed") == [(2, 0, 0.0)]


async def test_what_was_appended_is_committed_and_answered_at_the_end(
    tmp_path: Path,
) -> None:
    """A graceful stop loses nothing that was taken."""
    lab = Lab(tmp_path)
    answers: list[Answer] = []
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        for send in sends(5):
            engine.append(send, answers.append)
        assert engine.depth == 5
    assert len(answers) == 5
    with pytest.raises(EngineClosedError):
        engine.append(Status(), answers.append)
    async with lab.engine() as engine:
        again = await ask_all(engine, *sends(5))
    assert again == answers


async def test_an_error_of_the_block_comes_out_as_it_is(tmp_path: Path) -> None:
    """Whoever uses the engine sees their own error, not a group around it."""
    lab = Lab(tmp_path)
    with pytest.raises(ZeroDivisionError):
        async with lab.engine():
            raise ZeroDivisionError


class LateBomb:
    """An envelope whose ciphertext can be looked at only so often."""

    user, device, registration_id = BOB, 1, REGISTRATION
    looks_left = 3  # the group's size, the quota, the digest; then the inbox fold

    @property
    def ciphertext(self) -> bytes:
        """Return it, or fail."""
        self.looks_left -= 1
        if self.looks_left < 0:
            raise ZeroDivisionError
        return b"x"


async def test_a_fold_that_fails_is_answered_and_told(tmp_path: Path) -> None:
    """Rule 11, seen from outside: INTERNAL, an alarm, and the rest goes on."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        first, second = sends(2)
        broken = msgspec.structs.replace(
            second, client_msg_id=message_id(START_MS, 9), envelopes=(LateBomb(),)
        )
        answers = await ask_all(engine, first, broken, second)
    assert isinstance(answers[0], Sequenced)
    assert answers[1] == Refused(broken.client_msg_id, 1, Refusal.INTERNAL)
    assert isinstance(answers[2], Sequenced)
    ((name, error),) = lab.ears.of("fold_failed")
    assert name == "Send"
    assert isinstance(error, ZeroDivisionError)


async def test_the_writer_is_woken_once_for_a_group(tmp_path: Path) -> None:
    """Work per group, not per message, crosses to the writer."""
    log: list[str] = []
    lab = Lab(tmp_path, GatedExecutor(log))
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        await ask(engine, InboxRead(BOB_1, 0, 1, 100))
        first, *rest = sends(100)
        await ask(engine, first)
        log.clear()
        await ask_all(engine, *rest)
        assert log == ["handed over"]


async def test_the_inline_executor_keeps_the_order_too(tmp_path: Path) -> None:
    """The simulation's executor is no special case."""
    lab = Lab(tmp_path, InlineExecutor(3))
    async with lab.engine() as engine:
        await settle(engine, ALICE_1, BOB_1)
        answers = await ask_all(engine, *sends(10))
    assert all(isinstance(one, Sequenced) for one in answers)
