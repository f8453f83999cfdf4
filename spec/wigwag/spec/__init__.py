"""The protocol as data, and what reads it: checker, generators, reference.

    specification = load_specification(product_root())
    send = specification.message("SEND")
    value = Reference(specification).decode("PING", 0, bytes(9))
    explain_error(send.type, 0, b"")          # why the codec refuses these bytes
    raise SystemExit(ExitCode.IN_USE)         # every command's exit status

Only `ExitCode` is imported at once. Every command needs it, and few need the rest,
which takes longer to import than a command's help may take.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from wigwag.spec._exit_codes import ExitCode as ExitCode

if TYPE_CHECKING:
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

_LATER = {
    "Explanation": "_explain",
    "Mistake": "_mistakes",
    "Reference": "_reference",
    "Refusal": "_reference",
    "Specification": "_ir",
    "SpecificationError": "_mistakes",
    "Unwritable": "_strict",
    "canonical_json": "_ir",
    "digest": "_ir",
    "explain_error": "_explain",
    "load_specification": "_resolve",
    "product_reference": "_explain",
    "product_root": "_load",
}

__all__ = [
    "ExitCode",
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


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for.

    Raises:
        AttributeError: The package has no such name.
    """
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
