"""Every message that a client may send, and what bounds how often.

What a bucket doesn't bound, a signed-in device can ask without end, as fast as the
server answers. A new message fails here until its line names its bound.
"""

from dataclasses import dataclass
from os import urandom

import msgspec
import pytest
from tests.server._gated import Bench
from tests.server.limits.test_table import named_in

from wigwag.server import Limits
from wigwag.server.core import Refusal
from wigwag.server.core import Send as SendRequest
from wigwag.wire import (
    INFO_BY_RECORD,
    DeviceListGet,
    DeviceListPublish,
    ErrorCode,
    Message,
    MessageClass,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ReceiptsGet,
    Received,
    Send,
    SignedList,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
)
from wigwag.wire import Error as ErrorMessage

HERE = "tests/server/limits"
BURST = 3
# Slow enough that no token comes back while a test runs.
PER_SECOND = 0.001


@dataclass(frozen=True)
class Bucket:
    """A device's bucket.

    Attributes:
        bound: The setting of its burst.
        example: What a signed-in client sends.
    """

    bound: str
    example: Message


BY_DEVICE = {
    "SEND": Bucket(
        "send_burst",
        Send(
            chat=b"c" * 16,
            client_msg_id=urandom(16),
            attempt=1,
            after=bytes(16),
            class_=MessageClass.MESSAGE,
            users=(b"u" * 16,),
            envelopes=(),
        ),
    ),
    "PREKEYS_UPLOAD": Bucket("keys_burst", PrekeysUpload(one_time=(), kem=())),
    "PREKEYS_COUNT": Bucket("keys_burst", PrekeysCount()),
    "DEVICE_LIST_PUBLISH": Bucket(
        "keys_burst", DeviceListPublish(list=SignedList(bytes(64), bytes(64)))
    ),
    "PREKEYS_CLAIM": Bucket("directory_burst", PrekeysClaim(user=b"u" * 16)),
    "DEVICE_LIST_GET": Bucket(
        "directory_burst", DeviceListGet(user=b"u" * 16, above=0)
    ),
    "USERNAME_CLAIM": Bucket("directory_burst", UsernameClaim(name="alice")),
    "USERNAME_RESOLVE": Bucket("directory_burst", UsernameResolve(name="alice")),
    "USERNAME_OF": Bucket("directory_burst", UsernameOf(user=b"u" * 16)),
    "RECEIPTS_GET": Bucket("receipts_burst", ReceiptsGet(chats=(b"c" * 16,))),
}
"""By message: what the device itself is held to, whatever it is answered."""

OTHERWISE = {
    # One a connection, and connections are bounded by address.
    "HELLO": f"{HERE}/test_admission.py::test_handshakes_burst_per_address",
    # One that is right a connection; one that is wrong is counted by address.
    "AUTH": f"{HERE}/test_rates.py::test_auth_failures_per_hour_per_address",
    # One that is right ends the account, one that is wrong is counted like AUTH's.
    "DELETE_ACCOUNT": f"{HERE}/test_rates.py::test_auth_failures_per_hour_per_address",
    # As AUTH, and one that is right takes a token of the device's keys.
    "RE_REGISTER": (
        "tests/server/test_directory.py::test_directory_requests_are_bounded_by_device"
    ),
    # By address: there is no device yet.
    "REGISTER": f"{HERE}/test_rates.py::test_a_burst_and_not_one_more",
    # Frames of these kinds are bounded by the codec, which ends the connection.
    "ACK": f"{HERE}/test_budget.py::test_ack_per_second_max",
    "PING": f"{HERE}/test_budget.py::test_control_burst",
}
"""By message: the test of what bounds it, where that is no bucket of the device."""


def test_every_request_has_its_bound() -> None:
    """A message that is in neither table is under no bound that anybody wrote down."""
    sent_by_clients = {
        info.name
        for info in INFO_BY_RECORD.values()
        if info.direction != "server" and info.kind in ("request", "oneway")
    }
    assert sent_by_clients == {*BY_DEVICE, *OTHERWISE}


@pytest.mark.parametrize("name", OTHERWISE)
def test_the_other_bounds_are_tested(name: str) -> None:
    """A line that names no test is idle talk."""
    path, _, test = OTHERWISE[name].partition("::")
    _, names = named_in(path)
    assert test in names


@pytest.mark.parametrize("name", BY_DEVICE)
def test_a_signed_in_device_is_told_to_wait(name: str) -> None:
    """A pipeline of each kind of request, longer than its burst, is refused beyond it.

    Its own bucket alone is small, so that the line in the table can't name another.
    """
    bucket = BY_DEVICE[name]
    bounds = {
        bucket.bound: BURST,
        bucket.bound.replace("burst", "per_second"): PER_SECOND,
    }
    bench = Bench(limits=msgspec.structs.replace(Limits(), **bounds))
    bench.sign_in()
    for _ in range(BURST + 2):
        bench.client.send(bucket.example)
        bench.carry()
    assert refused_codes(bench)[-2:] == ["RATE_LIMITED"] * 2
    assert refused_codes(bench).count("RATE_LIMITED") == 2


@pytest.mark.parametrize("name", [name for name in BY_DEVICE if name != "SEND"])
def test_the_specification_says_that_it_may_be_refused(name: str) -> None:
    """A client's author must know that RATE_LIMITED is an answer to it."""
    info = INFO_BY_RECORD[type(BY_DEVICE[name].example)]
    assert ErrorCode.RATE_LIMITED in info.errors


def refused_codes(bench: Bench) -> list[str]:
    """Return what was refused, by code: at once, or by a mark that goes to the log."""
    told = [
        ErrorCode(event.message.code).name
        for event in bench.events
        if isinstance(event, Received) and isinstance(event.message, ErrorMessage)
    ]
    marked = [
        request.marked.value
        for request, _ in bench.engine.waiting
        if isinstance(request, SendRequest) and isinstance(request.marked, Refusal)
    ]
    return told + marked
