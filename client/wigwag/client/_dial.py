"""From an address to a signed-in connection: HELLO, WELCOME, AUTH."""

from dataclasses import dataclass
from typing import Final, TypeVar

import anyio
import msgspec

from wigwag.client._errors import (
    ConnectionLost,
    DialFailed,
    ServerRefused,
    StoreDamaged,
)
from wigwag.client._link import READ_BYTES, expect
from wigwag.client._ports import Address, ByteStream, Ports, Trust
from wigwag.client.crypto import AccountKey, DeviceKeys
from wigwag.wire import (
    LIMITS,
    NEED_DATA,
    AccountDeleted,
    Auth,
    AuthOk,
    Connection,
    ConnectionClosed,
    ConnectionConfig,
    DecodeError,
    DeleteAccount,
    Message,
    MessageType,
    PeerError,
    PeerGoingAway,
    Received,
    Register,
    Reject,
    RemoteProtocolError,
    ReRegister,
    Role,
    SignedPrekey,
    Welcome,
    decode_message,
    encode_message,
    suite1,
)

SIGN_IN_SECONDS: Final[float] = LIMITS["auth_seconds"].value

CLIENT_NAME: Final = "wigwag-python 0.1"

SIGNATURE_BYTES: Final = 64

NO_SIGNATURE: Final = bytes(SIGNATURE_BYTES)

