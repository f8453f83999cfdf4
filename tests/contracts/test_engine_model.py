"""The engine against the dictionary model, with restarts and crashes in between.

A script appends random requests in bursts, so that groups form as they like, and
compares every answer. A crash cuts the engine off somewhere within a burst: what
is there afterwards must be what a prefix of the burst leaves, and that prefix must
hold everything that was answered.
"""

from copy import deepcopy
from pathlib import Path
from random import Random

import pytest
import trio
from tests.contracts.harness import InlineExecutor, Lab, ask_all, settle
from tests.contracts.model import Entry, Model
from tests.server.core.world import (
    ALICE_1,
    BOB_1,
    CAROL_1,
    DAY_MS,
    EPOCH,
    NO_ID,
    START_MS,
    envelope,
    message_id,
    register,
    signed_prekey,
)

from wigwag.server.core import (
    AccountDelete,
    Ack,
    Answer,
    Connect,
    DeviceListGet,
    EngineLimits,
    Entries,
    InboxEntry,
    InboxRead,
    Marks,
    ReceiptsGet,
    Refusal,
    Request,
    ReRegister,
    Send,
    UsernameClaim,
)
from wigwag.server.engines import ThreadExecutor
from wigwag.wire import DRAFT, Deliver, decode_message, suite1

DEVICES = (ALICE_1, BOB_1, CAROL_1)


class Script:
    """Makes requests as clients would, and as they shouldn't."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a script, no secret
        self.model = Model(START_MS, EPOCH)
        for device in DEVICES:
            self.model.answer(register(device))
        self.sends: list[Send] = []
        self.ids = 0

    def burst(self, count: int) -> list[tuple[Request, Answer]]:
        """Make requests with the answers that the model gives."""
        made: list[tuple[Request, Answer]] = []
        for _ in range(count):
            request = self.request()
            made.append((request, self.model.answer(request)))
        return made

    def request(self) -> Request:
        """Make one request."""
        pick = self.random
        device = pick.choice(DEVICES)
        kind = pick.choices(
            [
                *("send", "repeat", "ack", "read", "connect", "marks", "renew"),
                *("name", "delete"),
            ],
            [40, 10, 20, 12, 6, 6, 2, 2, 0.4],
        )[0]
        model, box = self.model, self.model.boxes[device]
        match kind:
            case "send":
                return self.send(device)
            case "repeat" if self.sends:
                return self.repeat(pick.choice(self.sends))
            case "ack":
                places = [one.position for one in model.unread(device)[:5]]
                place = pick.choice([*places, box.acked, box.last, box.last + 1])
                registration = model.registered(device) - (pick.random() < 0.03)
                return Ack(device, registration, place)
            case "connect":
                places = [one.position for one in model.unread(device)[:3]]
                cursor = pick.choice([*places, box.acked, max(box.acked - 1, 0)])
                return Connect(
                    device,
                    model.registered(device) - (pick.random() < 0.05),
                    model.generation.get(device, 1) + pick.choice((0, 1, 1, 1)),
                    cursor,
                )
            case "marks":
                chats = tuple({self.chat(device, one) for one in DEVICES})
                return ReceiptsGet(device[:16], chats)
            case "renew":
                again = pick.random() < 0.3
                return ReRegister(
                    device,
                    model.registered(device) + (not again),
                    model.generation.get(device, 1) + 1,
                    signed_prekey(2),
                )
            case "delete":
                key = register(device).account_key
                return AccountDelete(
                    device[:16], key if pick.random() < 0.8 else b"x" * 32
                )
            case "name":
                return UsernameClaim(device[:16], f"name-{device[:1].hex()}")
            case _:
                above = pick.choice([0, box.acked, max(box.last - 2, 0)])
                return InboxRead(device, above, pick.randrange(1, 9), 1 << 20)

    def chat(self, device: bytes, other: bytes) -> bytes:
        """Return the chat of two devices' users; nonsense for one and the same."""
        if device == other:
            return b"x" * 16
        return suite1.direct_chat_id(device[:16], other[:16])

    def send(self, device: bytes) -> Send:
        """Make a SEND, mostly a good one."""
        pick, model = self.random, self.model
        peer = pick.choice([one for one in DEVICES if one != device])
        chat = self.chat(device, peer)
        self.ids += pick.choice((1, 1, 1, 3))
        age_days = pick.choices((0, 31.5, 30.5, -1.5), (60, 1, 1, 1))[0]
        is_signal = pick.random() < 0.15
        registration = model.registered(device)
        after = model.tails.get((chat, device, registration), NO_ID)
        if pick.random() < 0.08:
            after = message_id(model.now_ms, 1)
        target = model.registered(peer) - (pick.random() < 0.08)
        text = bytes((pick.randrange(256),)) * pick.choice((1, 40, 900))
        send = Send(
            device,
            registration - (pick.random() < 0.02),
            model.generation.get(device, 1) - (pick.random() < 0.02),
            chat if pick.random() < 0.97 else b"x" * 16,
            message_id(model.now_ms - int(age_days * DAY_MS), self.ids),
            1,
            NO_ID if is_signal else after,
            3 if is_signal else pick.choice((1, 1, 2)),
            (peer[:16],),
            (envelope(peer, text, target),),
            Refusal.RATE_LIMITED if pick.random() < 0.03 else None,
        )
        self.sends.append(send)
        return send

    def repeat(self, send: Send) -> Send:
        """Offer a message again, as it was or otherwise."""
        pick = self.random
        other = (envelope(send.users[0] + b"\x01", b"other", 7),)
        fields = {name: getattr(send, name) for name in send.__struct_fields__}
        fields |= pick.choice(
            [{}, {}, {"attempt": 2}, {"envelopes": other}, {"after": NO_ID}]
        )
        fields["generation"] = self.model.generation.get(send.sender, 1)
        return Send(**fields)


