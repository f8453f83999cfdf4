"""Sending devices: the real outbox over a store of what is durable.

Each step is one decision of the real outbox with what its driver does then. Time
stands still at 0: a wait that the outbox asks for is "later" (1.0) until the
explorer says that it is over. Copies are numbered per row while they are underway.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar

from tests.explorer._letters import Directory, Letter, Roster, seal_letter
from tests.explorer._names import (
    COPY,
    INDEX_STEP,
    MESSAGE,
    index_of,
    is_signal,
    message_id,
    signal_id,
)
from tests.explorer._sender import Copy, Sender, Told, Writer
from tests.explorer._violation import Violation

from wigwag.client import _outbox as logic
from wigwag.client import _restored, _store_outbox
from wigwag.client._ids import ZERO_ID
from wigwag.client._outbox import (
    BaseMoved,
    Effect,
    Ended,
    EndState,
    Outbox,
    Phase,
    Refusal,
    Row,
    Window,
)
from wigwag.server.core import (
    Answer,
    Connected,
    Refused,
    Send,
    Sequenced,
)
from wigwag.wire import ErrorCode, Outcome

NOW: Final = 0.0
LATER: Final = 1.0

EXPIRES_MS: Final = 1 << 50
"""Nothing expires: time stands still."""

BYTES_MAX: Final = 1 << 20

Value = TypeVar("Value")

Underway = tuple[tuple[bytes, int], ...]
"""Copies that an answer may still come for: row and number."""


# Steps: each takes a state and returns the next one


def first(writer: Writer, directory: Directory) -> Sender:
    """Return the outbox of somebody who has written nothing."""
    empty: frozenset[bytes] = frozenset()
    return Sender(
        *(Outbox(), empty, (), (), (), empty, empty, (), None, directory, 1, 0)
    )


def compose(state: Sender, writer: Writer, registration: int) -> Sender:
    """Write the next message; it is sealed in the same commit."""
    index = writer.sender * INDEX_STEP + state.made + 1
    chat, user = writer.chat_of(index)
    letter = Letter(message_id(index), chat, MESSAGE, index, user, None, ())
    state = state._replace(made=state.made + 1)
    return _post(state, writer, registration, letter)


def offer(
    state: Sender, writer: Writer, registration: int, underway: Underway
) -> tuple[Sender, tuple[Copy, ...]]:
    """Send what may be sent; the "offered" marks are durable before."""
    return _offer(state, writer, registration, underway, NOW)


def offer_again(
    state: Sender, writer: Writer, registration: int, underway: Underway
) -> tuple[Sender, tuple[Copy, ...]]:
    """Send what had no answer for too long once more."""
    late = logic.OUTCOME_WAIT_SECONDS
    return _offer(state, writer, registration, underway, late)


def connect(state: Sender, window: int) -> Sender:
    """Begin a connection."""
    outbox = logic.connect(state.outbox, Window(window, BYTES_MAX))
    return state._replace(outbox=_settled(outbox))


def disconnect(state: Sender) -> Sender:
    """End a connection; the process goes on."""
    outbox = _without_copies(logic.disconnect(state.outbox))
    return state._replace(outbox=_settled(outbox))


def crash(state: Sender) -> Sender:
    """End the process and begin again from what is durable."""
    outbox = logic.load(Outbox(), _durable(state), dict(state.bases), frozenset())
    return state._replace(outbox=outbox, hints=())


def has_server_lost(state: Sender, answer: Connected) -> bool:
    """Say whether AUTH_OK shows that the server is an older copy of itself."""
    last_id = answer.last_stored_id
    is_waiting = last_id in state.outbox.rows
    return _restored.has_server_lost(state.newest, last_id, is_waiting=is_waiting)


def note_delivered(state: Sender, held: int) -> Sender:
    """Note that messages, a set of bits, are delivered: they aren't offered again."""
    stored = tuple(one for one in state.stored if not held >> index_of(one[0]) & 1)
    return state._replace(stored=stored)


def offer_lost(state: Sender, writer: Writer) -> Sender:
    """Put what the server may have lost back to the head of the outbox."""
    lost = dict(state.stored)
    letters = dict(state.letters)
    rows: list[Row] = []
    for id_, attempt in state.stored:
        index = index_of(id_)
        chat, user = writer.chat_of(index)
        letters[id_] = Letter(id_, chat, MESSAGE, index, user, None, ())
        rows.append(
            Row(
                id=id_,
                chat=chat,
                is_ordered=True,
                expires_ms=EXPIRES_MS,
                attempt=attempt,
                is_offered=True,
            )
        )
    rows += _durable(state)
    outbox = logic.load(state.outbox, rows, dict(state.bases), frozenset())
    return state._replace(
        outbox=outbox,
        offered=state.offered | frozenset(lost),
        letters=_pairs(letters),
        sent=state.sent - frozenset(lost),
        stored=(),
        newest=None,
    )


