"""By what a new account may register: an invite, a token, or nothing.

A token of an outside identity service is good for one account key (R-REG-007), so it
can be asked for only when the key exists: whoever has a way to get one gives it as a
`TokenSource`, and it is asked before the server is dialled, since a person may have
to sign in somewhere first.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeAlias, cast

from wigwag.client._errors import TokenWrong
from wigwag.client._join import Join
from wigwag.wire import ProofKind

TokenSource: TypeAlias = Callable[[str], Awaitable[str]]
"""Takes the account key's SHA-256 as a token must hold it; returns a token."""

TOKEN_BYTES_MAX: Final = 2048
"""REGISTER holds no longer proof."""

KEY_CLAIM: Final = "account_key_sha256"


@dataclass(frozen=True, slots=True)
class Proof:
    """An identity proof as REGISTER carries it."""

    kind: ProofKind
    data: bytes = field(repr=False)


def account_key_sha256(account_key: bytes) -> str:
    """Return what a token must say of an account key (R-REG-007).

    Args:
        account_key: Ed25519 public key, 32 bytes.
    """
    digest = sha256(account_key).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


async def get_proof(join: Join, token: str | TokenSource | None, key: str) -> Proof:
    """Return the proof for an account: the token if there is one, else the invite.

    Args:
        join: The server's join string.
        token: A token, or whoever can get one.
        key: `account_key_sha256` of the account.

    Raises:
        TokenWrong: The token can't be one, or is for another account key.
    """
    if token is None:
        kind = ProofKind.INVITE if join.invite else ProofKind.OPEN
        return Proof(kind, join.invite.encode("ascii"))
    text = (token if isinstance(token, str) else await token(key)).strip()
    _check(text, key)
    return Proof(ProofKind.TOKEN, text.encode("ascii"))


def _check(token: str, key: str) -> None:
    """Say what the server wouldn't: it refuses all wrong proofs alike."""
    parts = token.split(".")
    if not token.isascii() or len(parts) != 3 or not all(parts):
        raise TokenWrong("That is no token: it has three parts with dots between.")
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenWrong(
            f"The token has {len(token)} characters; {TOKEN_BYTES_MAX} are taken.",
            action="Have the identity service leave out what the server doesn't need.",
        )
    claims = _claims(parts[1])
    if claims is not None and claims.get(KEY_CLAIM) != key:
        raise TokenWrong(
            "The token is for another account key.",
            action=f"Get one with {KEY_CLAIM} = {key}",
        )


def _claims(part: str) -> dict[str, object] | None:
    """Read a token's claims, unverified; None: the server is to judge them."""
    try:
        padded = part + "=" * (-len(part) % 4)
        found: object = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return cast("dict[str, object]", found) if isinstance(found, dict) else None
