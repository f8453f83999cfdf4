"""Bit rot: flipped bits and cut-off files are refused or quarantined, and never served.

A database with something in every table, part of it in an unfinished log, is asked one
battery of questions that reads every table; the answers of the good one are the truth.
Then, copy by copy, a bit is flipped somewhere, or a file cut off at any length, and the
same is asked. What may happen:

* a storage error with one sentence: refused;
* damaged inbox entries are set aside, told as a gap and to the listener; all others
  arrive as they were: quarantined;
* the same answers: the damage lay where nothing is.

A client's store is encrypted with authenticated pages; a log that was cut off takes it
back to an earlier whole commit, which the server notices at the next sign-in
(STORE_ROLLED_BACK), so here any whole commit is right for it.
"""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import trio
from tests.contracts.harness import Lab, ask, settle
from tests.contracts.test_engine_model import plain
from tests.durability._client_life import KEY, found_txn, right, work_txn
from tests.durability._power import memory_folder
from tests.durability._power_client import InlineExecutor as ClientExecutor
from tests.durability._tally import Tally, check
from tests.server.core.world import (
    ALICE,
    ALICE_1,
    BOB,
    BOB_1,
    CAROL,
    CAROL_1,
    CHAT,
    NO_ID,
    REGISTRATION,
    START_MS,
    ec_prekeys,
    envelope,
    kem_prekeys,
    message_id,
    register,
)

from wigwag.client._errors import StoreError
from wigwag.client._store import open_store
from wigwag.server.core import (
    Ack,
    Answer,
    Connect,
    DeviceListGet,
    DeviceLookup,
    Entries,
    GapReason,
    InboxRead,
    InviteCreate,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ReceiptsGet,
    Request,
    Send,
    Sequenced,
    Status,
    Tick,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
)
from wigwag.server.ports import StorageError

DEVICES = (ALICE_1, BOB_1, CAROL_1)
USERS = (ALICE, BOB, CAROL)
MESSAGES = 40
INVITE = b"i" * 32
FILES = ("wigwag.db", "wigwag.db-wal")
CUT_SHARE = 0.25
CLIENT_SHARE = 0.25
PIECES = 30
READ_ALL = (0, 10_000, 1 << 30)
TABLES = (
    *("log", "epoch", "chat", "sender", "inbox_head", "inbox", "mark", "roster"),
    *("account", "device", "device_list", "username", "invite", "prekey_base"),
    *("prekey_page", "sent_index_", "chat_log_"),
)
"""Each has a flip in a row of its own."""

Refusals = (StorageError, StoreError)


def message(number: int) -> Send:
    """Make a message from Alice to Bob; some are larger than a page."""
    size = 7_000 if number % 13 == 5 else 150
    return Send(
        *(ALICE_1, REGISTRATION, 1 << 40, CHAT, message_id(START_MS, number), 1),
        message_id(START_MS, number - 1) if number > 1 else NO_ID,
        *(1, (BOB,)),
        (envelope(BOB_1, number.to_bytes(2) * size),),
    )


