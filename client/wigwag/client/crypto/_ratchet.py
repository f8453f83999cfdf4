"""The Double Ratchet of the `doubleratchet` package as pure functions.

This is the only module that touches the package, and it is imported when the
first message is sealed or opened. Three things are ours:

- State is a value. The library is built from it for each message and turned back
  into it; 0.1 ms, and a failed message can't leave anything behind.
- The library's store of skipped keys is empty before each message, so what it
  holds afterwards is exactly the difference.
- Its coroutines never wait; `run_sync` steps them to the end, with a source of
  randomness set for the time of the step.
"""

from collections.abc import Coroutine
from contextvars import ContextVar
from typing import TypeVar

from doubleratchet import (
    AEAD,
    DiffieHellmanRatchet,
    DoSProtectionException,
    DoubleRatchet,
    DoubleRatchetModel,
    DuplicateMessageException,
    EncryptedMessage,
    Header,
)
from doubleratchet.models import (
    DiffieHellmanRatchetModel,
    KDFChainModel,
    SymmetricKeyRatchetModel,
)
from doubleratchet.recommended import HashFunction, kdf_hkdf, kdf_separate_hmacs

from wigwag.client.crypto._body import open_body, seal_body
from wigwag.client.crypto._errors import (
    Undecryptable,
    UndecryptableReason,
    WeakKey,
)
from wigwag.client.crypto._keys import AgreementKey, Entropy
from wigwag.client.crypto._ratchet_state import RatchetState, SkippedKey
from wigwag.wire import suite1

T = TypeVar("T")

_entropy: ContextVar[Entropy] = ContextVar("wigwag.client.crypto.entropy")
_HASH_BYTES = 32


class _RootChain(kdf_hkdf.KDF):
    """`root_chain` of the suite."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256

    @staticmethod
    def _get_info() -> bytes:
        return suite1.ROOT_CHAIN_INFO


class _MessageChain(kdf_separate_hmacs.KDF):
    """`message_chain` of the suite."""

    @staticmethod
    def _get_hash_function() -> HashFunction:
        return HashFunction.SHA_256


class _X25519Ratchet(DiffieHellmanRatchet):
    """X25519 with private keys from our `Entropy`."""

    @staticmethod
    def _generate_priv() -> bytes:
        return _entropy.get().token(suite1.X25519_KEY_BYTES)

    @staticmethod
    def _derive_pub(priv: bytes) -> bytes:
        return AgreementKey(priv).public

    @staticmethod
    def _perform_diffie_hellman(own_priv: bytes, other_pub: bytes) -> bytes:
        return AgreementKey(own_priv).exchange(other_pub)


class _Body(AEAD):
    """`message_keys` of the suite, compared in constant time, unlike the library's."""

    @staticmethod
    async def encrypt(plaintext: bytes, key: bytes, associated_data: bytes) -> bytes:
        return seal_body(key, plaintext, associated_data)

    @staticmethod
    async def decrypt(ciphertext: bytes, key: bytes, associated_data: bytes) -> bytes:
        return open_body(key, ciphertext, associated_data)


class _Ratchet(DoubleRatchet):
    """Binds a message to its session and to the rest of its envelope."""

    @staticmethod
    def _build_associated_data(associated_data: bytes, header: Header) -> bytes:
        # What comes in is the session hash, then the envelope's prefix.
        return suite1.message_ad(
            associated_data[:_HASH_BYTES],
            associated_data[_HASH_BYTES:],
            suite1.encode_ratchet_header(suite1.RatchetHeader(*header)),
        )


def run_sync(coroutine: Coroutine[object, None, T]) -> T:
    """Step a coroutine that never waits to its end."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    message = "the ratchet waited for something"
    raise AssertionError(message)


def start_as_initiator(
    secret: bytes, peer_public: bytes, *, entropy: Entropy
) -> RatchetState:
    """Begin with the agreed secret and the responder's signed prekey."""
    return _start(secret, None, peer_public, entropy)


def start_as_responder(
    secret: bytes, own_private: bytes, peer_public: bytes, *, entropy: Entropy
) -> RatchetState:
    """Begin with the agreed secret, our signed prekey, and the first header's key.

    Raises:
        Undecryptable: `NOT_AUTHENTIC`, if the header's key is unusable.
    """
    try:
        return _start(secret, own_private, peer_public, entropy)
    except WeakKey as error:
        raise Undecryptable(UndecryptableReason.NOT_AUTHENTIC) from error


def _start(
    secret: bytes, own_private: bytes | None, peer_public: bytes, entropy: Entropy
) -> RatchetState:
    token = _entropy.set(entropy)
    try:
        ratchet = run_sync(
            _X25519Ratchet.create(
                own_private,
                peer_public,
                _RootChain,
                secret,
                _MessageChain,
                suite1.MESSAGE_CHAIN_CONSTANTS,
                suite1.RATCHET_JUMP_MAX,
            )
        )
    finally:
        _entropy.reset(token)
    return _state(ratchet.model)


