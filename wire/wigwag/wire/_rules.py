"""What may be received and sent, by role, revision and state.

Everything that the specification says about a message type is looked up once and
shared by all connections: per frame there is one dictionary look-up, in the table of
the present state.
"""

from functools import lru_cache
from typing import Final, Protocol

import msgspec

from wigwag.wire._generated import MESSAGES, TRANSITIONS, MessageType
from wigwag.wire._header import RESPONSE
from wigwag.wire._message_info import Layout, MessageInfo
from wigwag.wire._states import Role, State

REQUEST: Final = 0
ANSWER: Final = 1
SOLO: Final = 2
"""Kinds for the fast path; SOLO is an event or oneway, which nobody answers."""

HELLO: Final = 2
WELCOME: Final = 4
REJECT: Final = 6
ERROR: Final = 8
GOAWAY: Final = 10
PING: Final = 12
PONG: Final = 14
"""The invariant types: the same numbers in all revisions."""

_SIGNED = frozenset(
    {
        MessageType.AUTH,
        MessageType.DELETE_ACCOUNT,
        MessageType.REGISTER,
        MessageType.RE_REGISTER,
    }
)
_KINDS = {"request": REQUEST, "response": ANSWER, "event": SOLO, "oneway": SOLO}
_HANDLED_INSIDE = frozenset({HELLO, WELCOME, REJECT, ERROR, GOAWAY, PING, PONG})


class Asked(Protocol):
    """What the ledger must know of a request."""

    @property
    def type(self) -> int:
        """Message type number."""
        ...

    @property
    def replies(self) -> frozenset[int]:
        """Types that answer it."""
        ...

    @property
    def is_stream(self) -> bool:
        """Several answers may follow."""
        ...


class Rule:
    """One message type at one revision, ready for use.

    Attributes:
        info: What the specification says.
        type: Message type number.
        kind: REQUEST, ANSWER or SOLO.
        flags: Of a frame without MORE, PADDED and ignorable bits.
        length_max: Largest `length` without extension and padding: all its fields at
            their largest, and unknown tags.
        decode: Body to record.
        encode: Record to body.
        replies: Types that answer it, ERROR included.
        is_stream: Several answers may follow.
        is_plain: Nothing but checks, decoding and correlation is to be done.
        is_ack: Counts against the ACK budget.
        is_signed: Its body is signed as sent: no extension, no padding (R-FRAME-016).
        next_states: State transitions that it makes.
        states: Where it is legal.
    """

    __slots__ = (
        "decode",
        "encode",
        "flags",
        "info",
        "is_ack",
        "is_plain",
        "is_signed",
        "is_stream",
        "kind",
        "length_max",
        "next_states",
        "replies",
        "states",
        "type",
    )

    def __init__(self, info: MessageInfo, layout: Layout) -> None:
        self.info = info
        self.type = info.type
        self.kind = _KINDS[info.kind]
        self.flags = RESPONSE if self.kind == ANSWER else 0
        self.length_max = layout.body_bytes_max
        self.decode = layout.decode
        self.encode = layout.encode
        self.replies = frozenset((*info.replies, ERROR))
        self.is_stream = info.stream
        self.is_ack = info.rate_class == "ack"
        self.is_signed = info.type in _SIGNED
        self.states = frozenset(State(name) for name in info.states)
        self.next_states = {
            State(state): State(next_state)
            for (state, type_), next_state in TRANSITIONS.items()
            if type_ == info.type and state != next_state
        }
        self.is_plain = info.type not in _HANDLED_INSIDE and not self.next_states


class RuleBook:
    """Rules of one revision for one role.

    Attributes:
        inbound: What the peer may send, by state and type.
        outbound: What we may send, by record class.
        known: Every type of the revision, whoever may send it and when.
    """

    def __init__(self, role: Role, revision: int) -> None:
        self.known: dict[int, Rule] = {}
        for info in MESSAGES.values():
            layout = info.layout(revision)
            if layout is not None:
                self.known[info.type] = Rule(info, layout)
        from_peer = {role.peer.value, "both"}
        from_us = {role.value, "both"}
        self.inbound: dict[State, dict[int, Rule]] = {
            state: {
                rule.type: rule
                for rule in self.known.values()
                if rule.info.direction in from_peer and state in rule.states
            }
            for state in State
        }
        self.outbound: dict[type[msgspec.Struct], Rule] = {
            rule.info.record: rule
            for rule in self.known.values()
            if rule.info.direction in from_us
        }


@lru_cache(maxsize=32)  # roles times revisions of the support window, with room
def rule_book(role: Role, revision: int) -> RuleBook:
    """Returns the rules of a revision for a role, made once per process."""
    return RuleBook(role, revision)
