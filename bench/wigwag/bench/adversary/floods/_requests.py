"""Floods of proper requests: over one's rate, at somebody's keys, and abandoned."""

from wigwag.bench.adversary._attack import (
    SERVED,
    Flood,
    Seen,
    Target,
    TurnedAwayError,
    UnexpectedError,
    refused_with,
)
from wigwag.bench.adversary._people import Account
from wigwag.bench.adversary._scenes import must
from wigwag.bench.adversary._wire import Wire
from wigwag.bench.adversary.floods._connections import reset
from wigwag.bench.adversary.floods._pace import again_and_again
from wigwag.wire import (
    DRAFT,
    AuthOk,
    Bundles,
    Error,
    ErrorCode,
    Message,
    PrekeysClaim,
    Refused,
    Send,
    Sequenced,
    encode_frame,
)

# Ten a second are a device's share: a hundred times that, in tenths of a second.
SENDS = 1_000
REGISTRATIONS = 50
CLAIMS = 200
# One-time keys of one victim for one account at once, and a device of his has one.
ONE_TIME_SHARE = 6
ABANDONED = 200
RATE_LIMITED = refused_with(ErrorCode.RATE_LIMITED)


def _answers(wire: Wire, corrs: list[int]) -> list[Message]:
    """Return the answer to each request."""
    found: dict[int, Message] = {}
    while len(found) < len(corrs):
        one = wire.read_frame()
        if one is None:
            raise UnexpectedError("the connection ended where answers were due")
        message = one.message
        if one.corr in corrs and message is not None:
            found[one.corr] = message
    return [found[corr] for corr in corrs]


def _is_rate_limited(answer: Message) -> bool:
    return isinstance(answer, Error | Refused) and answer.code == ErrorCode.RATE_LIMITED


def offered_again(target: Target) -> Seen:
    """Offer one message a thousand times: each copy gets the same answer."""
    with (
        target.people.borrow() as account,
        target.people.borrow() as other,
        Wire.signed_in(target, account) as wire,
    ):
        send = account.send_to(other, b"flood")
        corrs = [wire.next_corr() for _ in range(SENDS)]
        wire.send(b"".join(encode_frame(send, DRAFT, corr) for corr in corrs))
        answers = _answers(wire, corrs)
        stored = [one for one in answers if isinstance(one, Sequenced)]
        if stored:
            account.note_stored(send)
        refused = sum(_is_rate_limited(one) for one in answers)
        must(len(stored) + refused == SENDS, "some other answer came")
        must(len({one.chat_seq for one in stored}) <= 1, "copies got two places")
        return wire.observe()


