"""What is refused before the chat fold looks at order: devices, quotas.

In the embedded engine these are judged within the group, on exact rows, after
dedupe; so they need no hint and can't be outdated.
"""

from collections.abc import Sequence

from wigwag.server.core._draft import Draft
from wigwag.server.core._limits import CHATS_OPENED_MAX, DEVICES_STALE_MAX
from wigwag.server.core._refusals import Refusal
from wigwag.server.core._requests import Send
from wigwag.server.core._rows import HEADS, OPENED, SHARES, RosterRow
from wigwag.server.core._values import (
    CLASS_OPERATION,
    USER_BYTES,
    DeviceRef,
    DevicesStale,
    device_of,
)


def find_stale_devices(
    draft: Draft, send: Send, rosters: Sequence[RosterRow]
) -> DevicesStale | None:
    """Compare envelopes with the devices of the users named; None: they are equal.

    The sending device needs no envelope. Both sides are sorted by (user, device).
    """
    sender = send.sender
    envelopes = send.envelopes
    at, end = 0, len(envelopes)
    for user, roster in zip(send.users, rosters, strict=True):
        for number, registration in roster:
            if number == sender[USER_BYTES] and user == sender[:USER_BYTES]:
                continue
            if at == end:
                return _difference(draft, send)
            one = envelopes[at]
            if (
                one.device != number
                or one.registration_id != registration
                or one.user != user
            ):
                return _difference(draft, send)
            at += 1
    return None if at == end else _difference(draft, send)


def _difference(draft: Draft, send: Send) -> DevicesStale:
    """Say how envelopes and devices differ."""
    current = {
        (user, number): registration
        for user in send.users
        for number, registration in draft.roster(user)
        if device_of(user, number) != send.sender
    }
    named = {(one.user, one.device): one.registration_id for one in send.envelopes}
    missing = [DeviceRef(*one, current[one]) for one in current if one not in named]
    extra = [DeviceRef(*one, named[one]) for one in named if one not in current]
    stale = [
        DeviceRef(*one, current[one])
        for one in current
        if named.get(one, current[one]) != current[one]
    ]
    most = DEVICES_STALE_MAX
    return DevicesStale(
        tuple(missing[:most]),
        tuple(extra[:most]),
        tuple(stale[:most]),
        max(len(missing), len(extra), len(stale)) > most,
    )


def is_recipient_full(draft: Draft, send: Send) -> bool:
    """Whether an inbox that it goes to takes no more, at all or from this account.

    The share of one account doesn't bound its own copies: a second device that
    is off for long must not silence the first.
    """
    limits = draft.state.limits
    own = send.sender[:USER_BYTES]
    for one in send.envelopes:
        device = device_of(one.user, one.device)
        head = draft.get(HEADS, device)
        if head is None or head.is_suspended:
            continue
        size = head.size + len(one.ciphertext)
        if size > limits.device_bytes_max:
            return True
        if size > limits.sender_bytes_max and one.user != own:
            shares = draft.get(SHARES, device) or {}
            if shares.get(own, 0) + len(one.ciphertext) > limits.sender_bytes_max:
                return True
    return False


def judge(
    draft: Draft, send: Send, rosters: Sequence[RosterRow], *, is_opening: bool
) -> tuple[Refusal, DevicesStale | None] | None:
    """Judge a SEND that is known to be new; None: it may go on.

    Args:
        draft: The record's view.
        send: The message.
        rosters: The devices of each user that it names.
        is_opening: It is the first message of its chat.
    """
    own = send.sender[:USER_BYTES]
    for user, roster in zip(send.users, rosters, strict=True):
        if not roster and user != own:
            return Refusal.NOT_FOUND, None
    if is_opening and (draft.get(OPENED, own) or 0) >= CHATS_OPENED_MAX:
        return Refusal.QUOTA, None
    if send.class_ <= CLASS_OPERATION:
        stale = find_stale_devices(draft, send, rosters)
        if stale is not None:
            return Refusal.DEVICES_STALE, stale
    elif any(one.user not in send.users for one in send.envelopes):
        return Refusal.NOT_FOUND, None
    if is_recipient_full(draft, send):
        return Refusal.RECIPIENT_FULL, None
    return None
