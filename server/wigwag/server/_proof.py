"""What a verifier of identity proofs is, and what it says."""

from dataclasses import dataclass
from typing import Protocol

from wigwag.server.core import ProofUse


class ProofRefusedError(Exception):
    """The proof proves nothing; the peer is told PROOF_REFUSED and no more."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The proof is good as far as the verifier can tell.

    Attributes:
        invite: SHA-256 of the invite that the log must use up; None: none.
        once: What the log must take once and never again; None: nothing.
    """

    invite: bytes | None = None
    once: ProofUse | None = None


class ProofVerifier(Protocol):
    """Judges one kind of proof.

    1. `verify` is called with the proof's bytes as sent, at most 2 KiB, and the
       account key that is to be registered, after both signatures of the REGISTER
       were verified.
    2. It returns what the log must still judge, or raises; it never waits.
    """

    def verify(self, proof: bytes, account_key: bytes, /) -> Accepted:
        """Judge a proof.

        Raises:
            ProofRefusedError: It isn't good.
        """
        ...
