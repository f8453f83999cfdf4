"""The server's certificate: given, or from a development CA that the server makes.

Clients pin the certificate authority, so a leaf can be renewed without telling
anybody. The leaf's hash is part of what a device signs at sign-in (R-AUTH-001): it
belongs to the `SSLContext` that presents the leaf and is never read from the file
again after that.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wigwag.server._config import TLSConfig
from wigwag.server._errors import ConfigError, DamagedDataError
from wigwag.server._folder import DataFolder

CA_NAME = "ca.pem"
CA_KEY_NAME = "ca-key.pem"
LEAF_NAME = "leaf.pem"
LEAF_KEY_NAME = "leaf-key.pem"

CA_LIFE = timedelta(days=3650)
# Apple and browsers refuse leaves of more than 398 days.
LEAF_LIFE = timedelta(days=397)
# A leaf this near its end is renewed at the next start.
LEAF_RENEWAL = timedelta(days=30)
# Clocks differ; a certificate from the future is refused.
BACKDATE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What the server presents and what clients hold it to."""

    chain_path: Path
    key_path: Path
    leaf_sha256: bytes
    """SHA-256 of the leaf certificate's DER: part of every AUTH signature."""
    ca_pin: bytes
    """SHA-256 of the CA's SubjectPublicKeyInfo: part of the join string."""


def load_identity(
    folder: DataFolder, given: TLSConfig, names: tuple[str, ...], now: datetime
) -> ServerIdentity:
    """Take the given certificate, or the folder's own, made or renewed as needed.

    Args:
        folder: Where a development CA and its leaf are kept.
        given: The configured files, or empty.
        names: DNS names and IP addresses that the development leaf must hold.
        now: The current time, in UTC.

    Raises:
        ConfigError: A given file is missing, unreadable or doesn't fit.
        DamagedDataError: A file in the folder isn't what the server wrote.
        StorageError: The disk refused.
    """
    if given.certificate:
        return _given(Path(given.certificate), Path(given.private_key), now)
    try:
        ca, ca_key = _development_ca(folder, now)
        _development_leaf(folder, ca, ca_key, names, now)
        return _identity(folder.path / LEAF_NAME, folder.path / LEAF_KEY_NAME)
    except (ValueError, TypeError, OSError) as error:
        raise DamagedDataError(
            f"{folder.path}: {CA_NAME} or {LEAF_NAME} is damaged ({error}); put a "
            "copy back, or remove the *.pem files to make new ones (clients then "
            "need a new join string)"
        ) from error


def _given(certificate: Path, private_key: Path, now: datetime) -> ServerIdentity:
    try:
        identity = _identity(certificate, private_key)
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        key = serialization.load_pem_private_key(private_key.read_bytes(), None)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{certificate} or {private_key} is no PEM certificate and key: {error}"
        ) from error
    if spki_of(leaf.public_key()) != spki_of(key.public_key()):
        raise ConfigError(f"{private_key} is not the key of {certificate}")
    if leaf.not_valid_after_utc <= now:
        raise ConfigError(f"{certificate} ended on {leaf.not_valid_after_utc:%Y-%m-%d}")
    return identity


def _identity(chain_path: Path, key_path: Path) -> ServerIdentity:
    chain = x509.load_pem_x509_certificates(chain_path.read_bytes())
    der = chain[0].public_bytes(serialization.Encoding.DER)
    pin = sha256(spki_of(chain[-1].public_key())).digest()
    return ServerIdentity(chain_path, key_path, sha256(der).digest(), pin)


def spki_of(key: object) -> bytes:
    """Return a public key's SubjectPublicKeyInfo, DER.

    Raises:
        ValueError: It is no public key.
    """
    public_bytes = getattr(key, "public_bytes", None)
    if public_bytes is None:
        raise ValueError("a key of an unknown kind")
    encoded: bytes = public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _development_ca(
    folder: DataFolder, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    path, key_path = folder.path / CA_NAME, folder.path / CA_KEY_NAME
    if path.exists() and key_path.exists():
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if certificate.not_valid_before_utc > now:
            raise ValueError(
                f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d}, "
                "so it was made while the clock was ahead"
            )
        return certificate, _private_key(key_path)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wigwag development CA")])
    certificate = (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    # The key first: a certificate without its key would look whole at the next start.
    folder.write_secret(CA_KEY_NAME, _pem(key))
    folder.write_secret(CA_NAME, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _development_leaf(
    folder: DataFolder,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    now: datetime,
) -> None:
    wanted = x509.SubjectAlternativeName([_general_name(name) for name in names])
    if _leaf_serves(folder, ca, wanted, now):
        return
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    leaf = (
        _builder(subject, ca.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(wanted, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    folder.write_secret(LEAF_KEY_NAME, _pem(key))
    # The CA goes along: a client that knows its pin alone needs the certificate.
    encoding = serialization.Encoding.PEM
    folder.write_secret(
        LEAF_NAME, leaf.public_bytes(encoding) + ca.public_bytes(encoding)
    )


def _leaf_serves(
    folder: DataFolder,
    ca: x509.Certificate,
    wanted: x509.SubjectAlternativeName,
    now: datetime,
) -> bool:
    path, key_path = folder.path / LEAF_NAME, folder.path / LEAF_KEY_NAME
    if not (path.exists() and key_path.exists()):
        return False
    leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        leaf.verify_directly_issued_by(ca)
    except (ValueError, InvalidSignature):
        return False
    # A crash between the two files leaves a key that isn't the leaf's.
    fits = spki_of(_private_key(key_path).public_key()) == spki_of(leaf.public_key())
    return (
        fits
        and set(wanted) <= set(names)
        and leaf.not_valid_after_utc - now > LEAF_RENEWAL
        # Made while the clock was ahead: no client takes it yet.
        and leaf.not_valid_before_utc <= now
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC) - BACKDATE
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path.name} holds no P-256 key")
    return key
