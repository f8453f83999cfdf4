"""Gathers what the checkers need to know from a history, in one pass."""

from collections import defaultdict
from hashlib import sha256

from tests.simulation._facts import (
    Answered,
    Copy,
    Cursor,
    Entry,
    Facts,
    GapTold,
    HandedOut,
    MarkSeen,
    Sealed,
    SignedOff,
    SignIn,
    Turned,
    Welcomed,
)
from tests.simulation._history import (
    RUDE,
    ClientKept,
    Ended,
    Fault,
    FrameCame,
    FrameLeft,
    Handled,
    History,
    Restored,
    Sending,
    Sent,
    ServerKept,
    Settled,
    Shown,
    message_id_of,
)

from wigwag.wire import (
    Ack,
    Auth,
    AuthOk,
    Bundles,
    Deliver,
    Error,
    Gap,
    Goaway,
    Missed,
    Receipt,
    Receipts,
    Refused,
    Register,
    ReRegister,
    Send,
    Sequenced,
    Undelivered,
    suite1,
)


def gather(history: History) -> Facts:
    """Sort a history."""
    return _Gatherer().gather(history)


class _Gatherer:
    def __init__(self) -> None:
        self.facts = Facts()
        self._turn = 0
        self._era: dict[int, int] = {}
        self._life: dict[int, int] = {}
        self._device: dict[int, tuple[bytes, int, int | None]] = {}
        # By sending user and client_msg_id: the message's id and chat.
        self._message: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self._users: defaultdict[bytes, set[bytes]] = defaultdict(set)

    def gather(self, history: History) -> Facts:
        facts = self.facts
        for turn, event in enumerate(history):
            self._turn = turn
            if event.process == RUDE:
                # No device's: `check_authentication` looks at it.
                continue
            match event:
                case FrameLeft():
                    self._left(event)
                case FrameCame():
                    self._came(event)
                case Sending():
                    facts.sendings.append(event)
                case Sent():
                    facts.sent.append(event)
                case Ended():
                    facts.ended.append(event)
                case Shown():
                    facts.shown.append(event)
                case Handled():
                    facts.handled.append(event)
                case Fault():
                    facts.faults.append(event)
                case ClientKept():
                    facts.kept.append(event)
                case ServerKept():
                    facts.server_kept.append(event)
                    facts.log = event.log
                    facts.sent_index = event.sent
                case Restored():
                    facts.restores.setdefault(event.process, []).append(event)
                case Settled():
                    facts.has_settled = True
                case _:
                    pass
        facts.users_of = {
            chat: tuple(sorted(users)) for chat, users in self._users.items()
        }
        return facts

    def _left(self, event: FrameLeft) -> None:
        facts = self.facts
        match event.message:
            case Auth() | Register() | ReRegister() as message:
                device = message.user + bytes((message.device,))
                cursor = message.cursor if isinstance(message, Auth) else None
                registration = message.registration_id
                self._device[event.connection] = device, registration, cursor
                self._era[event.connection] = facts.era
                self._life[event.connection] = len(
                    facts.restores.get(event.process, ())
                )
                facts.device_of[event.process] = device
                facts.sign_ins.append(SignIn(event.time, device, registration, cursor))
                if cursor is not None:
                    facts.cursors.append(
                        Cursor(
                            self._turn,
                            event.time,
                            device,
                            registration,
                            cursor,
                            True,
                            self._life[event.connection],
                            facts.era,
                        )
                    )
            case Send() as message:
                self._sent(event, message)
            case Ack() as message:
                device, registration, _ = self._device[event.connection]
                facts.cursors.append(
                    Cursor(
                        self._turn,
                        event.time,
                        device,
                        registration,
                        message.position,
                        False,
                        self._life[event.connection],
                        self._era[event.connection],
                    )
                )
            case _:
                pass

    def _sent(self, event: FrameLeft, message: Send) -> None:
        device, registration, _ = self._device[event.connection]
        id_ = message_id_of(message.chat, device, message.client_msg_id)
        self._message[device[:16], message.client_msg_id] = id_, message.chat
        self._users[message.chat] |= {device[:16], *message.users}
        self.facts.copies.append(
            Copy(
                event.time,
                id_,
                message.client_msg_id,
                message.chat,
                device,
                message.attempt,
                message.class_,
                message.users,
                registration,
            )
        )
        for one in message.envelopes:
            header = suite1.decode_envelope(one.ciphertext).ratchet
            self.facts.sealed.append(
                Sealed(
                    event.time,
                    id_,
                    (device, header.ratchet_key, header.number),
                    sha256(one.ciphertext).digest(),
                )
            )

    def _came(self, event: FrameCame) -> None:
        known = self._device.get(event.connection)
        if known is None:
            return
        device, registration, asked = known
        facts = self.facts
        message = event.message
        era = self._era[event.connection]
        match message:
            case Gap():
                first, last, reason = message.first, message.last, message.reason
                facts.gaps.append(
                    GapTold(self._turn, event.time, device, first, last, reason)
                )
            case AuthOk():
                facts.welcomed.append(
                    Welcomed(
                        event.time,
                        device,
                        registration,
                        asked,
                        message.acked,
                        message.last,
                        era,
                        self._life[event.connection],
                    )
                )
            case Sequenced():
                id_, chat = self._find(device, message.client_msg_id)
                facts.answered.append(
                    Answered(
                        event.time,
                        id_,
                        chat,
                        message.attempt,
                        message.chat_seq,
                        message.sent_at,
                        era,
                    )
                )
            case Refused():
                id_, _ = self._find(device, message.client_msg_id)
                facts.turned.append(
                    Turned(event.time, id_, message.attempt, message.code)
                )
            case Deliver() | Missed() | Undelivered():
                facts.entries.append(self._entry(event, device, message))
            case Bundles():
                self._handed_out(event, message)
            case Error() | Goaway():
                if not event.corr:
                    off = SignedOff(event.time, event.process, message.code)
                    facts.signed_off.append(off)
            case Receipt():
                facts.marks.append(
                    MarkSeen(self._turn, event.time, device, message.mark, True, era)
                )
            case Receipts():
                for mark in message.marks:
                    facts.marks.append(
                        MarkSeen(self._turn, event.time, device, mark, False, era)
                    )
            case _:
                pass

    def _handed_out(self, event: FrameCame, message: Bundles) -> None:
        for one in message.bundles:
            owner = message.user, one.device, one.registration_id
            keys = [(*owner, "EC", key.id) for key in one.one_time]
            if not one.kem.last_resort:
                keys.append((*owner, "KEM", one.kem.id))
            self.facts.handed_out += [
                HandedOut(event.time, event.process, key, self._era[event.connection])
                for key in keys
            ]

    def _entry(
        self, event: FrameCame, device: bytes, message: Deliver | Missed | Undelivered
    ) -> Entry:
        time, era = event.time, self._era[event.connection]
        position, prev = message.inbox_seq, message.prev
        if isinstance(message, Undelivered):
            id_, chat = self._find(device, message.client_msg_id)
            user = message.user
            return Entry(
                self._turn,
                time,
                device,
                position,
                prev,
                False,
                id_,
                chat,
                unreached=user,
                era=era,
            )
        self._users[message.chat] |= {device[:16], message.sender}
        sender = message.sender + bytes((message.sender_device,))
        return Entry(
            self._turn,
            time,
            device,
            position,
            prev,
            isinstance(message, Deliver),
            message_id_of(message.chat, sender, message.client_msg_id),
            message.chat,
            sender,
            message.chat_seq,
            era=era,
        )

    def _find(self, device: bytes, client_msg_id: bytes) -> tuple[bytes, bytes]:
        """Return id and chat of a message of a device's user; b"": it never left."""
        return self._message.get((device[:16], client_msg_id), (b"", b""))
