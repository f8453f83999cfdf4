"""What happens in the demonstration, in order."""

import secrets
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio.abc import TaskGroup

from wigwag.demo._person import Person
from wigwag.demo._processes import Server, StageError
from wigwag.demo._report import Report

BURST_MESSAGES: Final = 100
"""From each side."""

SERVER_DIES_AT: Final = 40
"""Messages of the burst, of both sides, that the server has acknowledged by then."""

CLIENT_PAUSES_AT: Final = 50
"""Lines that Bob types before his client is in danger."""

CLIENT_DIES_AT: Final = 60
"""Messages of his burst that the client has confirmed to be stored by then."""

TYPED_AHEAD_MAX: Final = 8
"""Lines that the chat hasn't confirmed yet: what is typed stays near what happens."""

AWAY_MESSAGES: Final = 3


@dataclass(slots=True)
class Played:
    """What the story did, for the proof.

    Attributes:
        typed: Each person's texts in the order of typing.
        server_kills: Messages of the burst that were acknowledged at each SIGKILL
            of the server.
        client_kills: Messages that the client had confirmed at each of its SIGKILLs.
    """

    typed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    server_kills: list[int] = field(default_factory=list[int])
    client_kills: list[int] = field(default_factory=list[int])

    def texts(self) -> list[str]:
        """Return everything that was typed."""
        return [text for texts in self.typed.values() for text in texts]


