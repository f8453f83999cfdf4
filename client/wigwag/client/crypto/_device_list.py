"""Signed device lists: made, verified, chained, pinned (E2EE.md §3).

A peer pins the account key with the first list and from then on accepts only
lists that this key signed, each following the one before. The server's word
counts for nothing: it can withhold a list, which shows by its age and by the
list hashes inside messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import final

from wigwag.client.crypto._errors import ListRefused, ListRefusedReason, NotSigned
from wigwag.client.crypto._keys import (
    AccountKey,
    LocalDevice,
    PeerDevice,
    check_signature,
)
from wigwag.client.crypto._stored import (
    STATE_VERSION,
    Stored,
    pack_state,
    unpack_state,
)
from wigwag.wire import (
    DecodeError,
    DeviceList,
    ListedDevice,
    SignedList,
    decode_struct,
    encode_struct,
    suite1,
)

RECENT_LISTS = 8
"""List hashes remembered beside the newest: a message sent just before a list
changed names the older one, which is no split view. At one re-signing a week
they reach back two months, as far as a message can."""

_NO_LIST = bytes(32)
"""prev_hash of the first list."""


class _StoredPin(Stored, frozen=True, gc=False):
    account: bytes
    account_key: bytes
    seq: int
    list_hash: bytes
    signed_at_ms: int
    devices: tuple[tuple[int, bytes, bytes, tuple[int, ...]], ...]
    used_numbers: tuple[int, ...]
    recent: tuple[bytes, ...]


class ListComparison(Enum):
    """What the list hashes in a message say about what both sides see."""

    AGREE = "agree"
    """Both sides see the same lists."""
    SENDER_LIST_UNKNOWN = "sender_list_unknown"
    """The sender has a list that we don't know: fetch; if it stays, a split view."""
    OWN_LIST_UNKNOWN = "own_list_unknown"
    """The sender was shown a list as ours that we never signed: a split view."""


@final
@dataclass(frozen=True, slots=True)
class ListPin:
    """A verified device list and what must stay true of its successors.

    Attributes:
        account: Account id, 16 bytes.
        account_key: The pinned Ed25519 public key.
        seq: Number of the newest accepted list, from 1.
        list_hash: `device_list_hash` of it, 32 bytes.
        signed_at_ms: When it was signed, the signer's time.
        devices: Its devices, by rising number.
        used_numbers: Every device number ever seen; none comes back.
        recent: 8-byte hashes of earlier lists, newest first.
    """

    account: bytes
    account_key: bytes
    seq: int
    list_hash: bytes
    signed_at_ms: int
    devices: tuple[PeerDevice, ...]
    used_numbers: frozenset[int]
    recent: tuple[bytes, ...] = ()

    @property
    def hash_prefix(self) -> bytes:
        """The 8 bytes that go into messages."""
        return self.list_hash[: suite1.LIST_HASH_PREFIX_BYTES]

    def device(self, number: int) -> PeerDevice | None:
        """Give the device with this number, if the list has it."""
        for device in self.devices:
            if device.number == number:
                return device
        return None

    def is_old(self, now_ms: int) -> bool:
        """Say whether the list should have been re-signed long ago (30 days)."""
        return now_ms - self.signed_at_ms > suite1.LIST_WARNING_MS

    def knows(self, hash_prefix: bytes) -> bool:
        """Say whether this is the newest list or a recent one."""
        return hash_prefix == self.hash_prefix or hash_prefix in self.recent

    def dump(self) -> bytes:
        """Write it for the store."""
        devices = tuple(
            (item.number, item.signing_key, item.agreement_key, item.suites)
            for item in self.devices
        )
        return pack_state(
            _StoredPin(
                STATE_VERSION,
                self.account,
                self.account_key,
                self.seq,
                self.list_hash,
                self.signed_at_ms,
                devices,
                tuple(sorted(self.used_numbers)),
                self.recent,
            )
        )

    @classmethod
    def load(cls, data: bytes) -> "ListPin":
        """Read what `dump` wrote; raises `StateDamaged`."""
        stored = unpack_state("list pin", data, _StoredPin)
        devices = tuple(
            PeerDevice(stored.account, stored.account_key, *row)
            for row in stored.devices
        )
        return cls(
            account=stored.account,
            account_key=stored.account_key,
            seq=stored.seq,
            list_hash=stored.list_hash,
            signed_at_ms=stored.signed_at_ms,
            devices=devices,
            used_numbers=frozenset(stored.used_numbers),
            recent=stored.recent,
        )


