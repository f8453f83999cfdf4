"""The server's promises to honest ones beside others, and about what it gave away.

I14 authentication, I16 liveness, I19 isolation, I20 recovery, I21 tombstones, I24.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tests.simulation._facts import Facts
from tests.simulation._history import (
    RUDE,
    Fault,
    FrameCame,
    FrameLeft,
    Gone,
    History,
    Killed,
    Settled,
    Started,
    Stopped,
)
from tests.simulation._plan import LEAVING
from tests.simulation._violation import Violation, short

from wigwag.wire import (
    AccountDeleted,
    AuthOk,
    Error,
    ErrorCode,
    Goaway,
    Hello,
    Ping,
    Pong,
    Refused,
    Reject,
    Send,
    Sequenced,
    Welcome,
)

ANSWER_SECONDS: Final = 5.0
"""I16: until an honest client's SEND is answered."""

AFTERMATH_SECONDS: Final = 15.0
"""After a fault has ended: back-offs, keep-alives and queues wind down."""

EVERYBODYS: Final = frozenset({"server"})
"""Faults of these processes are everybody's excuse."""

BEFORE_SIGN_IN: Final = (Welcome, Reject, Error, Goaway, Ping, Pong)
"""All that a connection without a verified device is ever sent."""

OWN_BEFORE_SIGN_IN: Final = (*BEFORE_SIGN_IN, AccountDeleted)
"""DELETE_ACCOUNT is signed with the account's key."""

UNBLAMING: Final = frozenset(
    {
        ErrorCode.REPLACED,
        ErrorCode.GOING_AWAY,
        ErrorCode.OVERLOADED,
        ErrorCode.UNAVAILABLE,
        ErrorCode.HANDSHAKE_TIMEOUT,
        ErrorCode.PEER_TIMEOUT,
        ErrorCode.FRAME_TIMEOUT,
        ErrorCode.SLOW_READER,
    }
)
"""Reasons for which the server may end an honest connection: time and place."""


LEAVING_KINDS: Final = frozenset(kind.value for kind in LEAVING)

OF_LEAVING: Final = frozenset({ErrorCode.DEVICE_REMOVED, ErrorCode.AUTH_FAILED})
"""What a device is told that was removed: by its own account."""


def check_authentication(history: History) -> Iterator[Violation]:
    """I14: before a verified sign-in nobody is sent anything that is somebody's.

    Nor is a device, on a connection that it opens after it was told that it is removed.
    """
    yield from _check_removed(history)
    signed_in: set[int] = set()
    for event in history.of(FrameCame):
        message = event.message
        if event.process == RUDE:
            if not isinstance(message, BEFORE_SIGN_IN):
                name = type(message).__name__
                yield Violation("I14", event.time, f"an impostor is sent {name}")
        elif isinstance(message, AuthOk):
            signed_in.add(event.connection)
        elif event.connection not in signed_in and not isinstance(
            message, OWN_BEFORE_SIGN_IN
        ):
            name = type(message).__name__
            yield Violation(
                "I14", event.time, f"{event.process} is sent {name} before AUTH_OK"
            )


def _check_removed(history: History) -> Iterator[Violation]:
    gone: set[str] = set()
    later: set[int] = set()
    for event in history:
        match event:
            case Gone():
                gone.add(event.process)
            case FrameLeft(message=Hello()) if event.process in gone:
                later.add(event.connection)
            case FrameCame(message=message) if event.connection in later:
                if not isinstance(message, BEFORE_SIGN_IN):
                    name = type(message).__name__
                    yield Violation(
                        "I14",
                        event.time,
                        f"{event.process}, which was removed, is sent {name}",
                    )
            case _:
                pass


