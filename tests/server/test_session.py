"""What an engine tells a session, and what a session makes of every answer."""

import json
from dataclasses import replace
from os import urandom

import msgspec
import pytest
from tests.server._gated import NO_ID, Bench
from tests.server._peer import message_id

from wigwag.server import Limits
from wigwag.server.core import (
    Answer,
    DevicesStale,
    Dropped,
    Entries,
    Failed,
    Gap,
    Refusal,
    Refused,
    RolledBack,
    Send,
    Status,
)
from wigwag.server.core import DeviceRef as CoreDeviceRef
from wigwag.wire import (
    Ack,
    ConnectionClosed,
    DeviceRef,
    Envelope,
    ErrorCode,
    MessageClass,
    MessageType,
    Outcome,
    PeerError,
    PeerGoingAway,
    PrekeysCount,
    PrekeysLow,
    Receipt,
    ReceiptsGet,
    Received,
    Reject,
    UsernameOf,
    frame,
)
from wigwag.wire import DevicesStale as StaleMessage
from wigwag.wire import Error as ErrorMessage
from wigwag.wire import Gap as GapMessage
from wigwag.wire import Refused as RefusedMessage
from wigwag.wire import Send as SendMessage

BENCH = Limits.for_profile("bench")


def signed_in(limits: Limits | None = None) -> Bench:
    """A bench with a device that has signed in."""
    bench = Bench(limits=limits)
    bench.sign_in()
    return bench


def received(bench: Bench) -> list[object]:
    """The messages that the client got."""
    return [event.message for event in bench.events if isinstance(event, Received)]


def ended_with(bench: Bench) -> set[int]:
    """The codes that the connection ended with."""
    return {
        event.code
        for event in bench.events
        if isinstance(event, PeerGoingAway | PeerError)
    }


def send_message() -> SendMessage:
    """A SEND to somebody."""
    return SendMessage(
        chat=urandom(16),
        client_msg_id=message_id(),
        attempt=1,
        after=NO_ID,
        class_=MessageClass.MESSAGE,
        users=(b"u" * 16,),
        envelopes=(
            Envelope(user=b"u" * 16, device=1, registration_id=1, ciphertext=b"c"),
        ),
    )


def answer_next(bench: Bench, answer: Answer) -> None:
    """Give the oldest waiting request this answer."""
    _, told = bench.engine.waiting.popleft()
    told(answer)
    bench.hub.flush()


def device(bench: Bench) -> bytes:
    """The signed-in device."""
    return bench.account.user + bytes((bench.account.number,))


def test_hints_reach_the_device_that_they_are_for() -> None:
    """And nobody else: an unknown device is simply not there."""
    bench = signed_in()
    for who in (device(bench), b"x" * 17):
        bench.hub.gap(who, Gap(1, 5, 3))
        bench.hub.prekeys_low(who, 3, 4)
    bench.hub.flush()
    assert received(bench) == [
        GapMessage(first=1, last=5, reason=3),
        PrekeysLow(ec_left=3, kem_left=4),
    ]


def test_marks_are_gathered_and_the_newest_is_sent() -> None:
    """A chat of a thousand must not be a thousand RECEIPTs (R-RECEIPT-001)."""
    bench = signed_in()
    for mark in (1, 2, 3):
        bench.hub.receipt(bench.account.user, b"c" * 16, b"u" * 16, mark)
    bench.hub.receipt(b"x" * 16, b"c" * 16, b"u" * 16, 9)
    bench.hub.flush()
    assert received(bench) == []
    bench.hub.send_hints(bench.now + 0.2)
    assert received(bench) == []
    bench.hub.send_hints(bench.now + 0.25)
    (receipt,) = received(bench)
    assert isinstance(receipt, Receipt)
    assert receipt.mark.mark == 3


def test_marks_of_one_moment_are_bounded() -> None:
    """What is beyond is asked for."""
    bench = signed_in()
    for number in range(2_000):
        chat = (number + 1).to_bytes(16)
        bench.hub.receipt(bench.account.user, chat, b"u" * 16, 1)
    bench.hub.send_hints(bench.now + 1)
    assert len(received(bench)) == 1_024