def over_its_share(target: Target) -> Seen:
    """Send a hundred times what one may; the rest of it is refused with a time."""
    with (
        target.people.borrow() as account,
        target.people.borrow() as other,
        Wire.signed_in(target, account) as wire,
    ):
        sends: list[Send] = []
        for _ in range(SENDS):
            sends.append(account.send_to(other, b"flood"))
            account.note_stored(sends[-1])
        corrs = [wire.next_corr() for _ in sends]
        wire.send(
            b"".join(
                encode_frame(send, DRAFT, corr)
                for send, corr in zip(sends, corrs, strict=True)
            )
        )
        answers = _answers(wire, corrs)
        _keep_chain(account, sends, answers)
        limited = [one for one in answers if _is_rate_limited(one)]
        must(len(limited) > SENDS // 2, "RATE_LIMITED is not what most of them got")
        must(
            all(isinstance(one, Refused) and one.retry_after_ms > 0 for one in limited),
            "RATE_LIMITED doesn't say when to come back",
        )
        must(wire.observe() == SERVED, "the connection did not stand it")
    return RATE_LIMITED


def _keep_chain(account: Account, sends: list[Send], answers: list[Message]) -> None:
    """Name what was stored last in the chat, for whoever borrows the account next."""
    chat, before = sends[0].chat, sends[0].after
    stored = [
        send.client_msg_id
        for send, answer in zip(sends, answers, strict=True)
        if isinstance(answer, Sequenced)
    ]
    account.tails[chat] = stored[-1] if stored else before


def registrations(target: Target) -> Seen:
    """Register accounts without end."""
    with Wire.hello(target) as wire:
        account = Account(generation=1)
        message = wire.register_message(account)
        corrs = [wire.next_corr() for _ in range(REGISTRATIONS)]
        first = encode_frame(message, DRAFT, corrs[0])
        wire.send(first)
        try:
            answer = wire.answer_to(corrs[0])
        except TurnedAwayError:
            wire.send(
                b"".join(encode_frame(message, DRAFT, corr) for corr in corrs[1:])
            )
            answers = _answers(wire, corrs[1:])
            must(all(map(_is_rate_limited, answers)), "a bucket filled by itself")
            return RATE_LIMITED
        must(isinstance(answer, AuthOk), f"{type(answer).__name__} came")
    raise TurnedAwayError("the address has used a registration of its share")


def prekey_drain(target: Target) -> Seen:
    """Claim a victim's prekeys without end: served slowly, and never emptied."""
    victim = target.honest[0] if target.honest else Account()
    with target.people.borrow() as account, Wire.signed_in(target, account) as wire:
        corrs = [wire.next_corr() for _ in range(CLAIMS)]
        claim = PrekeysClaim(user=victim.user)
        wire.send(b"".join(encode_frame(claim, DRAFT, corr) for corr in corrs))
        answers = _answers(wire, corrs)
        bundles = [one.bundles for one in answers if isinstance(one, Bundles)]
        refused = sum(_is_rate_limited(one) for one in answers)
        must(len(bundles) + refused == CLAIMS, "some other answer came")
        must(refused > CLAIMS // 2, "RATE_LIMITED is not what most of them got")
        must(all(bundles), "no bundle is left of the victim")
        handed_out = sum(bool(one.one_time) for some in bundles for one in some)
        must(handed_out <= ONE_TIME_SHARE, "one-time keys beyond the share")
        must(wire.observe() == SERVED, "the connection did not stand it")
    return RATE_LIMITED


def abandoned(target: Target) -> Seen:
    """Ask for much, and reset the connection before any answer."""
    with (
        target.people.borrow() as account,
        target.people.borrow() as other,
        Wire.signed_in(target, account) as wire,
    ):
        claim = PrekeysClaim(user=other.user)
        wire.send(
            b"".join(
                encode_frame(claim, DRAFT, wire.next_corr()) for _ in range(ABANDONED)
            )
        )
        reset(wire)
    return SERVED


FLOODS: tuple[Flood, ...] = (
    Flood(
        "flood-share",
        "one device sends 100 times its share",
        "sends",
        RATE_LIMITED,
        1,
        again_and_again(over_its_share, RATE_LIMITED, actions=SENDS),
    ),
    Flood(
        "flood-repeat",
        "one message is offered a thousand times over",
        "A11",
        SERVED,
        1,
        again_and_again(offered_again, SERVED, actions=SENDS),
    ),
    Flood(
        "flood-register",
        "registrations without end",
        "registration",
        RATE_LIMITED,
        1,
        again_and_again(registrations, RATE_LIMITED, actions=REGISTRATIONS),
    ),
    Flood(
        "flood-prekeys",
        "a victim's prekeys are claimed without end",
        "A10",
        RATE_LIMITED,
        1,
        again_and_again(prekey_drain, RATE_LIMITED, actions=CLAIMS),
    ),
    Flood(
        "flood-abandon",
        "requests, and a reset before the answers",
        "S10",
        SERVED,
        1,
        again_and_again(abandoned, SERVED, actions=ABANDONED),
    ),
)
"""Floods that the token buckets slow down, or that must simply be stood."""
