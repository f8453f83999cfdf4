"""What a look at the configured certificate tells, without making or renewing one.

For whoever examines a server: `load_identity` is what a start does.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from wigwag.server._certificates import (
    CA_KEY_NAME,
    CA_NAME,
    LEAF_KEY_NAME,
    LEAF_NAME,
    spki_of,
)
from wigwag.server._config import TLSConfig
from wigwag.server._errors import ConfigError


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate, as its files are now.

    Attributes:
        path: PEM file with the chain, leaf first.
        key_path: PEM file with the leaf's private key.
        is_own: The server made it, and renews it.
        names: DNS names and IP addresses that it holds.
        starts: From when on it is taken.
        ends: Until when.
        authority_ends: When the last certificate of the chain, which clients pin, ends.
        fits: Whether the key is the leaf's.
        is_chained: Whether each certificate is signed by the next.
        ca_pin: SHA-256 of the SubjectPublicKeyInfo that clients pin.
    """

    path: Path
    key_path: Path
    is_own: bool
    names: tuple[str, ...]
    starts: datetime
    ends: datetime
    authority_ends: datetime
    fits: bool
    is_chained: bool
    ca_pin: bytes

    def holds(self, name: str) -> bool:
        """Whether clients that dial a name or address take it; `*.` holds one label."""
        try:
            return str(ipaddress.ip_address(name)) in self.names
        except ValueError:
            wanted = name.lower().rstrip(".")
            held = {found.lower() for found in self.names}
            return wanted in held or f"*.{wanted.partition('.')[2]}" in held

    def is_valid(self, now: datetime) -> bool:
        """Whether clients take it at a time."""
        return self.starts <= now < min(self.ends, self.authority_ends)


def inspect_certificate(folder: Path, given: TLSConfig) -> CertificateFacts | None:
    """Read the certificate that a server on a folder presents.

    Args:
        folder: Its data folder.
        given: The configured files, or empty.

    Returns:
        None: the server has not made one yet.

    Raises:
        ConfigError: A file can't be read or is no certificate or key.
    """
    path = Path(given.certificate) if given.certificate else folder / LEAF_NAME
    key_path = Path(given.private_key) if given.certificate else folder / LEAF_KEY_NAME
    if not given.certificate and not path.exists() and not (folder / CA_NAME).exists():
        return None
    if not given.certificate:
        _check_authority(folder / CA_NAME, folder / CA_KEY_NAME)
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        return _facts(path, key_path, chain, spki_of(key.public_key()), given)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path, key_path, error) from error


def _check_authority(path: Path, key_path: Path) -> None:
    """Read the server's own CA, which it signs leaves with."""
    try:
        x509.load_pem_x509_certificate(path.read_bytes())
        serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path, key_path, error) from error


def _unreadable(path: Path, key_path: Path, error: Exception) -> ConfigError:
    if isinstance(error, OSError):
        return ConfigError(f"{error.filename}: {error.strerror}")
    # Its own text may quote the file.
    return ConfigError(f"{path} or {key_path} is no PEM certificate and unlocked key")


def _facts(
    path: Path,
    key_path: Path,
    chain: list[x509.Certificate],
    key: bytes,
    given: TLSConfig,
) -> CertificateFacts:
    leaf, authority = chain[0], chain[-1]
    return CertificateFacts(
        path=path,
        key_path=key_path,
        is_own=not given.certificate,
        names=_names(leaf),
        starts=leaf.not_valid_before_utc.astimezone(UTC),
        ends=leaf.not_valid_after_utc.astimezone(UTC),
        authority_ends=authority.not_valid_after_utc.astimezone(UTC),
        fits=spki_of(leaf.public_key()) == key,
        is_chained=all(_is_issued_by(one, issuer) for one, issuer in pairwise(chain)),
        ca_pin=sha256(spki_of(authority.public_key())).digest(),
    )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = found.value
    addresses = names.get_values_for_type(x509.IPAddress)
    return (
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in addresses),
    )


def _is_issued_by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