def test_a_revoked_device_is_out_at_once() -> None:
    """Within five seconds is the promise; the next flush is the fact (I14)."""
    bench = signed_in()
    bench.hub.revoked(b"x" * 17)
    bench.hub.revoked(device(bench))
    bench.hub.flush()
    assert bench.session.closed
    assert ErrorCode.DEVICE_REMOVED in ended_with(bench)


def test_a_connection_that_was_overtaken_elsewhere_ends() -> None:
    """Only a lower generation is over."""
    bench = signed_in()
    bench.hub.displaced(device(bench), bench.account.generation)
    assert not bench.session.closed
    bench.hub.displaced(device(bench), bench.account.generation + 1)
    bench.hub.flush()
    assert ended_with(bench) == {ErrorCode.REPLACED}


def test_a_sign_in_that_waits_is_not_ended_by_the_one_before_it() -> None:
    """The older connection's sign-in may be committed first, on a slow disk.

    The simulation found it: the newer connection had no generation yet, so it counted
    as overtaken and its client was told REPLACED.
    """
    bench = signed_in()
    own = bench.session.identity
    assert own is not None
    newer, _ = bench.connect()
    bench.hub.claim(replace(own, generation=own.generation + 1), newer)
    bench.hub.displaced(device(bench), own.generation)
    assert not newer.closed
    bench.hub.displaced(device(bench), own.generation + 2)
    assert newer.closed


def test_alarms_are_counted_and_logged_without_names() -> None:
    """The operator must hear of them; whose they are stays here."""
    bench = signed_in()
    bench.hub.restore_proven(device(bench), 7)
    bench.hub.entry_corrupt(device(bench), 7)
    bench.hub.fold_failed("Send", ValueError("quotes a secret"))
    bench.hub.space_low(True)
    counts = bench.hub.counts
    assert counts.is_space_low
    bench.hub.space_low(False)
    assert not counts.is_space_low
    assert (counts.restores_proven, counts.entries_corrupt, counts.failures) == (
        1,
        1,
        1,
    )
    log = bench.log.getvalue()
    events = {json.loads(line)["event"] for line in log.splitlines()}
    assert events >= {
        "restore_proven",
        "entry_corrupt",
        "fold_failed",
        "disk_full",
        "disk_has_space",
    }
    assert "secret" not in log
    assert bench.account.user.hex() not in log


def test_commits_are_counted_by_their_time() -> None:
    """A disk that gets slow shows before it hurts."""
    bench = Bench()
    bench.hub.committed(3, 1, 0.0004)
    bench.hub.committed(2, 1, 60.0)
    counts = bench.hub.counts
    assert (counts.groups, counts.group_records) == (2, 5)
    assert counts.commit_buckets[0] == 1
    assert counts.commit_buckets[-1] == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            Refused(b"i" * 16, 1, Refusal.OUT_OF_ORDER, last_id=b"l" * 16),
            {"code": ErrorCode.OUT_OF_ORDER, "last_id": b"l" * 16},
        ),
        (
            Refused(b"i" * 16, 1, Refusal.CONFLICT, chat_seq=7),
            {"code": ErrorCode.CONFLICT, "chat_seq": 7},
        ),
        (
            Refused(b"i" * 16, 1, Refusal.RATE_LIMITED, retry_after_ms=50),
            {"code": ErrorCode.RATE_LIMITED, "retry_after_ms": 50},
        ),
        (
            Refused(
                b"i" * 16,
                1,
                Refusal.DEVICES_STALE,
                devices=DevicesStale(
                    (CoreDeviceRef(b"u" * 16, 2, 9),), (), (), more=True
                ),
            ),
            {
                "code": ErrorCode.DEVICES_STALE,
                "devices": StaleMessage(
                    missing=(DeviceRef(user=b"u" * 16, device=2, registration_id=9),),
                    extra=(),
                    stale=(),
                    more=True,
                ),
            },
        ),
    ],
)
def test_a_refused_send_is_told_all_that_a_retry_needs(
    answer: Refused, expected: dict[str, object]
) -> None:
    """The last id, the devices, the wait, the first position."""
    bench = signed_in()
    bench.client.send(send_message())
    bench.carry()
    answer_next(bench, answer)
    (refused,) = received(bench)
    assert isinstance(refused, RefusedMessage)
    assert refused.outcome is Outcome.NONE
    for name, value in expected.items():
        assert getattr(refused, name) == value