def essential(answer: Answer) -> object:
    """Reduce an answer to what the model speaks of."""
    match answer:
        case Entries():
            return [plain(one) for one in answer.entries], answer.gaps, answer.last
        case Marks():
            return [one for one in answer.marks if one.mark]
        case _:
            return answer


def plain(entry: InboxEntry | Entry) -> tuple[object, ...]:
    """Reduce an inbox entry to what the model knows of it."""
    if isinstance(entry, Entry):
        return entry.position, entry.prev, entry.chat, entry.message, entry.text
    frame = decode_message(entry.kind, DRAFT, entry.frame[12:])
    assert (frame.inbox_seq, frame.prev) == (entry.position, entry.prev)  # type: ignore[union-attr]
    text = frame.ciphertext if isinstance(frame, Deliver) else b""
    return entry.position, entry.prev, entry.chat, entry.client_msg_id, text


def compare(made: list[tuple[Request, Answer]], answers: list[Answer]) -> None:
    """Check that the engine said what the model says."""
    for (request, expected), answer in zip(made, answers, strict=False):
        assert essential(answer) == essential(expected), request


def shape_of(model: Model) -> object:
    """Say what a model holds, in the terms of `stored`."""
    return (
        sorted(
            (
                device,
                model.registration[device],
                model.generation[device],
                *model.newest.get(device, (NO_ID, 0)),
                model.boxes[device].acked,
                model.boxes[device].last,
            )
            for device in DEVICES
            if device in model.registration
        ),
        sorted(
            (device, one.position) for device in DEVICES for one in model.unread(device)
        ),
        sorted(model.heads.items()),
        sorted(model.names),
        sorted(model.deleted.items()),
        sorted(model.opened.items()),
    )


def stored(lab: Lab) -> object:
    """Say what the database holds, read past the engine."""
    run = lab.query
    devices = [
        (device, registration, int.from_bytes(generation), *rest)
        for device, registration, generation, *rest in run(
            "SELECT s.device, registration_id, generation, last_id, last_attempt, "
            "acked, last FROM sender s JOIN inbox_head USING (device) ORDER BY 1"
        )
    ]
    return (
        devices,
        (run("SELECT device, position FROM inbox ORDER BY 1, 2")),
        run("SELECT chat, head FROM chat ORDER BY 1"),
        [name for (name,) in run("SELECT name FROM username ORDER BY 1")],
        run("SELECT user, deleted_ms FROM deleted_account ORDER BY 1"),
        run("SELECT user, chats FROM opened_chats ORDER BY 1"),
    )


