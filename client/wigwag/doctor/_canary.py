"""A message from one throw-away account to another, timed to its end.

Nobody can write to himself: a chat has two accounts. So two are made with an invite,
one writes to the other, and both are deleted with all that they had. The server keeps
that there were accounts of these ids and names for 32 days, as of every deleted one.
"""

import secrets
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from wigwag.client import (
    MessageReceived,
    ServerRefused,
    Session,
    TimedOut,
    WigwagError,
    delete_account,
    open_session,
    register,
)
from wigwag.doctor._check import Check, Level

STEP_SECONDS_MAX: Final = 30.0
"""For anything that must happen; a healthy server takes milliseconds."""

SLOW_MILLISECONDS: Final = 1_000.0
"""A message that takes longer is delivered, but people wait for it."""

POLL_SECONDS: Final = 0.005

KEY_BYTES: Final = 32

SUBJECT: Final = "canary"

INVITE_NEEDED: Final = ("PROOF_REFUSED", "UNSUPPORTED")
"""What a server says to a registration without an invite: that this one is wrong, or
that it doesn't know registering without."""

Waiting = Callable[[str], int]
"""Asks the server how many entries wait for an account's device."""


class _ThrowAwayKeys:
    """The key of a profile that lives for seconds, kept in memory alone."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(KEY_BYTES)

    async def create(self, folder: Path) -> bytes:
        """Return the key."""
        return self._key

    async def unlock(self, folder: Path) -> bytes:
        """Return the key."""
        return self._key


@dataclass(frozen=True, slots=True)
class _Bird:
    """A throw-away account.

    Attributes:
        name: Its username.
        folder: Its profile.
        keys: Of the profile.
    """

    name: str
    folder: Path
    keys: _ThrowAwayKeys


@dataclass(slots=True)
class _Times:
    """When what happened, in seconds on the steady clock; None: not seen."""

    sent: float = 0.0
    stored: float | None = None
    durable: float | None = None
    delivered: float | None = None
    told: float | None = None
    deleted: float | None = None


async def send_canary(join: str, waiting: Waiting | None) -> list[Check]:
    """Send a message between two accounts made for it, and time it to its end.

    Args:
        join: Join string that is good for two registrations.
        waiting: Asks the server what waits for an account; None: it can't be asked
            from here.
    """
    with tempfile.TemporaryDirectory(
        prefix="wigwag-canary-", ignore_cleanup_errors=True
    ) as scratch:
        birds: list[_Bird] = []
        checks: list[Check] = []
        left: list[Check] = []
        try:
            with anyio.fail_after(4 * STEP_SECONDS_MAX):
                checks = await _fly(Path(scratch), join, birds, waiting)
        except TimeoutError:
            words = f"not at its end after {4 * STEP_SECONDS_MAX:.0f} s"
            checks = [_problem("canary", words, "wigwag doctor --server")]
        except WigwagError as error:
            checks = [_refused(error)]
        finally:
            with anyio.CancelScope(shield=True):
                left = await _remove(birds)
        return [*checks, *left]


async def _fly(
    scratch: Path, join: str, birds: list[_Bird], waiting: Waiting | None
) -> list[Check]:
    token = secrets.token_hex(6)
    for side in ("a", "b"):
        name = f"canary-{token}-{side}"
        bird = _Bird(name, scratch / name, _ThrowAwayKeys())
        await register(name, join, profile=bird.folder, keys=bird.keys)
        birds.append(bird)
    async with _opened(birds) as (sender, receiver):
        # The first message looks up, claims keys and agrees on secrets.
        await _time_one(sender, receiver, None)
        user = (await receiver.status()).user
        asked = None if waiting is None else lambda: waiting(user)
        times = await _time_one(sender, receiver, asked)
    return _judge(times, is_seen=waiting is not None)


@asynccontextmanager
async def _opened(
    birds: list[_Bird],
) -> AsyncGenerator[tuple[Session, Session], None]:
    async with AsyncExitStack() as stack:
        sender, receiver = [
            await stack.enter_async_context(open_session(bird.folder, keys=bird.keys))
            for bird in birds
        ]
        await sender.wait_online(STEP_SECONDS_MAX)
        await receiver.wait_online(STEP_SECONDS_MAX)
        yield sender, receiver


async def _time_one(
    sender: Session, receiver: Session, waiting: Callable[[], int] | None
) -> _Times:
    """Send one message and note when it got how far.

    Raises:
        TimedOut: It got stuck.
    """
    text = f"canary {secrets.token_hex(16)}"
    times = _Times(sent=anyio.current_time())
    try:
        with anyio.fail_after(STEP_SECONDS_MAX):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_note_delivered, receiver, text, times)
                message = await sender.send(receiver.name, text)
                times.stored = anyio.current_time()
                await message.wait("sequenced", STEP_SECONDS_MAX)
                times.durable = anyio.current_time()
                if waiting is not None:
                    tasks.start_soon(_note_deleted, waiting, times)
                await message.wait("delivered", STEP_SECONDS_MAX)
                times.told = anyio.current_time()
    except TimeoutError as error:
        raise TimedOut(f"The canary got stuck: {_words(times)}.") from error
    return times


async def _note_delivered(receiver: Session, text: str, times: _Times) -> None:
    async for event in receiver.events("canary"):
        if isinstance(event, MessageReceived) and event.message.text == text:
            times.delivered = anyio.current_time()
            await event.done()
            return


async def _note_deleted(waiting: Callable[[], int], times: _Times) -> None:
    # The server tells nobody when an inbox is empty: it must be asked.
    while await anyio.to_thread.run_sync(waiting):  # noqa: ASYNC110
        await anyio.sleep(POLL_SECONDS)
    times.deleted = anyio.current_time()


def _judge(times: _Times, *, is_seen: bool) -> list[Check]:
    """Say of each step how long it took from the start."""
    steps = [
        ("stored", "the sender's device has stored it", times.stored),
        ("durable", "the sender knows that the server has it durably", times.durable),
        ("delivered", "the receiver's device has stored it", times.delivered),
        ("acked", "the sender was told", times.told),
        ("deleted", "the server holds it no more", times.deleted),
    ]
    checks: list[Check] = []
    for name, words, at in steps:
        if at is None:
            continue
        taken = 1000 * (at - times.sent)
        level: Level = "warning" if taken > SLOW_MILLISECONDS else "ok"
        mend = "wigwag bench server --quick" if level == "warning" else ""
        text = f"after {taken:.1f} ms {words}"
        checks.append(Check(name, level, text, mend, SUBJECT, round(taken, 3)))
    if not is_seen:
        words = (
            "whether the server holds it no more can't be seen from here, but only on "
            "its own machine; it says delivered in the commit that deletes it"
        )
        checks.append(Check("deleted", "ok", words, "", SUBJECT))
    return checks


def _words(times: _Times) -> str:
    if times.durable is None:
        return "it is stored on the sender's device, and the server hasn't taken it"
    if times.delivered is None:
        return "the server has it, and the receiver's device doesn't get it"
    return "it was delivered, and that wasn't confirmed or it wasn't deleted"


def _refused(error: WigwagError) -> Check:
    """Say why there is no canary."""
    text = f"{error} {error.action}"
    if isinstance(error, ServerRefused) and error.name in INVITE_NEEDED:
        words = (
            "this server takes nobody without an invite: on its machine make one for "
            "two, then give it to --join"
        )
        return _problem("canary", words, "wigwag admin invite --uses 2 --expires 15m")
    if error.retryable and error.retry_after_seconds:
        wait = error.retry_after_seconds
        mend = f"sleep {wait:.0f} && wigwag doctor --canary"
        return Check("canary", "warning", text, mend, SUBJECT)
    return _problem("canary", text, "wigwag doctor")


def _problem(name: str, text: str, mend: str) -> Check:
    return Check(name, "problem", text, mend, SUBJECT)


async def _remove(birds: list[_Bird]) -> list[Check]:
    """Delete the accounts; one that can't be deleted is told."""
    left: list[Check] = []
    for bird in birds:
        try:
            with anyio.fail_after(STEP_SECONDS_MAX):
                await delete_account(bird.folder, keys=bird.keys)
        except (WigwagError, TimeoutError) as error:
            words = f"the account {bird.name} is left at the server: {error}"
            left.append(Check("removed", "warning", words, "wigwag doctor", SUBJECT))
    if birds and not left:
        left.append(Check("removed", "ok", "both accounts are deleted", "", SUBJECT))
    return left
