"""An identity service for tests: keys, and tokens that PyJWT signs."""

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from wigwag.server import Config, RegistrationTokenConfig

ISSUER = "https://id.example.org"
AUDIENCE = "wigwag.example.org"

PrivateKey = Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def key_hash(account_key: bytes) -> str:
    """What a token says of an account key, written once more, by its text."""
    return base64.urlsafe_b64encode(sha256(account_key).digest()).decode().rstrip("=")


@dataclass
class Issuer:
    """One key of an identity service."""

    kid: str = "one"
    algorithm: str = "EdDSA"
    private: PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def pem(self) -> bytes:
        """Its public key."""
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def jwk(self) -> str:
        """Its public key as a JWK."""
        public = self.private.public_key()
        text = (
            ECAlgorithm.to_jwk(public)
            if isinstance(public, ec.EllipticCurvePublicKey)
            else OKPAlgorithm.to_jwk(public)
        )
        return json.dumps({**json.loads(text), "kid": self.kid})

    def pem_file(self, folder: Path) -> str:
        """Write its public key to a file that is called like it."""
        path = folder / f"{self.kid}.pem"
        path.write_bytes(self.pem)
        return str(path)

    def claims(self, account_key: bytes, **changed: object) -> dict[str, object]:
        """The claims of a good token; None takes one away."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 600,
            "jti": str(uuid.uuid4()),
            "sub": "somebody",
            "account_key_sha256": key_hash(account_key),
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, account_key: bytes, **changed: object) -> bytes:
        """A token for an account key."""
        return self.sign(self.claims(account_key, **changed))

    def sign(self, claims: dict[str, object], **header: object) -> bytes:
        """Sign whatever it is; a header of None is left out."""
        headers = {"kid": self.kid, **header}
        kept = {name: value for name, value in headers.items() if value is not None}
        token = jwt.PyJWS().encode(
            json.dumps(claims).encode(),
            self.private,
            algorithm=self.algorithm,
            headers=kept or None,
        )
        return token.encode()


def p256_issuer(kid: str = "two") -> Issuer:
    """An issuer that signs with ES256."""
    return Issuer(kid, "ES256", ec.generate_private_key(ec.SECP256R1()))


def token_config(*keys: str, leeway_seconds: int = 30) -> RegistrationTokenConfig:
    """What a server takes."""
    return RegistrationTokenConfig(
        issuer=ISSUER,
        audience=AUDIENCE,
        keys=list(keys),
        leeway_seconds=leeway_seconds,
    )


def server_config(*keys: str) -> Config:
    """A server that takes tokens."""
    return Config(
        listen="127.0.0.1:0",
        registration="token",
        registration_token=token_config(*keys),
    )