def list_device(device: LocalDevice) -> ListedDevice:
    """Make this device's entry: its keys and its statement of membership."""
    transcript = suite1.device_membership_transcript(
        device.account,
        device.account_key,
        device.number,
        device.keys.signing_public,
        device.keys.agreement_public,
    )
    return ListedDevice(
        device=device.number,
        signing_key=device.keys.signing_public,
        agreement_key=device.keys.agreement_public,
        suites=(suite1.SUITE,),
        membership=device.keys.sign(transcript),
    )


def sign_first_list(
    account_key: AccountKey,
    account: bytes,
    devices: Iterable[ListedDevice],
    *,
    now_ms: int,
) -> SignedList:
    """Make list 1 of an account."""
    return _sign(account_key, account, 1, _NO_LIST, devices, now_ms)


def sign_next_list(
    account_key: AccountKey,
    pin: ListPin,
    devices: Iterable[ListedDevice],
    *,
    now_ms: int,
) -> SignedList:
    """Make the list that follows one's own newest; also to re-sign it (7 days)."""
    # A clock that went back must not make a list that peers refuse.
    signed_at_ms = max(now_ms, pin.signed_at_ms)
    return _sign(
        account_key, pin.account, pin.seq + 1, pin.list_hash, devices, signed_at_ms
    )


def _sign(
    account_key: AccountKey,
    account: bytes,
    seq: int,
    prev_hash: bytes,
    devices: Iterable[ListedDevice],
    signed_at_ms: int,
) -> SignedList:
    document = DeviceList(
        user=account,
        seq=seq,
        prev_hash=prev_hash,
        time=signed_at_ms,
        devices=tuple(sorted(devices, key=lambda item: item.device)),
    )
    blob = encode_struct(document)
    signature = account_key.sign(suite1.device_list_transcript(blob))
    return SignedList(blob=blob, signature=signature)


def accept_first_list(
    account: bytes, account_key: bytes, chain: Sequence[SignedList]
) -> ListPin:
    """Pin an account at first sight.

    Nobody vouches for the key but the server, until safety numbers are compared.

    Args:
        account: Account id that was asked for.
        account_key: Ed25519 public key that the server names.
        chain: Lists by rising number without a gap; the newest alone is enough.

    Returns:
        The pin of the last list.

    Raises:
        ListRefused: If any of them is wrong.
    """
    if not chain:
        raise ListRefused(ListRefusedReason.EMPTY)
    document = _open(account, account_key, chain[0])
    if document.seq == 1 and document.prev_hash != _NO_LIST:
        raise ListRefused(ListRefusedReason.BROKEN_CHAIN)
    devices = _devices(account, account_key, document)
    pin = ListPin(
        account=account,
        account_key=account_key,
        seq=document.seq,
        list_hash=suite1.device_list_hash(chain[0].blob),
        signed_at_ms=document.time,
        devices=devices,
        used_numbers=frozenset(device.number for device in devices),
    )
    return accept_list(pin, account_key, chain[1:])