def _durable(state: Sender) -> list[Row]:
    """Return the rows as a store has them."""
    letters = dict(state.letters)
    return [
        Row(
            id=row.id,
            chat=row.chat,
            is_ordered=row.is_ordered,
            expires_ms=row.expires_ms,
            attempt=row.attempt,
            size_bytes=row.size_bytes,
            covers=row.covers,
            is_offered=row.id in state.offered,
            phase=Phase.READY if letters[row.id].envelopes else Phase.UNSEALED,
        )
        for row in state.outbox.rows.values()
    ]


def re_register(state: Sender) -> Sender:
    """Begin a new registration: sessions and ciphertexts are dropped."""
    letters = tuple(
        (id_, letter._replace(envelopes=())) for id_, letter in state.letters
    )
    return state._replace(
        outbox=_settled(_without_copies(logic.re_register(state.outbox))),
        letters=letters,
        bases=(),
        hints=(),
        newest=None,
        directory=state.directory.without_sessions(),
        ratchet=1,
    )


def is_old_copy(state: Sender, answer: Connected) -> bool:
    """Say whether AUTH_OK shows that the store is an old copy."""
    if answer.last_stored_id == ZERO_ID:
        return False
    row = state.outbox.rows.get(answer.last_stored_id)
    made = _store_outbox.Made(
        answer.last_stored_id in state.known, 0 if row is None else row.attempt
    )
    return _store_outbox.is_old_copy(answer.last_stored_attempt, made)


def take(
    state: Sender,
    writer: Writer,
    registration: int,
    id_: bytes,
    copy: int,
    answer: Answer,
) -> tuple[Sender, Told]:
    """Take an answer and make what follows durable."""
    match answer:
        case Sequenced():
            outbox, effects = logic.sequence(state.outbox, id_, answer.attempt)
        case Refused():
            refusal = Refusal(
                code=ErrorCode[answer.code.value],
                attempt=answer.attempt,
                outcome=Outcome.NONE,
                last_id=answer.last_id or ZERO_ID,
            )
            outbox, effects = logic.refuse(state.outbox, id_, copy, refusal, NOW)
            if answer.devices is not None and id_ in outbox.rows:
                hints = {**dict(state.hints), id_: answer.devices}
                state = state._replace(hints=_pairs(hints))
        case _:
            raise Violation(f"a SEND is answered with {type(answer).__name__}")
    state = state._replace(outbox=_settled(outbox))
    return _follow(state, writer, registration, effects)


def cancel(state: Sender, writer: Writer, id_: bytes) -> tuple[Sender, Told]:
    """Take a row back, if the outbox says that it never left."""
    outbox, effects = logic.cancel(state.outbox, id_)
    return _follow(state._replace(outbox=outbox), writer, 0, effects)


def to_seal(state: Sender) -> tuple[bytes, ...]:
    """Return the rows that must be sealed now."""
    return tuple(row.id for row in logic.to_seal(state.outbox, NOW))


def seal(
    state: Sender, writer: Writer, registration: int, id_: bytes, roster: Roster
) -> Sender:
    """Seal a row with the directory's help, or have it wait."""
    letter = dict(state.letters)[id_]
    hints = dict(state.hints)
    directory = state.directory.look_up(letter, roster, hints.pop(id_, None))
    state = state._replace(directory=directory, hints=_pairs(hints))
    envelopes = _sealed(state, writer, registration, letter)
    if envelopes is None:
        outbox = logic.postpone(state.outbox, id_, NOW)
        return state._replace(outbox=_settled(outbox))
    return _with_envelopes(state, letter, envelopes)


def is_waiting(state: Sender) -> bool:
    """Say whether the outbox asked for a wait."""
    return any(row.due > NOW for row in state.outbox.rows.values())


def stop_waiting(state: Sender) -> Sender:
    """Return the state once all waits are over."""
    rows = {
        id_: replace(row, due=NOW) if row.due > NOW else row
        for id_, row in state.outbox.rows.items()
    }
    return state._replace(outbox=replace(state.outbox, rows=rows))


def send_again(
    state: Sender,
    writer: Writer,
    registration: int,
    kind: int,
    index: int,
    number: int,
    target_registration: int,
) -> Sender:
    """Write the signal that stands for a message, once for a registration."""
    chat, user = writer.chat_of(index)
    id_ = signal_id(kind, index, number, target_registration)
    if id_ in state.outbox.rows or id_ in state.known:
        return state
    letter = Letter(id_, chat, kind, index, user, number, ())
    directory = state.directory.with_session((user, number), target_registration)
    return _post(state._replace(directory=directory), writer, registration, letter)


def put_back(state: Sender, made: int) -> Sender:
    """Return a copied profile that goes on where the person is."""
    return state._replace(made=made)


# The doing


