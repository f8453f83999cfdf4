"""Seal and open one body under its message key: AES-256-CBC, then HMAC-SHA-256.

CBC and HMAC instead of GCM: after a restored backup a message key may come
twice, and then this shows at most that two plaintexts begin alike (E2EE.md §1).
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from wigwag.client.crypto._errors import Undecryptable, UndecryptableReason
from wigwag.wire import suite1

_TAG_BYTES = 32
_CIPHER_KEY_END = 32
_TAG_KEY_END = 64
_AES_BLOCK_BITS = 128


def seal_body(message_key: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """Encrypt under a message key that is used once.

    Args:
        message_key: 32 bytes of the ratchet.
        plaintext: Padded.
        associated_data: `suite1.message_ad`.

    Returns:
        Ciphertext, then the tag.
    """
    cipher, tag = _keys(message_key)
    padder = PKCS7(_AES_BLOCK_BITS).padder()
    encryptor = cipher.encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    tag.update(associated_data + ciphertext)
    return ciphertext + tag.finalize()


def open_body(message_key: bytes, body: bytes, associated_data: bytes) -> bytes:
    """Check the tag in constant time, then decrypt.

    Raises:
        Undecryptable: `NOT_AUTHENTIC`.
    """
    cipher, tag = _keys(message_key)
    ciphertext = body[:-_TAG_BYTES]
    tag.update(associated_data + ciphertext)
    decryptor = cipher.decryptor()
    unpadder = PKCS7(_AES_BLOCK_BITS).unpadder()
    try:
        tag.verify(body[-_TAG_BYTES:])
        # Behind a tag that fits, a wrong length or padding is the sender's fault.
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except (InvalidSignature, ValueError) as error:
        raise Undecryptable(UndecryptableReason.NOT_AUTHENTIC) from error


def _keys(message_key: bytes) -> tuple[Cipher[CBC], HMAC]:
    keys = HKDF(
        algorithm=SHA256(),
        length=suite1.MESSAGE_KEYS_BYTES,
        salt=suite1.MESSAGE_KEYS_SALT,
        info=suite1.MESSAGE_KEYS_INFO,
    ).derive(message_key)
    cipher_key = keys[:_CIPHER_KEY_END]
    tag_key = keys[_CIPHER_KEY_END:_TAG_KEY_END]
    cipher = Cipher(AES256(cipher_key), CBC(keys[_TAG_KEY_END:]))
    return cipher, HMAC(tag_key, SHA256())