def test_what_an_overtaken_connection_asked_is_not_answered() -> None:
    """There is nobody to tell."""
    bench = signed_in()
    bench.client.send(send_message())
    bench.client.send(PrekeysCount())
    bench.carry()
    answer_next(bench, Dropped())
    answer_next(bench, Dropped())
    assert received(bench) == []
    assert bench.hub.memory.held_bytes == 0


def test_an_engine_that_cannot_now_says_so_to_each() -> None:
    """Outcome none: the client may try again at once elsewhere."""
    bench = signed_in()
    for message in (
        send_message(),
        PrekeysCount(),
        ReceiptsGet(chats=(b"c" * 16,)),
        UsernameOf(user=b"u" * 16),
    ):
        bench.client.send(message)
    bench.carry()
    for _ in range(4):
        answer_next(bench, Failed(Refusal.UNAVAILABLE))
    codes = [getattr(message, "code", None) for message in received(bench)]
    assert codes == [ErrorCode.UNAVAILABLE] * 4
    assert all(isinstance(message, ErrorMessage) for message in received(bench))


def test_an_answer_that_fits_no_request_is_our_fault() -> None:
    """It ends that session under an error id, and nobody else's."""
    bench = signed_in()
    bench.client.send(PrekeysCount())
    bench.carry()
    answer_next(bench, Entries((), (), 0))
    assert bench.session.closed
    assert bench.hub.counts.failures == 1


def test_an_ack_that_is_not_taken_now_is_not_a_breach() -> None:
    """The next sign-in says it again."""
    bench = signed_in()
    bench.client.send(Ack(position=1))
    bench.carry()
    answer_next(bench, Failed(Refusal.UNAVAILABLE))
    bench.client.send(Ack(position=2))
    bench.carry()
    answer_next(bench, Dropped())
    assert not bench.session.closed


def test_a_full_disk_marks_sends_and_lets_the_log_decide() -> None:
    """A known id still gets its stored answer."""
    bench = signed_in()
    bench.engine.is_space_low = True
    bench.client.send(send_message())
    bench.carry()
    request, _ = bench.engine.waiting[0]
    assert isinstance(request, Send)
    assert request.marked is Refusal.UNAVAILABLE
    assert request.retry_after_ms > 0


def test_a_late_answer_is_counted_against_the_promise() -> None:
    """Five seconds, for all but one in ten thousand."""
    bench = signed_in()
    bench.client.send(send_message())
    bench.client.send(send_message())
    bench.carry()
    bench.engine.release(1)
    bench.now += 6
    bench.engine.release(1)
    counts = bench.hub.counts
    assert (counts.sends, counts.sequenced, counts.sequenced_late) == (2, 2, 1)


def test_a_client_that_says_goaway_gets_its_answers() -> None:
    """Then the connection ends."""
    bench = signed_in()
    bench.client.send(send_message())
    bench.client.drain(ErrorCode.GOING_AWAY, now=bench.now)
    bench.carry()
    assert not bench.session.closed
    bench.engine.release(1)
    bench.hub.flush()
    assert bench.session.closed
    assert len(received(bench)) == 1


def test_entries_that_nobody_acknowledges_end_a_drain_in_time() -> None:
    """A moment for acknowledgements under way, not for ever."""
    bench = signed_in()
    bench.session.drain(0.0)
    bench.hub.flush()
    assert bench.session.closed  # nothing was unacknowledged
    fresh = Bench()
    fresh.session.drain(0.0)
    fresh.hub.flush()
    assert fresh.session.closed
    fresh.session.drain(0.0)
    closing = [e for e in fresh.events if isinstance(e, ConnectionClosed)]
    assert not closing  # before a HELLO not a word is said


def test_silence_before_sign_in_ends_with_a_word() -> None:
    """Whoever has said HELLO is told why."""
    bench = Bench()
    bench.client.send_hello(urandom(32))
    bench.carry()
    bench.now += 11
    bench.session.tick(bench.now)
    bench.hub.flush()
    assert bench.session.closed
    assert ErrorCode.HANDSHAKE_TIMEOUT in ended_with(bench)
    assert bench.hub.counts.protocol_errors["HANDSHAKE_TIMEOUT"] == 1
    assert bench.session.next_deadline() is None
    bench.session.tick(bench.now)
    bench.session.receive(b"late", bench.now)


