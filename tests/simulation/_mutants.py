"""Planted bugs: the proof that the sweep would find a violation of each invariant.

A mutant replaces a function of the real code at a named seam, for as long as it is
planted. Nothing in the product knows of it.
"""

from typing import Final

from tests.simulation._client_mutants import CLIENT_MUTANTS
from tests.simulation._guard_mutants import GUARD_MUTANTS
from tests.simulation._mutant import Mutant
from tests.simulation._server_mutants import SERVER_MUTANTS

MUTANTS: Final[dict[str, Mutant]] = {
    **SERVER_MUTANTS,
    **GUARD_MUTANTS,
    **CLIENT_MUTANTS,
}
