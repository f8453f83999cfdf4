"""Many devices get in at once: registering, and signing in."""

from collections.abc import Callable, Sequence

from wigwag.bench._account import Account, Registration
from wigwag.bench._entrance import Entrance, must_not_fail
from wigwag.bench._errors import BenchError
from wigwag.bench._link import Door, Link
from wigwag.bench._loop import Loop

# Enough that the server always has one to work on while others wait for a commit.
CONCURRENCY = 24
# A server that gets nobody in for this long has failed.
STALL_SECONDS_MAX = 30.0
PROGRESS_EACH = 50


class People:
    """Gets devices in, some at a time, on one loop."""

    def __init__(self, loop: Loop, door: Door, say: Callable[[str], None]) -> None:
        self._loop = loop
        self._door = door
        self._say = say

    def register(self, count: int, *, is_reachable: bool = True) -> "Crowd":
        """Registers new accounts and leaves their devices signed in.

        Args:
            count: How many.
            is_reachable: Uploads a prekey for each, too: else nobody can write to it.
        """
        accounts = [Account.new() for _ in range(count)]

        def entrance(account: Account, done: Callable[[Link], None]) -> Entrance:
            return Entrance(
                account,
                lambda link, _, __: done(link),
                must_not_fail,
                registration=Registration(account),
                is_reachable=is_reachable,
            )

        return Crowd(accounts, self._enter(accounts, entrance, "registered"))

    def sign_in(self, accounts: Sequence[Account]) -> "Crowd":
        """Signs devices in that have received nothing yet."""

        def entrance(account: Account, done: Callable[[Link], None]) -> Entrance:
            return Entrance(account, lambda link, _, __: done(link), must_not_fail)

        return Crowd(list(accounts), self._enter(accounts, entrance, "signed in"))

    def _enter(
        self,
        accounts: Sequence[Account],
        entrance: Callable[[Account, Callable[[Link], None]], Entrance],
        verb: str,
    ) -> list[Link]:
        total = len(accounts)
        links: dict[int, Link] = {}
        waiting = iter(enumerate(accounts))

        def next_one() -> None:
            found = next(waiting, None)
            if found is None:
                return
            number, account = found

            def done(link: Link) -> None:
                links[number] = link
                link.user = Idler()
                if len(links) % PROGRESS_EACH == 0:
                    self._say(f"{verb} {len(links):,} of {total:,}")
                next_one()

            Link(self._loop, self._door, entrance(account, done))

        for _ in range(min(CONCURRENCY, total)):
            next_one()
        while len(links) < total:
            before = len(links)
            if self._loop.run_until(lambda: len(links) == total, STALL_SECONDS_MAX):
                break
            if len(links) == before:
                raise BenchError(f"nobody got in for {STALL_SECONDS_MAX:.0f} s")
        return [links[number] for number in range(total)]


class Crowd:
    """Accounts and the links on which their devices are signed in."""

    def __init__(self, accounts: list[Account], links: list[Link]) -> None:
        self.accounts = accounts
        self.links = links

    def close(self) -> None:
        """Closes all links."""
        for link in self.links:
            link.close()


class Idler:
    """Does nothing but answer PING; implements `LinkUser`."""

    def on_open(self, link: Link, now: float) -> None:
        """Nothing: the link was taken over open."""

    def on_data(self, link: Link, data: bytes, now: float) -> None:
        """Answers PING, skips everything else."""
        for _ in link.frames(data):
            pass

    def on_closed(self, link: Link, reason: str, now: float) -> None:
        """Fails the measurement."""
        raise BenchError(f"an idle connection ended: {reason}")