def test_a_session_that_ended_leaves_nothing_behind() -> None:
    """Neither a device's place, nor a watcher, nor what it held."""
    bench = signed_in()
    bench.client.send(send_message())
    bench.carry()
    bench.session.ended()
    assert bench.hub.sessions() == []
    assert not bench.hub.holds(device(bench), bench.session)
    assert not bench.engine.watchers
    bench.engine.release(1)
    assert bench.hub.memory.held_bytes == 0
    assert bench.hub.counts.signed_in == 0


def test_an_undecodable_request_is_refused_and_counted() -> None:
    """One bad request is no reason to end a connection (R-ERR-002)."""
    bench = signed_in()
    not_utf8 = b"\x05\xff\xfe\xfd\xfc\xfb\x00"
    request = frame(MessageType.USERNAME_RESOLVE, not_utf8, corr=99)
    bench.session.transport = None  # the client didn't ask and would be surprised
    bench.session.receive(request, bench.now)
    assert bench.session.outgoing() != b""
    assert not bench.session.closed
    assert bench.hub.counts.refusals["INVALID_TEXT"] == 1


def test_a_malformed_body_is_explained_without_what_it_held() -> None:
    """Where and what was expected helps; names and ids are nobody's business."""
    bench = signed_in()
    bench.session.transport = None
    truncated = b"\x00" * 5
    request = frame(MessageType.USERNAME_OF, truncated, corr=99)
    bench.session.receive(request, bench.now)
    assert bench.session.closed
    (line,) = [
        line for line in bench.log.getvalue().splitlines() if "protocol_error" in line
    ]
    event = json.loads(line)
    assert event["code"] == "MALFORMED"
    assert event["explanation"].startswith("USERNAME_OF user at 0: expected")
    assert "found" not in event["explanation"]


@pytest.mark.parametrize(
    ("is_draining", "depth", "code"),
    [(True, 0, ErrorCode.GOING_AWAY), (False, 3, ErrorCode.OVERLOADED)],
)
def test_newcomers_are_sent_away_when_there_is_no_time_for_them(
    is_draining: bool, depth: int, code: ErrorCode
) -> None:
    """REJECT with a time to come back, before any signature is verified."""
    limits = msgspec.structs.replace(Limits.for_profile("bench"), engine_depth_max=2)
    bench = Bench(limits=limits)
    bench.hub.is_draining = is_draining
    for _ in range(depth):
        bench.engine.append(Status(), lambda _: None)
    bench.client.send_hello(urandom(32))
    bench.carry()
    (reject,) = received(bench)
    assert isinstance(reject, Reject)
    assert reject.code == code
    assert reject.retry_after_ms >= 1_000
    assert bench.session.closed


def test_a_user_has_so_many_connections() -> None:
    """Each device one, and no more devices than the bound."""
    limits = msgspec.structs.replace(BENCH, connections_per_user_max=1)
    bench = signed_in(limits)
    own = bench.session.identity
    assert own is not None
    second = replace(own, device=own.user + b"\x02", number=2)
    stranger = replace(own, user=b"x" * 16, device=b"x" * 16 + b"\x02")
    assert bench.hub.may_claim(own, 1)
    assert not bench.hub.may_claim(second, 1)
    assert bench.hub.may_claim(second, 2)
    assert bench.hub.may_claim(stranger, 1)
    crowded = Bench(limits=limits)
    other, _ = crowded.connect()
    user = crowded.account.user
    crowded.hub.claim(replace(second, user=user, device=user + b"\x02"), other)
    crowded.sign_in_keeping_events()
    (error,) = [m for m in received(crowded) if isinstance(m, ErrorMessage)]
    assert error.code == ErrorCode.RATE_LIMITED
    assert not other.closed


def test_a_refused_sign_in_gives_the_device_back() -> None:
    """Else its place would be kept for a connection that never had it."""
    bench = Bench()
    bench.engine.connects_with = RolledBack()
    bench.sign_in_keeping_events()
    (error,) = [m for m in received(bench) if isinstance(m, ErrorMessage)]
    assert error.code == ErrorCode.STORE_ROLLED_BACK
    assert bench.session.claimed is None
    assert not bench.hub.holds(device(bench), bench.session)
    assert not bench.session.closed
