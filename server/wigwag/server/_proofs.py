"""Who may register: one verifier for each kind of identity proof.

A verifier judges the proof itself. What only the log can know, such as whether an
invite is used up, the log judges, in the same commit that creates the account.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from wigwag.server._config import Config
from wigwag.wire import ProofKind

INVITE_ALPHABET = frozenset(string.ascii_lowercase + "234567")
INVITE_CHARACTERS = 16


class ProofRefusedError(Exception):
    """The proof proves nothing; the peer is told PROOF_REFUSED and no more."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The proof is good as far as the verifier can tell.

    Attributes:
        invite: SHA-256 of the invite that the log must use up; None: none.
    """

    invite: bytes | None


class ProofVerifier(Protocol):
    """Judges one kind of proof.

    1. `verify` is called with the proof's bytes as sent, at most 2 KiB, after both
       signatures of the REGISTER were verified.
    2. It returns what the log must still judge, or raises; it never waits.
    """

    def verify(self, proof: bytes, /) -> Accepted:
        """Judge a proof.

        Raises:
            ProofRefusedError: It isn't good.
        """
        ...


class InviteVerifier:
    """Takes an invite code: base32 in lower case, as in the join string."""

    def verify(self, proof: bytes, /) -> Accepted:
        """Check the code's form; the log knows its uses and its end."""
        code = proof.decode("ascii", "replace").strip().lower()
        if len(code) != INVITE_CHARACTERS or not INVITE_ALPHABET.issuperset(code):
            raise ProofRefusedError
        return Accepted(invite_hash(code))


class OpenVerifier:
    """Takes anybody: for development, behind an explicit switch."""

    def verify(self, proof: bytes, /) -> Accepted:
        """Accept whatever it is."""
        del proof
        return Accepted(None)


def invite_hash(code: str) -> bytes:
    """Return what is stored of an invite: a copied database invites nobody."""
    return sha256(code.encode("ascii")).digest()


def make_verifiers(config: Config) -> Mapping[ProofKind, ProofVerifier]:
    """Return the verifiers that a configuration asks for; invites always work."""
    verifiers: dict[ProofKind, ProofVerifier] = {ProofKind.INVITE: InviteVerifier()}
    if config.registration == "open":
        verifiers[ProofKind.OPEN] = OpenVerifier()
    return verifiers
