"""Registration by a signed token of an outside identity service (R-REG-006 to 008).

The service knows its people by whatever means it has, and signs for one of them that
one account key may register. What it has to make, and how the two agree on keys, is
in docs/operating.md. The server holds public keys alone, so that it can let nobody
in by itself, and it sees nothing of the person but what the service put in.

A token is judged here by everything that needs no memory and no clock; its time and
whether it was used are judged by the folds, in the transaction that creates the
account: an equal REGISTER whose answer was lost gets the equal answer even when the
token has ended meanwhile (R-REG-002).

JSON Web Token: RFC 7519; the algorithms: RFC 8037 (EdDSA) and RFC 7518 §3.4 (ES256).
What is known to go wrong with it (RFC 8725) is why the key decides the algorithm and
why audience, issuer, times and id are all required.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, cast

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm
from msgspec import Meta

from wigwag.server._config import RegistrationTokenConfig
from wigwag.server._errors import ConfigError
from wigwag.server._proof import Accepted, ProofRefusedError
from wigwag.server.core import ProofUse

LIFE_SECONDS_MAX = 600
"""A stolen token is worth little, and what the server remembers of it is short."""

ID_CHARACTERS_MAX = 256
"""Above a UUID and most of what services make; a proof has 2 KiB."""

KID_CHARACTERS_MAX = 256

KEY_FILE_BYTES_MAX = 65_536
"""A PEM key has 200 bytes, a set of a few JWKs some thousand."""

_USE_LABEL = b"wigwag registration token\x00"

# The year 10000 is soon enough; keeps the arithmetic in ms far from any bound.
_Seconds = Annotated[int, Meta(ge=0, le=253_402_300_800)]
_Id = Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS_MAX)]

# What a token can make the parsers raise: not base64, not JSON, not UTF-8, a number
# out of range, brackets nested a thousand deep, another type than the claim has.
_WRONG = (
    jwt.PyJWTError,
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    RecursionError,
)

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: Annotated[str, Meta(max_length=KID_CHARACTERS_MAX)] | None = None
    # Whoever sets it asks for what isn't known here (RFC 7515 §4.1.11).
    crit: object = None


class _Claims(msgspec.Struct, frozen=True):
    iat: _Seconds
    exp: _Seconds
    jti: _Id
    account_key_sha256: Annotated[str, Meta(min_length=43, max_length=43)]
    nbf: _Seconds = 0


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A public key of the identity service; it decides the algorithm.

    Attributes:
        kid: By which name tokens call it.
        algorithm: EdDSA or ES256.
        public: Itself.
    """

    kid: str
    algorithm: str
    public: PublicKey


# Verified with when a token names a key that isn't there: the same work, as in
# `verify_nobody`, so that time doesn't tell which part was wrong.
_NOBODY = TokenKey("", "EdDSA", Ed25519PrivateKey.generate().public_key())