def check_liveness(history: History, facts: Facts) -> Iterator[Violation]:
    """I16: a SEND on a connection that no fault touches is answered within 5 s."""
    troubles = _troubles(facts)
    open_sends: dict[tuple[int, bytes], FrameLeft] = {}
    of_process: defaultdict[str, set[tuple[int, bytes]]] = defaultdict(set)

    def late(until: float) -> Iterator[Violation]:
        for key, left in list(open_sends.items()):
            if until - left.time <= ANSWER_SECONDS:
                break
            del open_sends[key]
            of_process[left.process].discard(key)
            span = left.time, left.time + ANSWER_SECONDS
            if not _is_troubled(troubles, left.process, span):
                yield Violation(
                    "I16",
                    left.time,
                    f"{left.process} got no answer to a SEND for"
                    f" {ANSWER_SECONDS:.0f} s",
                    (key[1],),
                )

    for event in history:
        if event.process == RUDE:
            continue
        yield from late(event.time)
        match event:
            case FrameLeft(message=Send() as message):
                key = event.connection, message.client_msg_id
                open_sends[key] = event
                of_process[event.process].add(key)
            case FrameCame(message=Sequenced() | Refused() as message):
                open_sends.pop((event.connection, message.client_msg_id), None)
            case FrameCame(message=Error() | Goaway()):
                for key in of_process.pop(event.process, set()):
                    open_sends.pop(key, None)
            case Started() | Killed() | Stopped():
                gone = list(of_process) if event.process in EVERYBODYS else []
                for name in (event.process, *gone):
                    for key in of_process.pop(name, set()):
                        open_sends.pop(key, None)
            case Settled():
                return
            case _:
                pass


def _troubles(facts: Facts) -> dict[str, list[tuple[float, float]]]:
    """Find from when until when each process has an excuse."""
    troubles: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for fault in facts.faults:
        end = fault.time + _lasts_seconds(fault) + AFTERMATH_SECONDS
        troubles[fault.process].append((fault.time - ANSWER_SECONDS, end))
    return troubles


def _lasts_seconds(fault: Fault) -> float:
    try:
        return float(fault.detail)
    except ValueError:
        return 0.0


def _is_troubled(
    troubles: dict[str, list[tuple[float, float]]],
    process: str,
    span: tuple[float, float],
) -> bool:
    return any(
        begin <= span[1] and span[0] <= end
        for name in (process, *EVERYBODYS)
        for begin, end in troubles.get(name, ())
    )


def check_isolation(facts: Facts) -> Iterator[Violation]:
    """I19: whatever others do, an honest connection is never ended with blame."""
    leaving = {fault.process for fault in facts.faults if fault.kind in LEAVING_KINDS}
    for off in facts.signed_off:
        is_meant = off.code in OF_LEAVING and off.process in leaving
        if off.code not in UNBLAMING and not is_meant:
            yield Violation(
                "I19", off.time, f"{off.process} is told {ErrorCode(off.code).name}"
            )


def check_recovery(facts: Facts) -> Iterator[Violation]:
    """I20: a second recovery finds what the first one left."""
    for first, second in pairwise(facts.server_kept):
        log = {row.message_id for row in set(first.log) ^ set(second.log)}
        sent = {row.message_id for row in set(first.sent) ^ set(second.sent)}
        for what, differ in (("log", log), ("sent index", sent)):
            if differ:
                id_ = min(differ)
                yield Violation(
                    "I20",
                    second.time,
                    f"recovery changed the {what}: {len(differ)} messages differ, as"
                    f" {short(id_)}",
                    (id_,),
                )


def check_tombstones(facts: Facts) -> Iterator[Violation]:
    """I21: what a device said it has, when it signed in, is never sent to it again."""
    asked: dict[bytes, int] = {}
    events = [(one.turn, one.device, one.position, True) for one in facts.cursors]
    signs = {one.turn for one in facts.cursors if one.is_sign_in}
    events += [(one.turn, one.device, one.position, False) for one in facts.entries]
    time_of = {one.turn: one for one in facts.entries}
    for turn, device, position, is_cursor in sorted(events):
        if is_cursor:
            if turn in signs:
                asked[device] = position
        elif position <= asked.get(device, 0):
            entry = time_of[turn]
            yield Violation(
                "I21",
                entry.time,
                f"message {short(entry.id)} at {position:#x} is sent again to"
                f" {short(device)}, which had said {asked[device]:#x}",
                (entry.id,),
            )


def check_one_use(facts: Facts) -> Iterator[Violation]:
    """I24: a one-time prekey is handed out at most once, also across crashes."""
    first: dict[tuple[bytes, int, int, str, int], str] = {}
    era = 0
    for one in facts.handed_out:
        if one.era > era:
            # What a restored server gave away after its copy it can't know, before the
            # first device proves the restore to it.
            first, era = {}, one.era
        if one.key in first:
            user, device, _, kind, number = one.key
            yield Violation(
                "I24",
                one.time,
                f"{kind} prekey {number} of {short(user)}.{device} is handed to"
                f" {one.process}, after {first[one.key]}",
            )
        first[one.key] = one.process
