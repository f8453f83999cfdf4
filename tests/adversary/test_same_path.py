"""Whoever isn't let in learns nothing from how: the same bytes after the same work.

Wall times can't be compared on a machine that does other things; what the server does
can be: which functions of the sign-in run, and how many signatures are verified.
"""

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TypeAlias

import msgspec
import pytest
from tests.server._peer import Account, PeerClient, connect, now_ms

from wigwag.bench.adversary import Account as BenchAccount
from wigwag.testing import RunningServer, server
from wigwag.wire import (
    DRAFT,
    DeleteAccount,
    DeviceListGet,
    DeviceListPublish,
    DeviceLists,
    Error,
    ErrorCode,
    Message,
    PeerGoingAway,
    encode_message,
    suite1,
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


Ask: TypeAlias = Callable[[PeerClient, Account], Message]


def ask_to_sign_in(peer: PeerClient, account: Account) -> Message:
    """AUTH, signed with the account's device key."""
    return peer.auth_message(account)


def ask_to_register_anew(peer: PeerClient, account: Account) -> Message:
    """RE_REGISTER, signed with the account's device key."""
    return peer.re_register_message(account)


def ask_to_delete(peer: PeerClient, account: Account) -> Message:
    """DELETE_ACCOUNT, signed with the account's key."""
    unsigned = DeleteAccount(bytes(64), account.user, now_ms())
    signature = account.account_key.sign(
        suite1.delete_account_transcript(
            peer.connection.transcript_hash,
            peer.leaf_sha256,
            peer.signed_body(unsigned, 64),
        )
    )
    return msgspec.structs.replace(unsigned, signature=signature)


async def answer_to(port: int, account: Account, ask: Ask = ask_to_sign_in) -> Answer:
    """Ask on a connection of its own and return what it was answered."""
    async with connect(port) as peer:
        message = ask(peer, account)
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


def impostor_of(account: Account) -> Account:
    """Return an account with the same ids and none of the keys."""
    return Account(
        user=account.user,
        registration_id=account.registration_id,
        generation=account.generation,
    )


@pytest.fixture
async def running() -> AsyncIterator[RunningServer]:
    """A server with default limits."""
    async with server() as running:
        yield running


async def test_every_refused_sign_in_is_the_same_work(running: RunningServer) -> None:
    """Wrong key, old registration or not, nobody, removed: one verification each."""
    port = running.address.port
    known, gone = Account(), Account()
    async with connect(port) as peer, connect(port) as other:
        await peer.register(known, running.join)
        await other.register(gone, running.join)
        await remove(other, gone)
    old = replace(known, registration_id=known.registration_id ^ 2, generation=9)
    known.generation += 1
    gone.generation += 1
    answers = {
        "wrong key": await answer_to(port, impostor_of(known)),
        "nobody": await answer_to(port, Account(generation=1)),
        "wrong key, old registration": await answer_to(port, impostor_of(old)),
        "removed device": await answer_to(port, gone),
    }
    assert len(set(answers.values())) == 1, answers
    assert answers["nobody"].verifications == 1
    assert "verify" in answers["nobody"].calls


@pytest.mark.parametrize("ask", [ask_to_register_anew, ask_to_delete])
async def test_other_ways_in_are_the_same_work_as_well(
    ask: Ask, running: RunningServer
) -> None:
    """What signing in hides, registering anew and deleting must not tell."""
    port = running.address.port
    known = Account()
    async with connect(port) as peer:
        await peer.register(known, running.join)
    wrong_key = await answer_to(port, impostor_of(known), ask)
    nobody = await answer_to(port, Account(generation=1), ask)
    assert wrong_key == nobody
    assert nobody.verifications == 1