class TokenVerifier:
    """Takes tokens of one issuer, for one audience.

    Args:
        keys: The issuer's public keys by kid; at least one.
        issuer: The `iss` that tokens must have.
        audience: What must be (in) their `aud`.
        leeway_seconds: By how much the two clocks may differ.
    """

    def __init__(
        self,
        keys: Mapping[str, TokenKey],
        *,
        issuer: str,
        audience: str,
        leeway_seconds: int,
    ) -> None:
        assert keys
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway_seconds = leeway_seconds

    def verify(self, proof: bytes, account_key: bytes, /) -> Accepted:
        """Judge a token but for its time and its use, which the log judges."""
        try:
            claims = self._claims(proof.decode("ascii"))
        except _WRONG:
            # Not as the cause: the error's text may quote the token.
            raise ProofRefusedError from None
        life_seconds = claims.exp - claims.iat
        is_its_own = compare_digest(
            claims.account_key_sha256.encode(), account_key_sha256(account_key).encode()
        )
        if not is_its_own or not 0 < life_seconds <= LIFE_SECONDS_MAX:
            raise ProofRefusedError
        starts = max(claims.iat, claims.nbf) - self._leeway_seconds
        ends = claims.exp + self._leeway_seconds
        digest = sha256(_USE_LABEL + f"{self._issuer}\x00{claims.jti}".encode())
        return Accepted(None, ProofUse(digest.digest(), starts * 1000, ends * 1000))

    def _claims(self, token: str) -> _Claims:
        header = msgspec.json.decode(_unpadded(token.partition(".")[0]), type=_Header)
        key = _NOBODY if header.crit is not None else self._key(header.kid)
        claims: object = jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],
            issuer=self._issuer,
            audience=self._audience,
            options={
                "require": ["iss", "aud", "iat", "exp", "jti"],
                # By the time of the record instead.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return msgspec.convert(claims, _Claims, strict=True)

    def _key(self, kid: str | None) -> TokenKey:
        """Return the key that a token names; without a name, the only one."""
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else _NOBODY
        return self._keys.get(kid, _NOBODY)


def account_key_sha256(account_key: bytes) -> str:
    """Return what a token must say of an account key (R-REG-007)."""
    digest = sha256(account_key).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def make_token_verifier(config: RegistrationTokenConfig) -> TokenVerifier:
    """Read the keys of a configuration.

    Raises:
        ConfigError: A key can't be read, isn't one that is taken, or two have one kid.
    """
    keys: dict[str, TokenKey] = {}
    for text in config.keys:
        for key in _load(text):
            if key.kid in keys:
                raise ConfigError(
                    f"registration_token.keys: two keys are called {key.kid!r}; give "
                    "the JWKs different kids, or the PEM files different names"
                )
            keys[key.kid] = key
    return TokenVerifier(
        keys,
        issuer=config.issuer,
        audience=config.audience,
        leeway_seconds=config.leeway_seconds,
    )


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


def _load(text: str) -> list[TokenKey]:
    """Read one entry of `keys`: a JWK itself, or a file with a JWK, a set, or PEM."""
    if text.lstrip().startswith("{"):
        return _load_jwks(text, "a JWK in registration_token.keys")
    path = Path(text).expanduser()
    try:
        if path.stat().st_size > KEY_FILE_BYTES_MAX:
            raise ConfigError(f"{path} is larger than 64 KiB: this is no key")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    if data.lstrip().startswith(b"{"):
        return _load_jwks(data.decode("utf-8", "replace"), str(path))
    try:
        public = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        # Not as the cause: if it is a private key, nothing of it belongs in a log.
        raise ConfigError(
            f"{path} holds no PEM public key and no JWK; the server needs the public "
            "key alone"
        ) from None
    return [_token_key(path.stem, public, str(path))]


def _load_jwks(text: str, place: str) -> list[TokenKey]:
    try:
        found = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        raise ConfigError(f"{place} is no JSON") from None
    inner = found.get("keys", [found])
    jwks = cast("list[object]", inner) if isinstance(inner, list) else []
    if not jwks:
        raise ConfigError(f"{place} holds no key")
    return [_load_jwk(jwk, place) for jwk in jwks]


def _load_jwk(value: object, place: str) -> TokenKey:
    jwk = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid:
        raise ConfigError(f"{place} has no kid: tokens name their key by it")
    if "d" in jwk:
        raise ConfigError(
            f"{place} ({kid}) is a private key; the server needs the public key alone"
        )
    algorithm = OKPAlgorithm if jwk.get("kty") == "OKP" else ECAlgorithm
    try:
        public = algorithm.from_jwk(cast("dict[str, str]", jwk))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise ConfigError(f"{place} ({kid}) is no usable public key") from None
    return _token_key(kid, public, place)


def _token_key(kid: str, public: object, place: str) -> TokenKey:
    if isinstance(public, Ed25519PublicKey):
        return TokenKey(kid, "EdDSA", public)
    if isinstance(public, EllipticCurvePublicKey) and isinstance(
        public.curve, SECP256R1
    ):
        return TokenKey(kid, "ES256", public)
    raise ConfigError(
        f"{place} ({kid}) is neither an Ed25519 nor a P-256 key: tokens are signed "
        "with EdDSA or ES256"
    )