def _post(state: Sender, writer: Writer, registration: int, letter: Letter) -> Sender:
    """Put a letter into the outbox, sealed if its sessions are there."""
    row = Row(
        id=letter.id,
        chat=letter.chat,
        is_ordered=not is_signal(letter.id),
        expires_ms=EXPIRES_MS,
    )
    base = dict(state.bases).get(letter.chat, ZERO_ID)
    outbox = logic.add(state.outbox, row, base)
    letters = {**dict(state.letters), letter.id: letter}
    state = state._replace(outbox=outbox, letters=_pairs(letters))
    envelopes = _sealed(state, writer, registration, letter)
    return state if envelopes is None else _with_envelopes(state, letter, envelopes)


def _sealed(
    state: Sender, writer: Writer, registration: int, letter: Letter
) -> Letter | None:
    attempt = state.outbox.rows[letter.id].attempt + 1
    key = state.ratchet if writer.is_frugal else attempt
    return seal_letter(letter, state.directory, writer.sender, registration, key)


def _with_envelopes(state: Sender, old: Letter, letter: Letter) -> Sender:
    cover = frozenset(
        logic.Device(one.user, one.device, one.registration_id)
        for one in letter.envelopes
    )
    size = sum(len(one.ciphertext) for one in letter.envelopes)
    outbox = logic.seal(state.outbox, letter.id, cover, size)
    letters = {**dict(state.letters), old.id: letter}
    return state._replace(
        outbox=outbox, letters=_pairs(letters), ratchet=state.ratchet + 1
    )


def _offer(
    state: Sender,
    writer: Writer,
    registration: int,
    underway: Underway,
    now: float,
) -> tuple[Sender, tuple[Copy, ...]]:
    outbox, offers = logic.offer(state.outbox, now)
    if not offers:
        return state, ()
    letters = dict(state.letters)
    rows = dict(outbox.rows)
    copies: list[Copy] = []
    offered = set(state.offered)
    for one in offers:
        letter = letters[one.id]
        number = 1 + max((copy for id_, copy in underway if id_ == one.id), default=0)
        rows[one.id] = replace(rows[one.id], copy=number)
        if one.is_first:
            offered.add(one.id)
        send = Send(
            sender=writer.device,
            registration_id=registration,
            generation=0,
            chat=letter.chat,
            client_msg_id=one.id,
            attempt=one.attempt,
            after=one.after,
            class_=3 if is_signal(one.id) else 1,
            users=(letter.user,),
            envelopes=letter.envelopes,
        )
        copies.append(Copy(send, number))
    outbox = _settled(replace(outbox, rows=rows, copies=0))
    return state._replace(outbox=outbox, offered=frozenset(offered)), tuple(copies)


def _follow(
    state: Sender, writer: Writer, registration: int, effects: Iterable[Effect]
) -> tuple[Sender, Told]:
    """Make ends and bases durable, as the driver does."""
    acked = dead = 0
    for effect in effects:
        match effect:
            case BaseMoved(chat=chat, base=base):
                bases = {**dict(state.bases), chat: base}
                state = state._replace(bases=_pairs(bases))
            case Ended(row=row):
                bit = 0 if is_signal(row.id) else 1 << index_of(row.id)
                if effect.state is EndState.SEQUENCED:
                    acked |= bit
                elif effect.state is EndState.EXPIRED:
                    raise Violation(f"message {index_of(row.id)} expired")
                else:
                    dead |= bit
                state = _end(state, writer, registration, effect)
    return state, Told(acked, dead)


def _end(state: Sender, writer: Writer, registration: int, ended: Ended) -> Sender:
    id_ = ended.row.id
    is_sent = ended.state is EndState.SEQUENCED
    state = state._replace(
        letters=_pairs({k: v for k, v in state.letters if k != id_}),
        hints=_pairs({k: v for k, v in state.hints if k != id_}),
        offered=state.offered - {id_},
        known=state.known | {id_},
        sent=state.sent | {id_} if is_sent else state.sent,
        newest=id_ if is_sent else state.newest,
    )
    if is_signal(id_):
        return state
    if is_sent:
        stored = {**dict(state.stored), id_: ended.attempt}
        state = state._replace(stored=_pairs(stored))
    for target in sorted(ended.copies_for):
        known = dict(state.directory.sessions).get(target[:2], target.registration_id)
        state = send_again(
            *(state, writer, registration, COPY),
            *(index_of(id_), target.number, known),
        )
    return state


def _settled(outbox: Outbox) -> Outbox:
    """Say of each wait only whether it is over."""
    rows = {
        id_: replace(row, due=_due(row)) if row.due not in (NOW, LATER) else row
        for id_, row in outbox.rows.items()
    }
    return replace(outbox, rows=rows)


def _due(row: Row) -> float:
    is_waiting = row.phase in (Phase.WAITING, Phase.UNSEALED)
    return LATER if is_waiting and row.due > NOW else NOW


def _without_copies(outbox: Outbox) -> Outbox:
    """Number copies anew: no answer to any of them can come."""
    rows = {id_: replace(row, copy=0) for id_, row in outbox.rows.items()}
    return replace(outbox, rows=rows, copies=0)


def _pairs(values: dict[bytes, Value]) -> tuple[tuple[bytes, Value], ...]:
    return tuple(sorted(values.items(), key=lambda pair: pair[0]))
