"""Tokens of an identity service: what is taken, and each way of being wrong."""

import base64
import hmac
import json
import time
from os import urandom
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server._issuer import (
    AUDIENCE,
    ISSUER,
    Issuer,
    p256_issuer,
    server_config,
    token_config,
)
from tests.server._peer import Account, connect, invite_of

from wigwag.server import ConfigError
from wigwag.server._proof import ProofRefusedError
from wigwag.server._tokens import (
    ID_CHARACTERS_MAX,
    LIFE_SECONDS_MAX,
    TokenVerifier,
    account_key_sha256,
    make_token_verifier,
)
from wigwag.testing import server
from wigwag.wire import AuthOk, ErrorCode, ProofKind
from wigwag.wire import Error as ErrorMessage

KEY = b"k" * 32
MINE = Issuer()
OTHER = Issuer(MINE.kid)
VERIFIER = make_token_verifier(token_config(MINE.jwk))


def is_taken(proof: bytes, verifier: TokenVerifier = VERIFIER) -> bool:
    """Whether a verifier takes a proof."""
    try:
        verifier.verify(proof, KEY)
    except ProofRefusedError:
        return False
    return True


def part(value: object) -> bytes:
    """A part of a token."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def test_the_hash_of_a_key_is_written_as_the_requirement_says() -> None:
    """R-REG-007: another service computes it from the text alone."""
    digest = bytes.fromhex(
        "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    )  # SHA-256 of 32 zero bytes
    written = account_key_sha256(bytes(32))
    assert len(written) == 43
    assert base64.urlsafe_b64decode(written + "=") == digest


@pytest.mark.parametrize("issuer", [MINE, p256_issuer()], ids=["EdDSA", "ES256"])
@pytest.mark.parametrize("form", ["pem", "jwk", "file", "set"])
def test_a_good_token_is_taken(issuer: Issuer, form: str, tmp_path: Path) -> None:
    """With either algorithm, and however the key is given."""
    jwk_path = tmp_path / "key.json"
    match form:
        case "pem":
            key = issuer.pem_file(tmp_path)
        case "jwk":
            key = issuer.jwk
        case "file":
            jwk_path.write_text(issuer.jwk)
            key = str(jwk_path)
        case _:
            jwk_path.write_text(f'{{"keys": [{Issuer("x").jwk}, {issuer.jwk}]}}')
            key = str(jwk_path)
    verifier = make_token_verifier(token_config(key))
    now = int(time.time())
    accepted = verifier.verify(issuer.token(KEY, iat=now, exp=now + 60), KEY)
    assert accepted.invite is None
    assert accepted.once is not None
    assert accepted.once.starts_ms == (now - 30) * 1000
    assert accepted.once.ends_ms == (now + 60 + 30) * 1000


def _wrong_claims() -> dict[str, dict[str, object]]:
    now = int(time.time())
    wrong: dict[str, dict[str, object]] = {
        f"{name} is missing": {name: None}
        for name in ("iss", "aud", "iat", "exp", "jti", "account_key_sha256")
    }
    more: dict[str, dict[str, object]] = {
        "another issuer": {"iss": ISSUER + "/"},
        "issuer in a list": {"iss": [ISSUER]},
        "another audience": {"aud": "other.example.org"},
        "other audiences": {"aud": ["other.example.org"]},
        "lives too long": {"iat": now, "exp": now + LIFE_SECONDS_MAX + 1},
        "lives no time": {"iat": now, "exp": now},
        "ends before it starts": {"iat": now, "exp": now - 1},
        "time as text": {"exp": str(now + 60)},
        "time as a fraction": {"exp": now + 60.5},
        "time as infinity": {"exp": float("inf")},
        "time as no number": {"iat": float("nan")},
        "time beyond all calendars": {"iat": 10**30, "exp": 10**30 + 60},
        "time below zero": {"iat": -60, "exp": 0},
        "true as time": {"iat": True, "exp": now},
        "id is empty": {"jti": ""},
        "id is too long": {"jti": "x" * (ID_CHARACTERS_MAX + 1)},
        "id is a number": {"jti": 7},
        "another account key": {"account_key_sha256": account_key_sha256(b"x" * 32)},
        "account key is empty": {"account_key_sha256": ""},
        "account key with padding": {
            "account_key_sha256": account_key_sha256(KEY) + "="
        },
        "account key in a list": {"account_key_sha256": [account_key_sha256(KEY)]},
        "account key of other letters": {"account_key_sha256": "é" * 43},
    }
    return wrong | more


@pytest.mark.parametrize("name", list(_wrong_claims()))
def test_each_wrong_claim_is_refused(name: str) -> None:
    """Each of them is what some attack on tokens is made of."""
    assert not is_taken(MINE.sign(MINE.claims(KEY, **_wrong_claims()[name])))


def test_what_is_just_inside_is_taken() -> None:
    """The bounds are where the text says, for times and for the id."""
    now = int(time.time())
    life = MINE.token(KEY, iat=now, exp=now + LIFE_SECONDS_MAX)
    assert is_taken(life)
    assert is_taken(MINE.token(KEY, jti="x" * ID_CHARACTERS_MAX))
    assert is_taken(MINE.token(KEY, aud=["other", AUDIENCE]))


def test_not_before_counts_from_the_later_of_both() -> None:
    """A token may be made before it holds."""
    now = int(time.time())
    accepted = VERIFIER.verify(MINE.token(KEY, iat=now, nbf=now + 50), KEY)
    assert accepted.once is not None
    assert accepted.once.starts_ms == (now + 50 - 30) * 1000


def _forged() -> dict[str, bytes]:
    claims = MINE.claims(KEY)
    signed = part({"alg": "HS256", "kid": MINE.kid}) + b"." + part(claims)
    good = MINE.sign(claims)
    head, body, signature = good.split(b".")
    p256 = p256_issuer(MINE.kid)
    forged = {
        "no algorithm": part({"alg": "none", "kid": MINE.kid}) + b"." + body + b".",
        "no algorithm, other case": part({"alg": "NonE"}) + b"." + body + b".",
        "no algorithm, old signature": b".".join(
            (part({"alg": "none", "kid": MINE.kid}), body, signature)
        ),
        "another key": OTHER.sign(claims),
        "a key of another algorithm": p256.sign(claims),
        "another algorithm's name": b".".join(
            (part({"alg": "ES256", "kid": MINE.kid}), body, signature)
        ),
        "unknown kid": MINE.sign(claims, kid="three"),
        "kid is a number": part({"alg": "EdDSA", "kid": 1}) + b"." + body + b".AA",
        "critical header": MINE.sign(claims, crit=["exp"]),
        "key in the header": OTHER.sign(claims, jwk=json.loads(OTHER.jwk)),
        "address of a key": OTHER.sign(claims, jku="https://evil.example.org/k"),
        "claims changed": b".".join((head, part({**claims, "sub": "x"}), signature)),
        "two parts": head + b"." + body,
        "four parts": good + b"." + signature,
        "signature cut": good[:-8],
        "signature longer": good + b"AAAA",
        "claims no object": _signed_list(),
        "brackets without end": part({"alg": "EdDSA"})
        + b"."
        + part(b"[" * 1400)
        + b"."
        + signature,
        "brackets without end in the header": part(b"[" * 1400) + b".e30." + signature,
        "nothing": b"",
        "dots": b"..",
        "no text": b"\xff\xfe.\x00.\x01",
    }
    secrets = {"PEM": MINE.pem, "JWK": MINE.jwk.encode(), "nothing": b""}
    for name, secret in secrets.items():
        mac = part(hmac.digest(secret, signed, "sha256"))
        forged[f"{name} as a shared secret"] = signed + b"." + mac
    return forged


def _signed_list() -> bytes:
    signed = part({"alg": "EdDSA", "kid": MINE.kid, "typ": "JWT"}) + b"." + part([1])
    key = MINE.private
    assert not isinstance(key, ec.EllipticCurvePrivateKey)
    return signed + b"." + part(key.sign(signed))


@pytest.mark.parametrize("name", list(_forged()))
def test_forged_tokens_are_refused(name: str) -> None:
    """The key decides the algorithm; what a token says of itself decides nothing."""
    assert not is_taken(_forged()[name])


@given(st.binary(max_size=2048))
def test_no_bytes_break_the_verifier(proof: bytes) -> None:
    """A fault would cost a connection and a log entry of its own."""
    assert not is_taken(proof)


# Drawing the first values is slow on a machine that is busy.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "iat", "exp", "nbf", "jti", "sub", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3),
        ),
        max_size=4,
    )
)
def test_no_signed_claims_break_the_verifier(claims: dict[str, Any]) -> None:
    """An identity service with a fault must not become ours."""
    kept: dict[str, Any] = MINE.claims(KEY) | claims
    body = part(kept)
    head = part({"alg": "EdDSA", "kid": MINE.kid})
    key = MINE.private
    assert not isinstance(key, ec.EllipticCurvePrivateKey)
    proof = head + b"." + body + b"." + part(key.sign(head + b"." + body))
    if is_taken(proof):
        assert kept["iss"] == ISSUER
        assert AUDIENCE in kept["aud"]
        assert 0 < kept["exp"] - kept["iat"] <= LIFE_SECONDS_MAX
        assert kept["jti"]


def test_keys_are_rotated_by_having_both_for_a_while(tmp_path: Path) -> None:
    """The service changes to the new key when all servers know it."""
    old, new = Issuer("2026-a"), p256_issuer("2026-b")
    before = make_token_verifier(token_config(old.pem_file(tmp_path)))
    both = make_token_verifier(token_config(old.pem_file(tmp_path), new.jwk))
    after = make_token_verifier(token_config(new.jwk))
    taken = [
        [is_taken(issuer.token(KEY), one) for one in (before, both, after)]
        for issuer in (old, new)
    ]
    assert taken == [[True, True, False], [False, True, True]]


def test_without_a_kid_there_must_be_one_key() -> None:
    """Trying every key would let a token choose the weakest."""
    unnamed = MINE.sign(MINE.claims(KEY), kid=None)
    assert is_taken(unnamed)
    both = make_token_verifier(token_config(MINE.jwk, p256_issuer().jwk))
    assert not is_taken(unnamed, both)
    assert is_taken(MINE.token(KEY), both)


def test_ids_of_two_issuers_do_not_meet() -> None:
    """A service that numbers its tokens from 1 must not use up another's."""
    token = MINE.token(KEY, jti="1")
    first = VERIFIER.verify(token, KEY).once
    again = VERIFIER.verify(MINE.token(KEY, jti="1"), KEY).once
    other = VERIFIER.verify(MINE.token(KEY, jti="2"), KEY).once
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.digest == again.digest
    assert first.digest != other.digest
    elsewhere = TokenVerifier(
        VERIFIER._keys,  # pyright: ignore[reportPrivateUsage] - the same keys
        issuer="https://other.example.org",
        audience=AUDIENCE,
        leeway_seconds=30,
    )
    its = MINE.token(KEY, jti="1", iss="https://other.example.org")
    third = elsewhere.verify(its, KEY).once
    assert third is not None
    assert third.digest != first.digest


