"""One person: the real SDK, a real profile, and a journal of what it was told.

    python -m tests.soak._person_process PROFILE PEER BACKEND SEED PACE_SECONDS

The passphrase is in WIGWAG_PASSPHRASE, the secret word that every text holds in
WIGWAG_SOAK_WORD. Beside the profile lie `NAME.journal`, which it writes, and `stage`,
which it obeys: "talk", "settle", "end". Whoever is killed is started again and goes on.
"""

import json
import os
import sys
from pathlib import Path
from random import Random

import anyio

from wigwag.client import (
    MessageReceived,
    MessageState,
    MessageStateChanged,
    NetworkError,
    OutboxFull,
    PeerUnknown,
    ServerRefused,
    Session,
    TimedOut,
    open_session,
)

LOOK_SECONDS = 0.3
"""How often the stage is looked at."""
RETRY_SECONDS = 0.5
HISTORY_MAX = 10_000
BURST_MAX = 12
ANSWER_SHARE = 0.4
READ_SHARE = 0.3
LONG_SHARE = 0.05
LONG_BYTES = 6_000


class Notes:
    """The journal: each line is past every buffer of this process when it returns."""

    def __init__(self, path: Path) -> None:
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        self._file = os.open(path, flags, 0o600)

    def note(self, *line: str | int) -> None:
        """Write one line; a kill leaves it whole or not at all, or cut at the end."""
        os.write(self._file, json.dumps(line).encode() + b"\n")


class Person:
    """One life of a person.

    Args:
        session: His open profile.
        peer: Whom he talks to.
        notes: His journal.
        pick: Decides what he says.
        word: Is in every text.
    """

    def __init__(
        self, session: Session, peer: str, notes: Notes, pick: Random, word: str
    ) -> None:
        self.session = session
        self.peer = peer
        self.notes = notes
        self.pick = pick
        self.word = word
        self.count = 0
        self.is_open = True
        self._lock = anyio.Lock()

    async def say(self, kind: str) -> None:
        """Send one numbered text, when there is room; the number is never used twice.

        The lock makes send order the order of numbers.
        """
        async with self._lock:
            while self.is_open:
                more = "x" * (LONG_BYTES if self.pick.random() < LONG_SHARE else 8)
                text = f"{self.count} {kind} {self.word} {more}"
                try:
                    sent = await self.session.send(self.peer, text)
                except (NetworkError, OutboxFull, ServerRefused, TimedOut):
                    # Nothing was queued; a first look-up needs a connection.
                    await anyio.sleep(RETRY_SECONDS)
                    continue
                self.notes.note("queued", sent.message_id, text)
                self.count += 1
                return

    async def talk(self, pace_seconds: float) -> None:
        """Say things in bursts."""
        while self.is_open:
            burst = self.pick.randrange(1, BURST_MAX)
            for _ in range(burst):
                await self.say("question")
            await anyio.sleep(self.pick.uniform(0.5, 1.5) * burst * pace_seconds)

    async def listen(self) -> None:
        """Note what is told, and answer."""
        async for event in self.session.events("soak"):
            match event:
                case MessageReceived(message=message):
                    self.notes.note("got", message.id)
                    if self.pick.random() < READ_SHARE:
                        await self.session.mark_read(message)
                    is_question = " question " in (message.text or "")
                    if is_question and self.pick.random() < ANSWER_SHARE:
                        await self.say("answer")
                case MessageStateChanged(message=message, state=state):
                    if state is MessageState.SEQUENCED:
                        self.notes.note("sequenced", message.id, message.chat_seq)
                    elif state > MessageState.READ:
                        self.notes.note("odd", f"{state.name} {message.reason}")
                case _:
                    self.notes.note("odd", type(event).__name__)
            await event.done()

    async def settle(self) -> None:
        """Say no more, and wait until all we said is stored by its receiver."""
        self.is_open = False
        async with self._lock:
            while True:
                status = await self.session.status()
                own = await self.own()
                if not status.queued and all(
                    state >= MessageState.DELIVERED for state in own
                ):
                    break
                await anyio.sleep(LOOK_SECONDS)
        self.notes.note("settled", len(own))

    async def own(self) -> list[MessageState]:
        """Return the states of our messages; none: he isn't known yet."""
        try:
            history = await self.session.history(self.peer, HISTORY_MAX)
        except PeerUnknown:
            return []
        return [one.state for one in history if one.is_own]


async def reach(stage: Path, *wanted: str) -> None:
    """Wait for a stage."""
    while True:
        if await anyio.Path(stage).read_text("utf-8") in wanted:
            return
        await anyio.sleep(LOOK_SECONDS)


async def main(profile: Path, peer: str, seed: int, pace_seconds: float) -> None:
    """Live until the end, or until killed."""
    notes = Notes(profile.with_suffix(".journal"))
    stage = profile.parent / "stage"
    pick = Random(seed)  # noqa: S311 - small talk, no secret
    async with open_session(profile) as session:
        notes.note("life")
        word = os.environ["WIGWAG_SOAK_WORD"]
        person = Person(session, peer, notes, pick, word)
        person.count = len(await person.own())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(person.listen)
            tasks.start_soon(person.talk, pace_seconds)
            await reach(stage, "settle", "end")
            await person.settle()
            await reach(stage, "end")
            tasks.cancel_scope.cancel()
        history = await session.history(peer, HISTORY_MAX)
    rows = [[one.id, one.is_own, one.text or "", one.chat_seq] for one in history]
    profile.with_suffix(".history").write_text(json.dumps(rows), "utf-8")


if __name__ == "__main__":
    anyio.run(
        main,
        Path(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[4]),
        float(sys.argv[5]),
        backend=sys.argv[3],
    )
