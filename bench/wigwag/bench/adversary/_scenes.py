"""The situations that most rows share: the connection is this far, then comes the bad.

Each returns a `Row.run`.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

from wigwag.bench.adversary._attack import Seen, Target, UnexpectedError
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._wire import Wire
from wigwag.wire import DRAFT, Error, Message, Refused, encode_frame

Run: TypeAlias = Callable[[Target], Seen]
Deed: TypeAlias = Callable[[Wire, Account], Seen]

# The number of the bad request; good ones of ours have higher ones.
CORR = 7


def as_first_words(words: Callable[[], bytes]) -> Run:
    """Say this first inside TLS, where HELLO is due."""

    def run(target: Target) -> Seen:
        with Wire.connect(target) as wire:
            wire.send(words())
            return wire.observe_end()

    return run


def before_sign_in(bad: Callable[[], bytes], *, corr: int = 0) -> Run:
    """Say this after WELCOME.

    Args:
        bad: Makes the bytes.
        corr: The request in question; 0: there is none.
    """

    def run(target: Target) -> Seen:
        with Wire.hello(target) as wire:
            wire.send(bad())
            return wire.observe(corr)

    return run


def after_sign_in(bad: Callable[[], bytes], *, corr: int = 0) -> Run:
    """Say this on a connection that is signed in; arguments as `before_sign_in`."""

    def deed(wire: Wire, _: Account) -> Seen:
        wire.send(bad())
        return wire.observe(corr)

    return signed_in(deed)


def signed_in(deed: Deed) -> Run:
    """Do this on a connection that is signed in."""

    def run(target: Target) -> Seen:
        with (
            target.people.borrow() as account,
            Wire.signed_in(target, account) as wire,
        ):
            return deed(wire, account)

    return run


@contextmanager
def two_signed_in(
    target: Target,
) -> Generator[tuple[tuple[Account, Wire], tuple[Account, Wire]]]:
    """Lend two accounts, signed in."""
    with (
        target.people.borrow() as first,
        target.people.borrow() as second,
        Wire.signed_in(target, first) as first_wire,
        Wire.signed_in(target, second) as second_wire,
    ):
        yield (first, first_wire), (second, second_wire)


def asked(wire: Wire, message: Message) -> Seen:
    """Ask a proper request whose meaning is bad."""
    wire.send(encode_frame(message, DRAFT, CORR))
    return wire.observe(CORR)


def must(fact: object, otherwise: str) -> None:
    """Hold the server to something that `Seen` can't say.

    Raises:
        UnexpectedError: It isn't so.
    """
    if not fact:
        raise UnexpectedError(otherwise)


def bytes_of_refusal(answer: Message) -> bytes:
    """Return what a refusal tells, to compare two of them byte for byte.

    Raises:
        UnexpectedError: It is no refusal.
    """
    match answer:
        case Error(code, outcome, frame_type, retry_after_ms):
            return repr((code, outcome, frame_type, retry_after_ms)).encode()
        case Refused(code=code, outcome=outcome, retry_after_ms=retry_after_ms):
            rest = (answer.last_id, answer.devices, answer.chat_seq)
            return repr((code, outcome, retry_after_ms, rest)).encode()
        case _:
            raise UnexpectedError(f"{type(answer).__name__} where a refusal was due")