def _bad_keys(folder: Path) -> dict[str, str]:
    private = folder / "private.pem"
    private.write_bytes(
        MINE.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    p384 = folder / "p384.pem"
    p384.write_bytes(
        ec.generate_private_key(ec.SECP384R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    ed448 = folder / "ed448.pem"
    ed448.write_bytes(
        Ed448PrivateKey.generate()
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    large = folder / "large.pem"
    large.write_bytes(b"x" * 65_537)
    jwk = json.loads(MINE.jwk)
    return {
        "No such file": str(folder / "none.pem"),
        "holds no PEM public key": str(private),
        "neither an Ed25519 nor a P-256 key": str(p384),
        "(ed448) is neither": str(ed448),
        "larger than 64 KiB": str(large),
        "is no JSON": "{",
        "holds no key": '{"keys": []}',
        "has no kid": json.dumps({**jwk, "kid": ""}),
        "is a private key": json.dumps({**jwk, "d": "AAAA"}),
        "is no usable public key": json.dumps({**jwk, "x": "AAAA"}),
        "is no usable public key ": json.dumps({"kty": "oct", "k": "AA", "kid": "1"}),
    }


def test_keys_that_can_not_be_used_are_said_at_the_start(tmp_path: Path) -> None:
    """One sentence each, and nothing of a private key in it."""
    for expected, key in _bad_keys(tmp_path).items():
        with pytest.raises(ConfigError) as caught:
            make_token_verifier(token_config(key))
        assert expected.strip() in caught.value.sentence
        assert caught.value.__cause__ is None or "No such" in expected
    with pytest.raises(ConfigError, match="two keys are called 'one'"):
        make_token_verifier(token_config(MINE.jwk, OTHER.jwk))


async def test_a_token_registers_once_and_wrong_ones_are_all_alike(
    tmp_path: Path,
) -> None:
    """Over the wire, with a restart between use and replay (R-REG-008).

    A crash can't part the two: they are one transaction.
    """
    config = server_config(MINE.jwk)
    first, second = Account(generation=1), Account(generation=1)
    token = MINE.token(first.account_public, jti="used")
    # The id is what is used up, whoever the token is for.
    same_id = MINE.token(second.account_public, jti="used")
    now = int(time.time())
    early = MINE.token(second.account_public, iat=now + 100, exp=now + 200)
    late = MINE.token(second.account_public, iat=now - 200, exp=now - 100)
    async with (
        server(config, folder=tmp_path) as running,
        connect(running.address.port) as peer,
    ):
        message = peer.register_message(first, token, ProofKind.TOKEN)
        assert isinstance(await peer.ask(message), AuthOk)
        log_before = running.log.getvalue()
    async with server(config, folder=tmp_path) as running:
        answers: list[object] = []
        for proof in (same_id, early, late, OTHER.token(second.account_public)):
            async with connect(running.address.port) as peer:
                wrong = peer.register_message(second, proof, ProofKind.TOKEN)
                answers.append(await peer.ask(wrong))
        async with connect(running.address.port) as peer:
            invite = peer.register_message(second, b"a" * 16)
            answers.append(await peer.ask(invite))
        for answer in answers:
            assert isinstance(answer, ErrorMessage)
            assert answer.code == ErrorCode.PROOF_REFUSED
        assert len({repr(answer) for answer in answers}) == 1
        async with connect(running.address.port) as peer:
            again = await peer.ask(peer.sign_register(first, message))
            assert isinstance(again, AuthOk), "R-REG-002: the equal answer"
        logs = log_before + running.log.getvalue()
    for proof in (token, same_id, early, late):
        for piece in proof.decode().split("."):
            assert piece not in logs
    assert "used" not in logs


async def test_without_the_setting_no_token_is_taken() -> None:
    """A server that knows no issuer takes nobody's word."""
    account = Account(generation=1)
    async with server() as running, connect(running.address.port) as peer:
        proof = MINE.token(account.account_public)
        answer = await peer.ask(peer.register_message(account, proof, ProofKind.TOKEN))
        assert isinstance(answer, ErrorMessage)
        assert answer.code == ErrorCode.UNSUPPORTED


async def test_an_operators_invite_works_beside_tokens() -> None:
    """Whom the identity service doesn't know, the operator can still let in."""
    account = Account(generation=1)
    async with server(server_config(MINE.jwk)) as running:
        join = await running.invite(uses=1)
        async with connect(running.address.port) as peer:
            message = peer.register_message(account, invite_of(join))
            assert isinstance(await peer.ask(message), AuthOk)


def test_pyjwt_itself_takes_what_we_take() -> None:
    """Our tokens are nobody's dialect: a plain verifier reads them."""
    token = MINE.token(urandom(32)).decode()
    claims = jwt.decode(
        token,
        MINE.private.public_key(),
        algorithms=["EdDSA"],
        audience=AUDIENCE,
        issuer=ISSUER,
    )
    assert claims["sub"] == "somebody"