class Story:
    """The demonstration's course, from the first word to the last.

    Args:
        server: A running server.
        alice: One person, registered.
        bob: The other.
        report: Is told what happens.
    """

    def __init__(
        self, server: Server, alice: Person, bob: Person, report: Report
    ) -> None:
        self._server = server
        self._alice = alice
        self._bob = bob
        self._report = report
        # Nobody guesses it: a text that is found anywhere is one of ours.
        self._token = secrets.token_hex(6)
        self.played = Played()

    async def tell(self) -> None:
        """Play all of it; both chats have ended at the end.

        Raises:
            StageError: Something didn't happen that must.
        """
        async with anyio.create_task_group() as tasks:
            try:
                await self._meet(tasks)
                await self._miss_each_other(tasks)
                await self._burst(tasks)
                await self._part()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._alice.kill()
                    await self._bob.kill()

    async def _meet(self, tasks: TaskGroup) -> None:
        alice, bob = self._alice, self._bob
        numbers = [await alice.safety_number(), await bob.safety_number()]
        if numbers[0] != numbers[1]:
            raise StageError(f"the safety numbers differ: {numbers}")
        self._report.step("They compare safety numbers", grouped(numbers[0]))
        await alice.come_online(tasks)
        await bob.come_online(tasks)
        first = await self._say(alice, "Hello Bob, can anybody else read this?")
        await alice.wait_state(first, "read")
        self._report.talk("alice", first, "read")
        answer = await self._say(bob, "Only you. The server passes sealed envelopes.")
        await bob.wait_state(answer, "read")
        self._report.talk("bob", answer, "read")

    async def _miss_each_other(self, tasks: TaskGroup) -> None:
        alice, bob = self._alice, self._bob
        await bob.go_offline()
        self._report.step("Bob goes offline; Alice writes on", "✓: the server has it")
        texts = [
            await self._say(alice, f"While you are away, number {number}.")
            for number in range(1, AWAY_MESSAGES + 1)
        ]
        for text in texts:
            await alice.wait_state(text, "sequenced")
        if alice.count_reached("delivered") != alice.count_reached("read"):
            raise StageError("a message was delivered to somebody who is away")
        for text in texts:
            self._report.talk("alice", text, "sequenced")
        await bob.come_online(tasks)
        self._report.step("Bob comes back", "✓✓: his device has it")
        for text in texts:
            await alice.wait_state(text, "delivered")
            self._report.talk("alice", text, "delivered")
        for text in texts:
            await alice.wait_state(text, "read")
        for text in texts:
            self._report.talk("alice", text, "read")

    async def _burst(self, tasks: TaskGroup) -> None:
        """Both write at once; the server is killed in the middle, then Bob's client."""
        alice, bob = self._alice, self._bob
        lines = {
            person.name: [
                f"{person.name} burst {number:03} {self._token}"
                for number in range(1, BURST_MESSAGES + 1)
            ]
            for person in (alice, bob)
        }
        self._report.step(
            f"Both write {BURST_MESSAGES} messages at once",
            "meanwhile the server and one client are killed",
        )
        for name, texts in lines.items():
            self.played.typed.setdefault(name, []).extend(texts)
        server_is_back = anyio.Event()
        async with anyio.create_task_group() as burst:
            burst.start_soon(self._type, alice, lines["alice"])
            burst.start_soon(self._kill_server, server_is_back)
            # Bob pauses before the line where his client is to die, so that it dies
            # in the middle, and after the server, on however fast a machine.
            await self._type(bob, lines["bob"][:CLIENT_PAUSES_AT])
            await server_is_back.wait()
            await self._kill_client(bob, lines["bob"])
            stored = {said.text for said in await bob.history() if said.is_own}
            forgotten = bob.own_texts() - stored
            if forgotten:
                raise StageError(f"confirmed and not stored: {sorted(forgotten)}")
            await bob.come_online(tasks)
            await self._type(bob, [text for text in lines["bob"] if text not in stored])
        for person in (alice, bob):
            await self._wait_burst_read(person)
        self._report.step("All of them have arrived and are read", "✓✓ read")

    async def _kill_server(self, is_back: anyio.Event) -> None:
        """Kill the server once it has acknowledged a part of the burst; restart it."""
        people = (self._alice, self._bob)

        def acknowledged() -> int:
            return sum(
                person.count_reached("sequenced", f"{person.name} burst")
                for person in people
            )

        await self._alice.wait_until(
            lambda: acknowledged() >= SERVER_DIES_AT, "the burst to get going"
        )
        pid = self._server.pid
        await self._server.kill()
        count = acknowledged()
        self.played.server_kills.append(count)
        self._report.step(
            f"kill -9 {pid}: the server",
            f"{count} of {2 * BURST_MESSAGES} messages were acknowledged",
        )
        await self._server.start()
        self._report.step("The server is back", f"process {self._server.pid}")
        is_back.set()

    async def _kill_client(self, person: Person, texts: list[str]) -> None:
        """Kill a person's chat while it stores what was typed."""
        prefix = f"{person.name} burst"
        for text in texts[CLIENT_PAUSES_AT:-1]:
            await person.say(text)
        await person.wait_until(
            lambda: person.count_reached("queued", prefix) >= CLIENT_DIES_AT,
            "its client to store a part of the burst",
        )
        await person.kill()
        count = person.count_reached("queued", prefix)
        self.played.client_kills.append(count)
        self._report.step(
            f"kill -9: {person.name.capitalize()}'s client",
            f"{count} of {BURST_MESSAGES} messages were stored",
        )

    async def _wait_burst_read(self, person: Person) -> None:
        prefix = f"{person.name} burst"
        await person.wait_until(
            lambda: person.count_reached("read", prefix) == BURST_MESSAGES,
            "its burst to be read",
        )

    async def _part(self) -> None:
        await self._alice.go_offline()
        await self._bob.go_offline()
        self._report.step("Both leave", "")

    async def _say(self, person: Person, words: str) -> str:
        """Type a line that nobody else can have written; return it."""
        text = f"{words} [{self._token}]"
        self.played.typed.setdefault(person.name, []).append(text)
        await person.say(text)
        return text

    async def _type(self, person: Person, texts: list[str]) -> None:
        """Type lines, never far ahead of what the chat has confirmed."""
        for place, text in enumerate(texts):
            await person.say(text)
            behind = texts[: max(place - TYPED_AHEAD_MAX, 0)]
            if behind:
                await self._wait_confirmed(person, behind[-1])

    async def _wait_confirmed(self, person: Person, text: str) -> None:
        await person.wait_until(
            lambda: person.has_confirmed(text), f"{text!r} to be stored"
        )


def grouped(digits: str) -> str:
    """Return a safety number in groups of five."""
    return " ".join(digits[start : start + 5] for start in range(0, len(digits), 5))
