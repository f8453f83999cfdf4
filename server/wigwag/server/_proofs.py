"""Who may register: one verifier for each kind of identity proof.

A verifier judges the proof itself. What only the log can know, such as whether an
invite is used up, the log judges, in the same commit that creates the account.
"""

import string
from collections.abc import Mapping
from hashlib import sha256

from wigwag.server._config import Config
from wigwag.server._proof import Accepted, ProofRefusedError, ProofVerifier
from wigwag.server._tokens import make_token_verifier
from wigwag.wire import ProofKind

INVITE_ALPHABET = frozenset(string.ascii_lowercase + "234567")
INVITE_CHARACTERS = 16


class InviteVerifier:
    """Takes an invite code: base32 in lower case, as in the join string."""

    def verify(self, proof: bytes, account_key: bytes, /) -> Accepted:
        """Check the code's form; the log knows its uses and its end."""
        del account_key  # whoever has the code may register any
        code = proof.decode("ascii", "replace").strip().lower()
        if len(code) != INVITE_CHARACTERS or not INVITE_ALPHABET.issuperset(code):
            raise ProofRefusedError
        return Accepted(invite_hash(code))


class OpenVerifier:
    """Takes anybody: for development, behind an explicit switch."""

    def verify(self, proof: bytes, account_key: bytes, /) -> Accepted:
        """Accept whatever it is."""
        del proof, account_key
        return Accepted()


def invite_hash(code: str) -> bytes:
    """Return what is stored of an invite: a copied database invites nobody."""
    return sha256(code.encode("ascii")).digest()


def make_verifiers(config: Config) -> Mapping[ProofKind, ProofVerifier]:
    """Return the verifiers that a configuration asks for; invites always work.

    Raises:
        ConfigError: A key of the identity service can't be used.
    """
    verifiers: dict[ProofKind, ProofVerifier] = {ProofKind.INVITE: InviteVerifier()}
    if config.registration == "open":
        verifiers[ProofKind.OPEN] = OpenVerifier()
    if config.registration == "token":
        verifiers[ProofKind.TOKEN] = make_token_verifier(config.registration_token)
    return verifiers