async def fill(lab: Lab) -> None:
    """Put something into every table; the second half stays in the log."""
    async with lab.engine() as engine:
        await settle(engine, *DEVICES)
        for device, user in zip(DEVICES, USERS, strict=True):
            await ask(engine, UsernameClaim(user, f"name-{user[:1].hex()}"))
            await ask(
                engine,
                PrekeysUpload(
                    device, REGISTRATION, ec_prekeys(2, 3, 4), kem_prekeys(2, 3)
                ),
            )
        await ask(engine, InviteCreate(INVITE, 3, START_MS + 10**9))
        for number in range(1, MESSAGES // 2):
            await ask(engine, message(number))
    async with lab.engine() as engine:
        for number in range(MESSAGES // 2, MESSAGES):
            await ask(engine, message(number))
        found = await ask(engine, InboxRead(BOB_1, *READ_ALL))
        assert isinstance(found, Entries)
        await ask(engine, Ack(BOB_1, REGISTRATION, found.entries[5].position))
        engine.abandon()


def battery() -> list[Request]:
    """Make questions that read every table, and some that write."""
    requests: list[Request] = []
    for device, user in zip(DEVICES, USERS, strict=True):
        requests += [
            DeviceLookup(device),
            InboxRead(device, *READ_ALL),
            PrekeysCount(device),
            UsernameOf(user),
            UsernameResolve(f"name-{user[:1].hex()}"),
            DeviceListGet(ALICE if user != ALICE else BOB, user, 0),
            ReceiptsGet(user, (CHAT,)),
        ]
    requests += [message(number) for number in range(1, MESSAGES + 6)]
    requests += [PrekeysClaim(ALICE_1, BOB), PrekeysClaim(BOB_1, ALICE)]
    requests += [Connect(one, REGISTRATION, 5, 0) for one in DEVICES]
    requests += [register(ALICE[:15] + b"Z\x01", invite=INVITE), Tick(), Status()]
    requests += [InboxRead(one, *READ_ALL) for one in DEVICES]
    return requests


async def question(lab: Lab) -> list[tuple[Request, Answer]]:
    """Open the database and ask the battery."""
    async with lab.engine() as engine:
        return [(one, await ask(engine, one)) for one in battery()]


class Server:
    """The engine's database, good once, then damaged again and again."""

    def __init__(self, root: Path, *, is_tidy: bool = False) -> None:
        self.root = root
        self.template = root / "template"
        self.template.mkdir()
        trio.run(fill, Lab(self.template))
        if is_tidy:
            trio.run(tidy, Lab(self.template))
        truth = self.copy("truth")
        self.truth = trio.run(question, Lab(truth))
        shutil.rmtree(truth)

    def copy(self, name: str) -> Path:
        """Copy the good files."""
        folder = self.root / name
        shutil.copytree(self.template, folder)
        return folder

    def judge(self, folder: Path) -> tuple[str, str, bool]:
        """Ask a damaged copy; return the verdict, its detail, whether it is good."""
        lab = Lab(folder)
        outcome = attempt(question, lab)
        match outcome:
            case StorageError():
                return "refused", str(outcome), True
            case BaseException():
                return "crashed", repr(outcome), False
            case _:
                return self.compare(lab, outcome)

    def compare(
        self, lab: Lab, answers: list[tuple[Request, Answer]]
    ) -> tuple[str, str, bool]:
        """Compare answers with the truth."""
        aside = {place for _, place in lab.ears.of("entry_corrupt")}
        for (request, answer), (_, wanted) in zip(answers, self.truth, strict=True):
            if answer == wanted:
                continue
            if not aside:
                return "served", f"{request}: {answer} and not {wanted}"[:400], False
            if isinstance(request, InboxRead):
                wrong = misread(answer, wanted, aside)
                if wrong:
                    return "served", wrong, False
            elif isinstance(wanted, Sequenced):
                return "served", f"{answer} and not {wanted}", False
        return ("quarantined", "", True) if aside else ("harmless", "", True)


def misread(answer: Answer, wanted: Answer, aside: set[int]) -> str:
    """Say what is wrong with a read of an inbox with damaged entries, or ""."""
    if not isinstance(answer, Entries) or not isinstance(wanted, Entries):
        return f"{answer}"[:300]
    for gap in answer.gaps:
        if gap.reason != GapReason.CORRUPT or gap.first not in aside:
            return f"{gap} was not told"
    have = {one.position: plain(one)[2:] for one in answer.entries if one.sender}
    want = {one.position: plain(one)[2:] for one in wanted.entries if one.sender}
    lost = [place for place in want if place not in have and place not in aside]
    if lost:
        return f"{lost} are gone without a word"
    altered = [place for place in have if have[place] != want.get(place)]
    return f"{altered} are not what was written" if altered else ""


def attempt(act: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:  # noqa: ANN401
    """Run; return what came of it, an exception too."""
    try:
        return trio.run(act, *arguments)
    except BaseException as error:
        return error


class Client:
    """A client's database."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.template = root / "client"
        self.template.mkdir()
        trio.run(self.fill)

    async def fill(self) -> None:
        """Do work; the files are copied while the log is unfinished."""
        path = self.root / "client-live"
        path.mkdir()
        async with open_store(path / "wigwag.db", KEY, ClientExecutor()) as store:
            for number in range(PIECES):
                await store.run(work_txn)
                if number == PIECES // 2:
                    await store.run(lambda txn: None)
            for name in FILES:
                shutil.copy(path / name, self.template / name)

    def copy(self, name: str) -> Path:
        """Copy the good files."""
        folder = self.root / name
        shutil.copytree(self.template, folder)
        return folder

    def judge(self, folder: Path) -> tuple[str, str, bool]:
        """Open a damaged copy."""

        async def read() -> object:
            path = folder / "wigwag.db"
            async with open_store(path, KEY, ClientExecutor()) as store:
                return await store.run(found_txn)

        outcome: Any = attempt(read)
        if isinstance(outcome, StoreError):
            return "refused", str(outcome), True
        if isinstance(outcome, BaseException):
            return "crashed", repr(outcome), False
        if outcome != right(outcome.cursor):
            return "served", f"{outcome}"[:400], False
        if outcome.cursor < PIECES:
            return "rolled back whole", "", True
        return "harmless", "", True


def damage(folder: Path, pick: Random, tables: list[bytes]) -> str:
    """Damage a copy; say how."""
    if tables and pick.random() < 0.3:
        return flip_row(folder, pick, pick.choice(tables))
    names = [one for one in FILES if (folder / one).stat().st_size]
    path = folder / pick.choice(names)
    size = path.stat().st_size
    if pick.random() < CUT_SHARE:
        length = pick.randrange(size)
        with path.open("r+b") as file:
            file.truncate(length)
        return f"{path.name} cut off at {length} of {size}"
    return flip(path, pick.randrange(size * 8))


def flip(path: Path, bit: int) -> str:
    """Flip one bit."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes((byte ^ 1 << bit % 8,)))
    return f"{path.name}: bit {bit % 8} of byte {bit // 8}"


def flip_row(folder: Path, pick: Random, needle: bytes) -> str:
    """Flip a bit within bytes of a row, wherever they are stored."""
    places: list[tuple[Path, int]] = []
    for name in FILES:
        data = (folder / name).read_bytes()
        at = data.find(needle)
        while at >= 0:
            places.append((folder / name, at))
            at = data.find(needle, at + 1)
    assert places, f"{needle!r} is in no file"
    path, at = pick.choice(places)
    return flip(path, (at + pick.randrange(len(needle))) * 8 + pick.randrange(8))


def needles(template: Path) -> dict[str, bytes]:
    """Return bytes of a row of each table, as they are stored."""
    found: dict[str, bytes] = {}

    async def read(folder: Path) -> None:
        lab = Lab(folder)
        async with lab.engine():
            names = lab.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
            for (name,) in names:
                rows = lab.query(f"SELECT * FROM {name} LIMIT 1")  # noqa: S608
                for row in rows:
                    stored = max((as_stored(one) for one in row), key=len)
                    found[name.rstrip("0123456789")] = stored[:48]

    with TemporaryDirectory(dir=memory_folder()) as name:
        folder = Path(name) / "copy"
        shutil.copytree(template, folder)
        trio.run(read, folder)
    return found


def as_stored(value: object) -> bytes:
    """Return a value's bytes as SQLite stores them; b"" for a small number."""
    match value:
        case bytes():
            return value
        case str():
            return value.encode()
        case int() if value > 0xFFFF:
            return value.to_bytes(
                next(one for one in (4, 6, 8) if value < 1 << 8 * one - 1)
            )
        case _:
            return b""


def run(seed: int, count: int) -> Tally:
    """Damage so many copies."""
    tally = Tally()
    pick = Random(seed)  # noqa: S311 - a script, no secret
    replay = f"python -m tests.durability rot --seed {seed} --count {count}"
    with TemporaryDirectory(prefix="wigwag-rot-", dir=memory_folder()) as name:
        root = Path(name)
        server, client = Server(root), Client(root)
        tables = list(needles(server.template).values())
        for number in range(count):
            is_client = pick.random() < CLIENT_SHARE
            subject: Server | Client = client if is_client else server
            folder = subject.copy("damaged")
            how = damage(folder, pick, [] if is_client else tables)
            verdict, detail, is_good = subject.judge(folder)
            shutil.rmtree(folder)
            tally.counts["damages"] += 1
            if is_good:
                tally.counts[verdict] += 1
            side = "client" if is_client else "server"
            check(tally, is_good, verdict, f"{number} {side} {how}: {detail}", replay)
    return tally


def damage_table() -> dict[str, str]:
    """Flip a bit in a row of every table that is in the database's file; say what came.

    The log is copied back first, so that no newer copy of the row hides the damage.
    """
    verdicts: dict[str, str] = {}
    with TemporaryDirectory(prefix="wigwag-rot-", dir=memory_folder()) as name:
        server = Server(Path(name), is_tidy=True)
        for table, needle in needles(server.template).items():
            if table not in TABLES:
                continue
            folder = server.copy("damaged")
            flip_row(folder, Random(table), needle)  # noqa: S311 - a script
            verdicts[table] = server.judge(folder)[0]
            shutil.rmtree(folder)
    return verdicts


async def tidy(lab: Lab) -> None:
    """Open and close a database, so that everything is in its file."""
    async with lab.engine():
        assert lab.query("SELECT count(*) FROM sqlite_schema") != [(0,)]