def ratchet_encrypt(
    state: RatchetState, plaintext: bytes, session_hash: bytes, prefix: bytes
) -> tuple[RatchetState, suite1.RatchetHeader, bytes]:
    """Seal the next message.

    Args:
        state: Unchanged.
        plaintext: Padded.
        session_hash: SHA-256 of the session's associated data.
        prefix: The envelope's bytes before its ratchet header.

    Returns:
        The new state, the ratchet header and the body.
    """
    ratchet = _library(state)
    message = run_sync(ratchet.encrypt_message(plaintext, session_hash + prefix))
    header = suite1.RatchetHeader(*message.header)
    return _state(ratchet.model.diffie_hellman_ratchet), header, message.ciphertext


def ratchet_decrypt(
    state: RatchetState,
    header: suite1.RatchetHeader,
    body: bytes,
    session_hash: bytes,
    prefix: bytes,
    *,
    entropy: Entropy,
) -> tuple[RatchetState, bytes, tuple[SkippedKey, ...]]:
    """Open a message whose key isn't among the skipped ones.

    Args:
        state: Unchanged.
        header: From the envelope.
        body: From the envelope.
        session_hash: SHA-256 of the session's associated data.
        prefix: The envelope's bytes before its ratchet header.
        entropy: Source of our next ratchet key.

    Returns:
        The new state, the plaintext, and the keys passed by, oldest first.

    Raises:
        Undecryptable: With the reason.
    """
    _check_jump(state, header)
    ratchet = _library(state)
    message = EncryptedMessage(Header(*header), body)
    token = _entropy.set(entropy)
    try:
        plaintext = run_sync(ratchet.decrypt_message(message, session_hash + prefix))
    except DuplicateMessageException as error:
        raise Undecryptable(UndecryptableReason.DUPLICATE) from error
    except DoSProtectionException as error:  # pragma: no cover - _check_jump is before
        raise Undecryptable(UndecryptableReason.TOO_FAR) from error
    except WeakKey as error:
        raise Undecryptable(UndecryptableReason.NOT_AUTHENTIC) from error
    finally:
        _entropy.reset(token)
    model = ratchet.model
    skipped = tuple(
        SkippedKey(item.ratchet_pub, item.index, item.message_key)
        for item in model.skipped_message_keys
    )
    return _state(model.diffie_hellman_ratchet), plaintext, skipped


def _check_jump(state: RatchetState, header: suite1.RatchetHeader) -> None:
    """Refuse a jump before computing it.

    The library would drop the keys of a previous chain that is too long, with a
    warning; losing keys silently is worse than a retry.
    """
    jump = header.number
    if header.ratchet_key == state.peer_public:
        if state.receiving_key is None:
            # The responder's prekey isn't a key that he sends with: made up.
            raise Undecryptable(UndecryptableReason.NOT_AUTHENTIC)
        jump -= state.receiving_count
    elif state.receiving_key is not None:
        jump = max(jump, header.previous_count - state.receiving_count)
    if jump > suite1.RATCHET_JUMP_MAX:
        raise Undecryptable(UndecryptableReason.TOO_FAR)


def _library(state: RatchetState) -> _Ratchet:
    receiving = state.receiving_key
    model = DoubleRatchetModel(
        diffie_hellman_ratchet=DiffieHellmanRatchetModel(
            own_ratchet_priv=state.own_private,
            other_ratchet_pub=state.peer_public,
            # Nothing depends on how many steps the root chain has made.
            root_chain=KDFChainModel(length=0, key=state.root_key),
            symmetric_key_ratchet=SymmetricKeyRatchetModel(
                receiving_chain=(
                    None
                    if receiving is None
                    else KDFChainModel(length=state.receiving_count, key=receiving)
                ),
                sending_chain=KDFChainModel(
                    length=state.sending_count, key=state.sending_key
                ),
                previous_sending_chain_length=state.previous_count,
            ),
        ),
        skipped_message_keys=[],
    )
    return _Ratchet.from_model(
        model,
        _X25519Ratchet,
        _RootChain,
        _MessageChain,
        suite1.MESSAGE_CHAIN_CONSTANTS,
        suite1.RATCHET_JUMP_MAX,
        suite1.SKIPPED_KEYS_MAX,
        _Body,
    )


def _state(model: DiffieHellmanRatchetModel) -> RatchetState:
    chains = model.symmetric_key_ratchet
    sending = chains.sending_chain
    receiving = chains.receiving_chain
    assert sending is not None  # both ways of starting make one
    return RatchetState(
        own_private=model.own_ratchet_priv,
        peer_public=model.other_ratchet_pub,
        root_key=model.root_chain.key,
        sending_key=sending.key,
        sending_count=sending.length,
        receiving_key=None if receiving is None else receiving.key,
        receiving_count=0 if receiving is None else receiving.length,
        previous_count=chains.previous_sending_chain_length or 0,
    )