Answer = TypeVar("Answer", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Facts:
    """What AUTH says beside the keys.

    Attributes:
        user: Account id.
        device: Device number.
        registration_id: Current registration.
        generation: Bumped and durable.
        cursor: Highest inbox position stored.
    """

    user: bytes
    device: int
    registration_id: int
    generation: int
    cursor: int


class Handshake:
    """A connection on its way to READY. Make it with `open_handshake`.

    Attributes:
        stream: Its bytes.
        connection: Its protocol state.
        certificate_hash: SHA-256 of the server's leaf certificate.
        authority: The server's CA certificate (DER).
        welcome: What the server said of itself.
    """

    def __init__(
        self,
        stream: ByteStream,
        connection: Connection,
        certificate_hash: bytes,
        authority: bytes,
    ) -> None:
        self.stream = stream
        self.connection = connection
        self.certificate_hash = certificate_hash
        self.authority = authority
        self.welcome: Welcome

    async def greet(self, client_nonce: bytes) -> None:
        """Do HELLO and WELCOME.

        Raises:
            ServerRefused: REJECT.
        """
        self.connection.send_hello(client_nonce)
        answer = await self._next_answer()
        if isinstance(answer, Reject):
            raise ServerRefused(answer.code, retry_after_ms=answer.retry_after_ms)
        self.welcome = expect(answer, Welcome)

    async def sign_in(self, facts: Facts, keys: DeviceKeys) -> AuthOk:
        """Do AUTH.

        Raises:
            ServerRefused: With the code; after STORE_ROLLED_BACK the connection
                takes `re_register`.
        """
        unsigned = Auth(
            signature=NO_SIGNATURE,
            user=facts.user,
            device=facts.device,
            registration_id=facts.registration_id,
            generation=facts.generation,
            cursor=facts.cursor,
        )
        body = encode_message(unsigned, self.connection.revision)
        transcript = suite1.auth_transcript(
            self.connection.transcript_hash,
            self.certificate_hash,
            body[SIGNATURE_BYTES:],
        )
        signature = keys.sign(transcript)
        signed = msgspec.structs.replace(unsigned, signature=signature)
        return await self.exchange(signed, AuthOk)

    async def re_register(
        self, facts: Facts, signed_prekey: SignedPrekey, keys: DeviceKeys
    ) -> AuthOk:
        """Do RE_REGISTER, with the new registration's facts."""
        unsigned = ReRegister(
            signature=NO_SIGNATURE,
            user=facts.user,
            device=facts.device,
            registration_id=facts.registration_id,
            generation=facts.generation,
            signed_prekey=signed_prekey,
        )
        body = encode_message(unsigned, self.connection.revision)
        transcript = suite1.re_register_transcript(
            self.connection.transcript_hash,
            self.certificate_hash,
            body[SIGNATURE_BYTES:],
        )
        signature = keys.sign(transcript)
        signed = msgspec.structs.replace(unsigned, signature=signature)
        return await self.exchange(signed, AuthOk)

    async def register(
        self, unsigned: Register, account_key: AccountKey, keys: DeviceKeys
    ) -> AuthOk:
        """Do REGISTER; `unsigned` has placeholders for both signatures."""
        body = encode_message(unsigned, self.connection.revision)
        transcript = suite1.register_transcript(
            self.connection.transcript_hash,
            self.certificate_hash,
            body[2 * SIGNATURE_BYTES :],
        )
        signed = msgspec.structs.replace(
            unsigned,
            account_signature=account_key.sign(transcript),
            device_signature=keys.sign(transcript),
        )
        return await self.exchange(signed, AuthOk)

    async def delete_account(
        self, user: bytes, account_key: AccountKey, time_ms: int
    ) -> AccountDeleted:
        """Do DELETE_ACCOUNT; before AUTH, so no device need be able to sign in."""
        unsigned = DeleteAccount(signature=NO_SIGNATURE, user=user, time=time_ms)
        body = encode_message(unsigned, self.connection.revision)
        transcript = suite1.delete_account_transcript(
            self.connection.transcript_hash,
            self.certificate_hash,
            body[SIGNATURE_BYTES:],
        )
        signature = account_key.sign(transcript)
        signed = msgspec.structs.replace(unsigned, signature=signature)
        return await self.exchange(signed, AccountDeleted)

    async def exchange(self, request: Message, shape: type[Answer]) -> Answer:
        """Send a request and wait for its answer; events before it are dropped.

        They belong to an inbox that a RE_REGISTER is about to empty.
        """
        self.connection.send(request)
        return expect(await self._next_answer(), shape)

    async def _next_answer(self) -> Message:
        while True:
            data = self.connection.data_to_send()
            if data:
                await self.stream.send(data)
            try:
                event = self.connection.next_event()
            except RemoteProtocolError as error:
                raise ServerRefused(
                    error.code, doing="The server broke the protocol"
                ) from error
            match event:
                case Received() if event.corr:
                    return event.message
                case PeerError() | PeerGoingAway():
                    raise ServerRefused(event.code, retry_after_ms=event.retry_after_ms)
                case ConnectionClosed():
                    raise ConnectionLost("The server closed the connection.")
                case _ if event is NEED_DATA:
                    data = await self.stream.receive(READ_BYTES)
                    self.connection.receive_data(data, anyio.current_time())
                case _:
                    continue


async def open_handshake(ports: Ports, address: Address, trust: Trust) -> Handshake:
    """Connect to a server and do HELLO and WELCOME.

    The caller closes `Handshake.stream`, or gives it to a `Link`.

    Raises:
        NetworkError: It can't be reached or isn't who it must be.
        ServerRefused: REJECT, with the reason.
    """
    dialled = await ports.net.dial(address, trust)
    try:
        connection = Connection(
            Role.CLIENT,
            ConnectionConfig(client_name=CLIENT_NAME),
            now=anyio.current_time(),
            grease_seed=int.from_bytes(ports.entropy.token(8), "big"),
        )
        handshake = Handshake(
            dialled.stream, connection, dialled.certificate_hash, dialled.authority
        )
        with anyio.fail_after(SIGN_IN_SECONDS):
            await handshake.greet(ports.entropy.token(32))
    except TimeoutError as error:
        await dialled.stream.aclose()
        raise DialFailed(f"The server at {address} doesn't answer.") from error
    except BaseException:
        with anyio.CancelScope(shield=True):
            await dialled.stream.aclose()
        raise
    return handshake


def read_register_body(body: bytes, revision: int) -> Register:
    """Read what was stored of a REGISTER, body[128:], and give it empty signatures.

    Raises:
        StoreDamaged: It was written at a revision that isn't spoken any more.
    """
    try:
        message = decode_message(
            MessageType.REGISTER, revision, 2 * NO_SIGNATURE + body
        )
    except DecodeError as error:
        raise StoreDamaged("The stored registration can't be read.") from error
    assert isinstance(message, Register)
    return message