async def check_script(lab: Lab, seed: int, bursts: int) -> None:
    """Play a script with restarts; every answer is compared."""
    script = Script(seed)
    is_new = True
    while bursts > 0:
        async with lab.engine() as engine:
            if is_new:
                await settle(engine, *DEVICES)
                is_new = False
            for _ in range(script.random.randrange(1, 12)):
                made = script.burst(script.random.randrange(1, 30))
                compare(made, await ask_all(engine, *(one for one, _ in made)))
                assert not lab.ears.of("fold_failed")
                bursts -= 1
                lab.clock.ms += script.random.choice((0, 1, 700))
                script.model.now_ms = lab.clock.ms
        script.model.epoch = max(
            script.model.epoch + 1, EPOCH + (lab.clock.ms - START_MS) // 1000
        )


@pytest.mark.parametrize("seed", range(12))
async def test_every_answer_is_the_models(tmp_path: Path, seed: int) -> None:
    """Real SQL, real groups, real restarts: nothing the rules don't say."""
    await check_script(Lab(tmp_path, InlineExecutor(seed)), seed, 40)


@pytest.mark.parametrize("seed", range(3))
async def test_a_tiny_memory_changes_no_answer(tmp_path: Path, seed: int) -> None:
    """Caches, tails and group bounds are never the truth."""
    lab = Lab(tmp_path, InlineExecutor(seed))
    lab.limits = EngineLimits(
        cache_rows_max=2,
        tail_entries_max=2,
        tail_bytes_max=700,
        group_records_max=3,
        group_bytes_max=1_000,
    )
    await check_script(lab, 100 + seed, 30)


async def test_the_writer_thread_answers_alike(tmp_path: Path) -> None:
    """The real executor: another thread, real overlap of fsync and answers."""
    with ThreadExecutor() as executor:
        await check_script(Lab(tmp_path, executor), 7, 40)


async def crash_within(
    lab: Lab, made: list[tuple[Request, Answer]], patience: int, seed: int
) -> list[Answer]:
    """Append a burst, let some time pass, cut everything off; return the answers."""
    answers: list[Answer] = []
    lab.executor = executor = InlineExecutor(seed)
    with trio.CancelScope() as scope:
        async with lab.engine() as engine:
            for request, _ in made:
                engine.append(request, answers.append)
            for _ in range(patience):
                await trio.lowlevel.checkpoint()
            executor.crash()
            engine.abandon()
            scope.cancel()
            await trio.lowlevel.checkpoint()
    return answers


@pytest.mark.parametrize("seed", range(25))
async def test_a_crash_leaves_a_prefix_with_all_that_was_answered(
    tmp_path: Path, seed: int
) -> None:
    """I1, rule 1: what was answered is there, and nothing is there in part."""
    script = Script(1_000 + seed)
    pick = script.random
    lab = Lab(tmp_path)
    lab.limits = EngineLimits(group_records_max=pick.choice((1, 3, 256)))
    async with lab.engine() as engine:
        await settle(engine, *DEVICES)
    script.model.epoch += 1
    for _ in range(8):
        prefixes = [deepcopy(script.model)]
        made: list[tuple[Request, Answer]] = []
        for _ in range(pick.randrange(1, 20)):
            made += script.burst(1)
            prefixes.append(deepcopy(script.model))
        answers = await crash_within(lab, made, pick.randrange(40), pick.randrange(99))
        compare(made, answers)
        lab.executor = InlineExecutor(seed)
        async with lab.engine():
            found = stored(lab)
        possible = [
            model for model in prefixes[len(answers) :] if shape_of(model) == found
        ]
        assert possible, "the database holds what no prefix leaves"
        script.model = possible[0]
        script.model.epoch += 2


async def test_a_look_up_may_come_first(tmp_path: Path) -> None:
    """A database without accounts answers too."""
    lab = Lab(tmp_path)
    async with lab.engine() as engine:
        request = DeviceListGet(ALICE_1[:16], BOB_1[:16], 0)
        (answer,) = await ask_all(engine, request)
    assert getattr(answer, "code", None) is Refusal.NOT_FOUND
