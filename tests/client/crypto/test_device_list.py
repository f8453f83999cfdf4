"""Device lists: what a server, a stranger or a thief of one device may try."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.client.crypto.people import NOW_MS, Person, SeededEntropy

from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    ListComparison,
    ListPin,
    ListRefused,
    ListRefusedReason,
    LocalDevice,
    StateDamaged,
    accept_first_list,
    accept_list,
    compare_lists,
    list_device,
    sign_first_list,
    sign_next_list,
)
from wigwag.wire import (
    DeviceList,
    ListedDevice,
    SignedList,
    decode_struct,
    encode_struct,
    suite1,
)


class Account:
    """An account whose key is at hand, with as many devices as a test wants."""

    def __init__(self, name: str = "owner") -> None:
        self.entropy = SeededEntropy(name)
        self.key = AccountKey.generate(self.entropy)
        self.account = self.entropy.token(16)

    def device(self, number: int) -> LocalDevice:
        """Make a device of the account."""
        keys = DeviceKeys.generate(self.entropy)
        return LocalDevice(self.account, self.key.public, number, 1, keys)

    def first(self, *devices: LocalDevice) -> SignedList:
        """Sign list 1."""
        entries = [list_device(device) for device in devices]
        return sign_first_list(self.key, self.account, entries, now_ms=NOW_MS)

    def next(self, pin: ListPin, *devices: LocalDevice) -> SignedList:
        """Sign the list after a pinned one."""
        entries = [list_device(device) for device in devices]
        return sign_next_list(self.key, pin, entries, now_ms=NOW_MS + pin.seq)

    def pin(self, *lists: SignedList) -> ListPin:
        """Accept lists at first sight."""
        return accept_first_list(self.account, self.key.public, lists)

    def forge(self, signed: SignedList, **changes: Any) -> SignedList:  # noqa: ANN401
        """Change a list and sign it with the true key: a thief of the account key."""
        document = decode_struct(DeviceList, signed.blob)
        blob = encode_struct(msgspec.structs.replace(document, **changes))
        return self.sign(blob)

    def sign(self, blob: bytes) -> SignedList:
        """Sign any bytes as a list."""
        signature = self.key.sign(suite1.device_list_transcript(blob))
        return SignedList(blob=blob, signature=signature)


def refusal(accept: Callable[[], ListPin]) -> ListRefusedReason:
    """Returns why a list is refused."""
    with pytest.raises(ListRefused) as caught:
        accept()
    return caught.value.reason


def follow(pin: ListPin, chain: Sequence[SignedList]) -> ListPin:
    """Accept with the pinned key."""
    return accept_list(pin, pin.account_key, chain)


def test_list_of_many_devices_is_pinned_and_followed() -> None:
    """Eight devices come and go; numbers stay who they were."""
    owner = Account()
    devices = [owner.device(number) for number in range(1, 9)]
    pin = owner.pin(owner.first(*reversed(devices)))
    assert [device.number for device in pin.devices] == list(range(1, 9))
    assert pin.device(3) is pin.devices[2]
    assert pin.device(9) is None
    pin = follow(pin, [owner.next(pin, *devices[1:])])
    assert (pin.seq, pin.device(1)) == (2, None)
    newest = owner.next(pin, *devices[1:], owner.device(9))
    pin = follow(pin, [newest, newest])
    assert pin.seq == 3
    assert pin.device(9) is not None
    assert follow(pin, []) == pin


def test_pin_reads_back_exactly() -> None:
    """A pin that lost its used numbers would let one come back."""
    owner = Account()
    pin = owner.pin(owner.first(owner.device(1), owner.device(2)))
    pin = follow(pin, [owner.next(pin, owner.device(3))])
    assert ListPin.load(pin.dump()) == pin
    assert pin.used_numbers == {1, 2, 3}
    for damaged in (b"", pin.dump()[:-1], pin.dump() + b"\x00"):
        with pytest.raises(StateDamaged):
            ListPin.load(damaged)


def test_list_of_a_stranger_is_refused() -> None:
    """Only the account key counts, whatever the server says."""
    owner, thief = Account(), Account("thief")
    first = owner.first(owner.device(1))
    pin = owner.pin(first)
    forged = thief.sign(owner.next(pin, owner.device(1)).blob)
    assert refusal(lambda: follow(pin, [forged])) is ListRefusedReason.SIGNATURE
    flipped = SignedList(first.blob, bytes(64))
    assert refusal(lambda: owner.pin(flipped)) is ListRefusedReason.SIGNATURE
    no_key = first.signature[:63]
    short = SignedList(first.blob, no_key)
    assert refusal(lambda: owner.pin(short)) is ListRefusedReason.SIGNATURE


def test_swapped_account_key_is_refused_even_with_valid_lists() -> None:
    """The server names the key at each fetch; after the first only the pin counts."""
    owner, thief = Account(), Account("thief")
    pin = owner.pin(owner.first(owner.device(1)))
    thief.account = owner.account
    chain = [thief.first(thief.device(1))]
    reason = refusal(lambda: accept_list(pin, thief.key.public, chain))
    assert reason is ListRefusedReason.WRONG_KEY


def test_list_of_another_account_of_the_same_key_is_refused() -> None:
    """A key that serves two accounts must not mix them."""
    owner = Account()
    pin = owner.pin(owner.first(owner.device(1)))
    other = owner.forge(owner.next(pin, owner.device(1)), user=bytes(range(16)))
    assert refusal(lambda: follow(pin, [other])) is ListRefusedReason.WRONG_ACCOUNT


def test_rolled_back_list_is_refused() -> None:
    """An old list still names the stolen device."""
    owner = Account()
    stolen, kept = owner.device(1), owner.device(2)
    first = owner.first(stolen, kept)
    pin = owner.pin(first)
    pin = follow(pin, [owner.next(pin, kept)])
    assert refusal(lambda: follow(pin, [first])) is ListRefusedReason.LOWER


def test_second_list_of_the_same_number_is_refused() -> None:
    """Two lists of one number are a split view by whoever holds the key."""
    owner = Account()
    device = owner.device(1)
    pin = owner.pin(owner.first(device))
    one = owner.next(pin, device)
    other = owner.next(pin, device, owner.device(2))
    ahead = follow(pin, [one])
    assert refusal(lambda: follow(ahead, [other])) is ListRefusedReason.FORKED
    child = owner.next(follow(pin, [other]), device)
    assert refusal(lambda: follow(ahead, [child])) is ListRefusedReason.FORKED


def test_jump_asks_for_what_it_skips() -> None:
    """A chain with a hole proves nothing about what happened in it."""
    owner = Account()
    device = owner.device(1)
    pin = owner.pin(owner.first(device))
    second = owner.next(pin, device)
    third = owner.next(follow(pin, [second]), device)
    assert refusal(lambda: follow(pin, [third])) is ListRefusedReason.BROKEN_CHAIN
    assert follow(pin, [second, third]).seq == 3


def test_first_list_begins_the_chain() -> None:
    """List 1 follows nothing; a first sight may begin later in the chain."""
    owner = Account()
    device = owner.device(1)
    first = owner.first(device)
    begun = owner.forge(first, prev_hash=b"\x01" * 32)
    assert refusal(lambda: owner.pin(begun)) is ListRefusedReason.BROKEN_CHAIN
    assert refusal(owner.pin) is ListRefusedReason.EMPTY
    second = owner.next(owner.pin(first), device)
    assert owner.pin(second) == replace(owner.pin(first, second), recent=())


def test_device_must_say_itself_that_it_belongs() -> None:
    """Else an account could list another's device as its own and read as it."""
    owner, victim = Account(), Account("victim")
    device = owner.device(1)
    pin = owner.pin(owner.first(device))
    foreign_entry = list_device(victim.device(2))
    swapped = msgspec.structs.replace(
        list_device(owner.device(2)), agreement_key=foreign_entry.agreement_key
    )
    for entry in (foreign_entry, swapped):
        entries = [list_device(device), entry]
        signed = sign_next_list(owner.key, pin, entries, now_ms=NOW_MS)
        assert refusal(lambda s=signed: follow(pin, [s])) is (  # type: ignore[misc]  # the default binds the loop's value
            ListRefusedReason.MEMBERSHIP
        )


