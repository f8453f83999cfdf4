"""The protocol as data, and what reads it: checker, generators, reference.

    specification = load_specification(product_root())
    send = specification.message("SEND")
    reference = Reference(specification)
    value = reference.decode("PING", 0, bytes(9))
    explain_error(send.type, 0, b"")          # why the codec refuses these bytes
"""

from wigwag.spec._explain import Explanation as Explanation
from wigwag.spec._explain import explain_error as explain_error
from wigwag.spec._explain import product_reference as product_reference
from wigwag.spec._ir import Specification as Specification
from wigwag.spec._ir import canonical_json as canonical_json
from wigwag.spec._ir import digest as digest
from wigwag.spec._load import product_root as product_root
from wigwag.spec._mistakes import Mistake as Mistake
from wigwag.spec._mistakes import SpecificationError as SpecificationError
from wigwag.spec._reference import Reference as Reference
from wigwag.spec._reference import Refusal as Refusal
from wigwag.spec._resolve import load_specification as load_specification
from wigwag.spec._strict import Unwritable as Unwritable

__all__ = [
    "Explanation",
    "Mistake",
    "Reference",
    "Refusal",
    "Specification",
    "SpecificationError",
    "Unwritable",
    "canonical_json",
    "digest",
    "explain_error",
    "load_specification",
    "product_reference",
    "product_root",
]
