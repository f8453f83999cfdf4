"""Certificates: made, renewed, given; what clients pin and sign."""

import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wigwag.server import (
    ConfigError,
    DamagedDataError,
    DataFolder,
    TLSConfig,
    open_folder,
)
from wigwag.server._certificates import ServerIdentity, load_identity
from wigwag.server._tls import ServerTLS

NAMES = ("localhost", "127.0.0.1", "::1")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def load(folder: DataFolder, **options: object) -> ServerIdentity:
    """Load the folder's identity."""
    return load_identity(
        folder,
        TLSConfig(),
        options.get("names", NAMES),  # type: ignore[arg-type]  # the test's own
        options.get("now", NOW),  # type: ignore[arg-type]  # the test's own
    )


def leaf_of(identity: ServerIdentity) -> x509.Certificate:
    """The leaf that is presented."""
    return x509.load_pem_x509_certificates(identity.chain_path.read_bytes())[0]


def test_a_development_leaf_leads_to_its_authority(tmp_path: Path) -> None:
    """Clients pin the authority, so the chain must hold it."""
    with open_folder(tmp_path / "data") as folder:
        identity = load(folder, names=("chat.example.org", *NAMES))
        chain = x509.load_pem_x509_certificates(identity.chain_path.read_bytes())
    leaf, authority = chain
    leaf.verify_directly_issued_by(authority)
    spki = authority.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert identity.ca_pin == sha256(spki).digest()
    assert identity.leaf_sha256 == sha256(leaf.public_bytes(Encoding.DER)).digest()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["chat.example.org", "localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == [
        "127.0.0.1",
        "::1",
    ]


def test_openssl_accepts_the_chain(tmp_path: Path) -> None:
    """What we think is a good certificate must be one for everybody."""
    with open_folder(tmp_path / "data") as folder:
        tls = ServerTLS(load(folder, now=datetime.now(UTC)))
        client = ssl.create_default_context(cafile=str(folder.path / "ca.pem"))
        client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_side = tls.context.wrap_bio(to_server, to_client, server_side=True)
    client_side = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (client_side, server_side, client_side, server_side):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client_side.version() == "TLSv1.3"


def test_the_leaf_stays_until_it_is_needed_anew(tmp_path: Path) -> None:
    """Renewed near its end, for another name, or when its key doesn't fit."""
    with open_folder(tmp_path / "data") as folder:
        first = load(folder)
        assert load(folder) == first
        later = load(folder, now=NOW + timedelta(days=380))
        assert later.leaf_sha256 != first.leaf_sha256
        assert later.ca_pin == first.ca_pin
        named = load(
            folder,
            names=(*NAMES, "chat.example.org"),
            now=NOW + timedelta(days=380),
        )
        assert named.leaf_sha256 != later.leaf_sha256
        assert load(folder, now=NOW + timedelta(days=381)) == named
        other_key = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("localhost")
        folder.write_secret("leaf-key.pem", other_key.private_key_pem.bytes())
        healed = load(folder, now=NOW + timedelta(days=381))
        assert healed.leaf_sha256 != named.leaf_sha256


def test_keys_are_secret(tmp_path: Path) -> None:
    """A readable key is everybody's key."""
    with open_folder(tmp_path / "data") as folder:
        load(folder)
        for name in ("ca-key.pem", "leaf-key.pem"):
            assert (folder.path / name).stat().st_mode & 0o077 == 0


def test_a_damaged_authority_is_said_and_not_replaced(tmp_path: Path) -> None:
    """A new authority would lock every client out."""
    with open_folder(tmp_path / "data") as folder:
        load(folder)
        damaged = folder.write_secret("ca.pem", b"damaged")
        with pytest.raises(DamagedDataError, match="put a copy back"):
            load(folder)
        assert damaged.read_bytes() == b"damaged"


def given(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and key of some other authority."""
    issued = trustme.CA().issue_cert("chat.example.org")
    certificate, key = tmp_path / "given.pem", tmp_path / "given-key.pem"
    issued.private_key_pem.write_to_path(str(key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(certificate), append=True)
    return certificate, key


def test_given_files_are_taken(tmp_path: Path) -> None:
    """A public server has a certificate already."""
    certificate, key = given(tmp_path)
    with open_folder(tmp_path / "data") as folder:
        config = TLSConfig(certificate=str(certificate), private_key=str(key))
        identity = load_identity(folder, config, NAMES, datetime.now(UTC))
        ServerTLS(identity)
        assert not (folder.path / "ca.pem").exists()
    assert identity.chain_path == certificate


def test_given_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """At the start, not at the first client."""
    certificate, key = given(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, wrong_key = given(other)
    now = datetime.now(UTC)
    cases = [
        (certificate, wrong_key, now, "is not the key of"),
        (certificate, tmp_path / "none", now, "No such file"),
        (key, key, now, "is no PEM certificate"),
        (certificate, key, now + timedelta(days=400_000), "ended on"),
    ]
    with open_folder(tmp_path / "data") as folder:
        for chain_path, key_path, at, expected in cases:
            config = TLSConfig(certificate=str(chain_path), private_key=str(key_path))
            with pytest.raises(ConfigError, match=expected):
                load_identity(folder, config, NAMES, at)