@pytest.mark.parametrize("is_gone", [False, True])
def test_device_number_never_means_another_device(is_gone: bool) -> None:
    """Sessions, safety and dedupe all hang on the number."""
    owner = Account()
    one, two = owner.device(1), owner.device(2)
    pin = owner.pin(owner.first(one, two))
    if is_gone:
        pin = follow(pin, [owner.next(pin, one)])
    reused = owner.next(pin, one, owner.device(2))
    assert refusal(lambda: follow(pin, [reused])) is ListRefusedReason.REUSED_NUMBER
    if is_gone:
        back = owner.next(pin, one, two)
        assert refusal(lambda: follow(pin, [back])) is ListRefusedReason.REUSED_NUMBER


def test_list_signed_before_its_predecessor_is_refused() -> None:
    """Its time is how peers notice a list that is withheld."""
    owner = Account()
    device = owner.device(1)
    pin = owner.pin(owner.first(device))
    early = owner.forge(owner.next(pin, device), time=NOW_MS - 1)
    assert refusal(lambda: follow(pin, [early])) is ListRefusedReason.TIME


def test_clock_that_went_back_makes_no_list_that_peers_refuse() -> None:
    """The owner's own clock must not lock him out."""
    owner = Account()
    device = owner.device(1)
    pin = owner.pin(owner.first(device))
    signed = sign_next_list(owner.key, pin, [list_device(device)], now_ms=0)
    assert follow(pin, [signed]).signed_at_ms == NOW_MS


