"""What follows in the store when a row of the outbox ends."""

from dataclasses import dataclass

from wigwag.client._device import Device
from wigwag.client._message import MessageState
from wigwag.client._outbox import Ended, EndState
from wigwag.client._resend import COPY_OF, copied_id, send_copy_txn
from wigwag.client._restored import note_sequenced_txn
from wigwag.client._store_messages import move_state_txn, sequenced_txn
from wigwag.client._store_outbox import end_letter_txn, letter_txn, save_sent_txn
from wigwag.client._store_peers import chat_peer_txn, peer_txn
from wigwag.client._txn import Txn
from wigwag.wire import ERRORS, suite1


@dataclass(frozen=True, slots=True)
class Answered:
    """What SEQUENCED says beside the attempt.

    Attributes:
        chat_seq: Place in the chat; 0: none.
        sent_at_ms: The server's time.
    """

    chat_seq: int
    sent_at_ms: int


def end_txn(
    txn: Txn, device: Device, ended: Ended, answered: Answered | None, now_ms: int
) -> None:
    """Make the end of a row durable.

    Devices that the stored attempt didn't cover are sent a copy.
    """
    letter = letter_txn(txn, ended.row.id)
    if letter is None:
        return
    end_letter_txn(txn, letter.id, ended.attempt, now_ms)
    if answered is not None:
        note_sequenced_txn(txn, letter.id)
    # An attempt that isn't ours to know went to nobody that we could name.
    cover = dict(ended.row.covers).get(ended.attempt, frozenset())
    if letter.message is None:
        original = copied_id(letter)
        if original is not None and ended.state is EndState.SEQUENCED:
            # It may be reported UNDELIVERED by its own id.
            message = suite1.server_msg_id(
                letter.chat, device.account.user, device.account.device, original
            )
            save_sent_txn(txn, letter.id, message, cover, now_ms)
        return
    if ended.state is not EndState.SEQUENCED:
        state, reason = _end_of(ended)
        move_state_txn(txn, letter.message, state, reason, now_ms)
        return
    assert answered is not None, "SEQUENCED says where and when"
    sequenced_txn(txn, letter.message, answered.chat_seq, answered.sent_at_ms, now_ms)
    save_sent_txn(txn, letter.id, letter.message, cover | ended.copies_for, now_ms)
    user = chat_peer_txn(txn, letter.chat)
    peer = None if user is None else peer_txn(txn, user)
    for target in sorted(ended.copies_for):
        if peer is None:
            break
        send_copy_txn(
            txn,
            device,
            peer,
            (target.user, target.number),
            letter.id,
            letter.message,
            COPY_OF,
            now_ms,
        )


def _end_of(ended: Ended) -> tuple[MessageState, str]:
    match ended.state:
        case EndState.REJECTED:
            info = ERRORS.get(ended.code)
            word = info.name.lower() if info else f"0x{ended.code:04x}"
            return MessageState.REJECTED, word
        case EndState.EXPIRED:
            return MessageState.EXPIRED, "unknown" if ended.is_unknown else "never_sent"
        case EndState.CANCELLED:
            return MessageState.CANCELLED, "cancelled"
        case EndState.SEQUENCED:
            raise AssertionError("not an end without a place")
