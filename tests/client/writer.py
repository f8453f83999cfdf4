"""Somebody who writes to `alice` through a scripted server, well or badly."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.client.scripted import (
    NOW_MS,
    Line,
    Peer,
    ScriptedServer,
    alice_at,
    scripted,
)

from wigwag.client import AnyEvent, Session
from wigwag.client._clock import SystemEntropy
from wigwag.client._content import KnownContent, Text, encode_content
from wigwag.client.crypto import (
    LocalDevice,
    PeerSessions,
    PlaintextHead,
    ReplayKey,
    accept_first_list,
    decrypt,
    encrypt,
    open_plaintext,
    seal_plaintext,
    start_session,
    verify_bundle,
)
from wigwag.wire import (
    Bundle,
    Deliver,
    Message,
    MessageClass,
    PrekeysUpload,
    Register,
    Send,
    Sequenced,
    SignedList,
    suite1,
)

EPOCH = 20_000_000 << 32


class NoPrekeys:
    """A writer starts sessions; nobody starts one with him."""

    def signed_prekey(self, prekey_id: int) -> None:
        """Has none."""

    def one_time_prekey(self, prekey_id: int) -> None:
        """Has none."""

    def kem_prekey(self, prekey_id: int) -> None:
        """Has none."""

    def is_replay(self, replay: ReplayKey) -> bool:
        """Takes everything for new."""
        return False


@dataclass
class Writer:
    """One sender of messages to `alice`.

    Attributes:
        peer: Who he is.
        chat: The chat of both.
        position: Of the last entry in her inbox.
    """

    server: ScriptedServer
    peer: Peer
    number: int = 1
    position: int = EPOCH
    sessions: PeerSessions = field(default_factory=PeerSessions.empty)

    def __post_init__(self) -> None:
        uploads = [m for m in self.server.enrolled if isinstance(m, PrekeysUpload)]
        register = next(m for m in self.server.enrolled if isinstance(m, Register))
        self.alice = register.user
        self.chat = suite1.direct_chat_id(self.alice, self.peer.user)
        self.registration_id = register.registration_id
        self.own_pin = accept_first_list(
            self.peer.user, self.peer.key.public, self.peer.lists().lists
        )
        self.pin = accept_first_list(
            register.user,
            register.account_key,
            [SignedList(blob=register.list_blob, signature=register.list_signature)],
        )
        last_resort = next(u.last_resort for u in uploads if u.last_resort is not None)
        bundle = Bundle(
            suite=suite1.SUITE,
            device=1,
            registration_id=register.registration_id,
            signed_prekey=register.signed_prekey,
            one_time=(),
            kem=last_resort,
        )
        verified = verify_bundle(bundle, self.pin, now_ms=NOW_MS)
        self.sessions = start_session(
            self.local, verified, self.sessions, entropy=SystemEntropy()
        ).sessions

    @property
    def local(self) -> LocalDevice:
        """His device."""
        return LocalDevice(
            self.peer.user, self.peer.key.public, self.number, 7, self.peer.keys
        )

    def text(
        self,
        text: str,
        *,
        head: dict[str, bytes | int] | None = None,
        entry: dict[str, bytes | int] | None = None,
    ) -> Deliver:
        """Writes a text; see `write`."""
        return self.write(Text(text), MessageClass.MESSAGE, head=head, entry=entry)

    def write(
        self,
        content: KnownContent | bytes,
        class_: MessageClass,
        *,
        head: dict[str, bytes | int] | None = None,
        entry: dict[str, bytes | int] | None = None,
    ) -> Deliver:
        """Makes the next entry of her inbox.

        Args:
            content: What it says; bytes: as they are.
            class_: Its class.
            head: Fields of the plaintext's head that are wrong.
            entry: Fields of the entry that are wrong.
        """
        before, self.position = self.position, self.position + 1
        client_msg_id = self.position.to_bytes(16, "big")
        true = PlaintextHead(
            chat_id=self.chat,
            client_msg_id=client_msg_id,
            message_class=class_,
            own_list_hash=self.own_pin.hash_prefix,
            peer_list_hash=self.pin.hash_prefix,
        )
        data = content if isinstance(content, bytes) else encode_content(content)
        said = replace(true, **(head or {}))  # type: ignore[arg-type] # its fields
        sealed = encrypt(self.sessions, seal_plaintext(said, data))
        self.sessions = sealed.sessions
        ordered = class_ is MessageClass.MESSAGE
        facts: dict[str, bytes | int] = {
            "inbox_seq": self.position,
            "prev": before if before != EPOCH else 0,
            "chat": self.chat,
            "chat_seq": self.position if ordered else 0,
            "class_": class_,
            "sender": self.peer.user,
            "sender_device": self.number,
            "registration_id": 7,
            "client_msg_id": client_msg_id,
            "sent_at": NOW_MS,
            "ciphertext": sealed.envelope,
        }
        return Deliver(**(facts | (entry or {})))  # type: ignore[arg-type] # its fields

    def read(self, send: Send) -> bytes:
        """Opens what `alice` sent to him; returns the content."""
        (envelope,) = send.envelopes
        device = self.pin.device(1)
        assert device is not None
        opened = decrypt(
            self.local,
            device,
            self.sessions,
            NoPrekeys(),
            envelope.ciphertext,
            entropy=SystemEntropy(),
            now_ms=NOW_MS,
        )
        self.sessions = opened.sessions
        return open_plaintext(
            opened.plaintext,
            chat_id=self.chat,
            client_msg_id=send.client_msg_id,
            message_class=send.class_,
        ).content


BOB = Peer.make("bob", 2)
EVE = Peer.make("eve", 3)


@asynccontextmanager
async def setting(
    folder: Path,
) -> AsyncGenerator[tuple[ScriptedServer, Session, Line, Writer], None]:
    """Opens alice's session at a scripted server that knows bob and eve."""
    async with scripted() as server:
        server.knows(BOB, EVE)
        server.answers[Send] = in_order
        async with alice_at(server, folder) as session:
            yield server, session, await server.line(1), Writer(server, BOB)


def in_order(message: Message) -> Message:
    """Answers a SEND with its place."""
    assert isinstance(message, Send)
    ordered = message.class_ == MessageClass.MESSAGE
    return Sequenced(
        client_msg_id=message.client_msg_id,
        attempt=message.attempt,
        chat_seq=EPOCH + 1000 if ordered else 0,
        sent_at=NOW_MS,
    )


async def take(session: Session, count: int) -> list[AnyEvent]:
    """Waits for events and says that they are handled."""
    events: list[AnyEvent] = []
    async for event in session.events("test"):
        await event.done()
        events.append(event)
        if len(events) == count:
            break
    return events