@pytest.mark.parametrize("blob", [b"", b"\x00", b"not a list"])
def test_signed_garbage_is_malformed(blob: bytes) -> None:
    """The account key may be in bad hands; the reader must stand it."""
    owner = Account()
    garbage = owner.sign(blob)
    assert refusal(lambda: owner.pin(garbage)) is ListRefusedReason.MALFORMED


def test_old_list_is_noticed() -> None:
    """A server that withholds lists is seen after 30 days."""
    owner = Account()
    pin = owner.pin(owner.first(owner.device(1)))
    assert not pin.is_old(NOW_MS + suite1.LIST_WARNING_MS)
    assert pin.is_old(NOW_MS + suite1.LIST_WARNING_MS + 1)


def test_split_view_shows_in_the_hashes() -> None:
    """Both hashes in each message; a recent list is no alarm, a strange one is."""
    alice, bob = Person("alice"), Person("bob")
    agree = compare_lists(
        alice.pin.hash_prefix, bob.pin.hash_prefix, alice.pin, bob.pin
    )
    assert agree is ListComparison.AGREE
    resigned = sign_next_list(
        alice.account_key, alice.pin, [list_device(alice.device)], now_ms=NOW_MS
    )
    newer = follow(alice.pin, [resigned])
    for hash_prefix in (alice.pin.hash_prefix, newer.hash_prefix):
        seen = compare_lists(hash_prefix, bob.pin.hash_prefix, newer, bob.pin)
        assert seen is ListComparison.AGREE
    unknown = compare_lists(newer.hash_prefix, bob.pin.hash_prefix, alice.pin, bob.pin)
    assert unknown is ListComparison.SENDER_LIST_UNKNOWN
    split = compare_lists(alice.pin.hash_prefix, bytes(8), alice.pin, bob.pin)
    assert split is ListComparison.OWN_LIST_UNKNOWN


def test_disordered_devices_are_refused_by_the_codec_or_here() -> None:
    """Two entries of one number would let each side pick another one."""
    owner = Account()
    entry = list_device(owner.device(1))
    document = DeviceList(
        user=owner.account,
        seq=1,
        prev_hash=bytes(32),
        time=NOW_MS,
        devices=(entry,),
    )
    one = encode_struct(document)
    size = len(encode_entry(entry))
    start = one.index(entry.signing_key) - 1
    doubled = one[: start - 1] + b"\x02" + one[start : start + size] * 2
    doubled += one[start + size :]
    signed = owner.sign(doubled)
    assert refusal(lambda: owner.pin(signed)) is ListRefusedReason.MALFORMED


def encode_entry(entry: ListedDevice) -> bytes:
    """Returns an entry's own bytes."""
    return encode_struct(entry)