def accept_list(
    pin: ListPin, account_key: bytes, chain: Sequence[SignedList]
) -> ListPin:
    """Move a pin on to newer lists.

    Args:
        pin: What is accepted so far.
        account_key: Ed25519 public key that came with the lists.
        chain: Lists by rising number; the pinned one may be among them again.
            Empty: nothing new.

    Returns:
        The pin of the last list.

    Raises:
        ListRefused: `BROKEN_CHAIN` asks to fetch the lists after `pin.seq`;
            every other reason says that someone cheats. The pin stays.
    """
    if account_key != pin.account_key:
        raise ListRefused(ListRefusedReason.WRONG_KEY)
    for signed in chain:
        pin = _follow(pin, signed)
    return pin


def _follow(pin: ListPin, signed: SignedList) -> ListPin:
    document = _open(pin.account, pin.account_key, signed)
    list_hash = suite1.device_list_hash(signed.blob)
    if document.seq == pin.seq and list_hash == pin.list_hash:
        return pin
    if document.seq < pin.seq:
        raise ListRefused(ListRefusedReason.LOWER)
    if document.seq > pin.seq + 1:
        raise ListRefused(ListRefusedReason.BROKEN_CHAIN)
    if document.seq == pin.seq or document.prev_hash != pin.list_hash:
        raise ListRefused(ListRefusedReason.FORKED)
    if document.time < pin.signed_at_ms:
        raise ListRefused(ListRefusedReason.TIME)
    devices = _devices(pin.account, pin.account_key, document)
    for device in devices:
        before = pin.device(device.number)
        is_same = before is not None and (
            (before.signing_key, before.agreement_key)
            == (device.signing_key, device.agreement_key)
        )
        if device.number in pin.used_numbers and not is_same:
            raise ListRefused(ListRefusedReason.REUSED_NUMBER)
    numbers = frozenset(device.number for device in devices)
    return replace(
        pin,
        seq=document.seq,
        list_hash=list_hash,
        signed_at_ms=document.time,
        devices=devices,
        used_numbers=pin.used_numbers | numbers,
        recent=(pin.hash_prefix, *pin.recent)[:RECENT_LISTS],
    )


def _open(account: bytes, account_key: bytes, signed: SignedList) -> DeviceList:
    transcript = suite1.device_list_transcript(signed.blob)
    try:
        check_signature(account_key, signed.signature, transcript)
    except NotSigned as error:
        raise ListRefused(ListRefusedReason.SIGNATURE) from error
    try:
        document = decode_struct(DeviceList, signed.blob)
    except DecodeError as error:
        raise ListRefused(ListRefusedReason.MALFORMED) from error
    if document.user != account:
        raise ListRefused(ListRefusedReason.WRONG_ACCOUNT)
    return document


def _devices(
    account: bytes, account_key: bytes, document: DeviceList
) -> tuple[PeerDevice, ...]:
    numbers = [item.device for item in document.devices]
    assert numbers == sorted(set(numbers)), "the codec refuses disorder"
    for item in document.devices:
        transcript = suite1.device_membership_transcript(
            account, account_key, item.device, item.signing_key, item.agreement_key
        )
        try:
            check_signature(item.signing_key, item.membership, transcript)
        except NotSigned as error:
            raise ListRefused(ListRefusedReason.MEMBERSHIP) from error
    return tuple(
        PeerDevice(
            account=account,
            account_key=account_key,
            number=item.device,
            signing_key=item.signing_key,
            agreement_key=item.agreement_key,
            suites=item.suites,
        )
        for item in document.devices
    )


def compare_lists(
    sender_hash: bytes, own_hash: bytes, sender: ListPin, own: ListPin
) -> ListComparison:
    """Judge the two list hashes of a message.

    Args:
        sender_hash: `own_list_hash` of its head: the sender's own list.
        own_hash: `peer_list_hash` of its head: what the sender holds for ours.
        sender: Our pin of the sender.
        own: Our own newest list.
    """
    if not own.knows(own_hash):
        return ListComparison.OWN_LIST_UNKNOWN
    if not sender.knows(sender_hash):
        return ListComparison.SENDER_LIST_UNKNOWN
    return ListComparison.AGREE
