"""Whoever isn't let in learns nothing from how: the same bytes after the same work.

Wall times can't be compared on a machine that does other things; what the server does
can be: which functions of the sign-in run, and how many signatures are verified.
"""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from types import FrameType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.server._peer import Account, PeerClient, connect

from wigwag.bench.adversary import Account as BenchAccount
from wigwag.testing import RunningServer, server
from wigwag.wire import (
    DRAFT,
    DeviceListGet,
    DeviceListPublish,
    DeviceLists,
    Error,
    ErrorCode,
    PeerGoingAway,
    encode_message,
)

SIGN_IN_FILES = ("/handlers/_account.py", "/server/_signatures.py")
# A key that is nobody's stands in where there is none; the work is the same.
STAND_INS = {"verify_nobody": "verify"}


@dataclass
class Work:
    """What the server did for one sign-in.

    Attributes:
        calls: Functions of the sign-in, in order.
        verifications: Ed25519 signatures that were verified.
    """

    calls: list[str] = field(default_factory=list[str])
    verifications: int = 0

    def note(self, frame: FrameType, event: str, argument: object) -> None:
        """Note a call (`sys.setprofile`)."""
        if not frame.f_code.co_filename.endswith(SIGN_IN_FILES):
            return
        name = frame.f_code.co_name
        if event == "call":
            self.calls.append(STAND_INS.get(name, name))
        elif event == "c_call" and getattr(argument, "__name__", "") == "verify":
            self.verifications += 1


@dataclass(frozen=True)
class Answer:
    """What came back: the ERROR, byte for byte, and the work behind it."""

    body: bytes
    calls: tuple[str, ...]
    verifications: int


async def answer_to(
    port: int, account: Account, key: Ed25519PrivateKey | None = None
) -> Answer:
    """Sign in on a connection of its own and return what it was answered."""
    async with connect(port) as peer:
        message = peer.auth_message(account, key=key)
        work = Work()
        sys.setprofile(work.note)
        try:
            answer = await peer.ask(message)
        finally:
            sys.setprofile(None)
    assert isinstance(answer, Error), answer
    assert answer.code == ErrorCode.AUTH_FAILED
    body = encode_message(answer, DRAFT)
    return Answer(body, tuple(work.calls), work.verifications)


async def remove(peer: PeerClient, account: Account) -> None:
    """Have an account sign out everywhere."""
    lists = await peer.ask(DeviceListGet(account.user, 0))
    assert isinstance(lists, DeviceLists)
    double = BenchAccount(user=account.user, account_key=account.account_key)
    double.list_blob = lists.lists[0].blob
    await peer.request(DeviceListPublish(double.empty_list()))
    seen = await peer.wait_closed()
    away = [event for event in seen if isinstance(event, PeerGoingAway)]
    assert [event.code for event in away] == [ErrorCode.DEVICE_REMOVED]


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    """A server with default limits."""
    async with server() as running:
        yield running


async def test_every_refused_sign_in_is_the_same_work(running: RunningServer) -> None:
    """Wrong key, nobody, old registration, removed device: one verification each."""
    port = running.address.port
    known, gone = Account(), Account()
    async with connect(port) as peer, connect(port) as other:
        await peer.register(known, running.join)
        await other.register(gone, running.join)
        await remove(other, gone)
    old = replace(known, registration_id=known.registration_id ^ 2, generation=9)
    known.generation += 1
    gone.generation += 1
    wrong_key = Ed25519PrivateKey.generate()
    answers = {
        "wrong key": await answer_to(port, known, wrong_key),
        "nobody": await answer_to(port, Account(generation=1)),
        "old registration": await answer_to(port, old),
        "removed device": await answer_to(port, gone),
    }
    assert len(set(answers.values())) == 1, answers
    assert answers["nobody"].verifications == 1
    assert "verify" in answers["nobody"].calls
