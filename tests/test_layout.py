"""The shape of the tree, held by tests: where things may be and how large they get.

The rules are those of CONTRIBUTING.md. A rule that only a reviewer knows is
forgotten; a rule that fails a test is not.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PORTIONS = ("spec", "wire", "server", "client", "bench")
TOP_LEVEL_READMES = (*PORTIONS, "tests", "docs")

# A file that needs more than a sitting to read is split (CONTRIBUTING.md, Shape).
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# Written so that the patterns do not match themselves.
MACHINE_PATH = re.compile(r"(?<![\w.<])/(?:" + "work|root|farm" + r")/[\w.]")
REGISTRY = re.compile(
    r"https?://[^/\s\"']*\b(?:" + "registry|index|proxy|files" + r")\.[a-z0-9.-]+", re.I
)


def tracked(*suffixes: str) -> list[Path]:
    """Returns the files under version control, generated ones left out."""
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.splitlines()
    else:  # an unpacked archive has no git
        names = [
            str(path.relative_to(ROOT))
            for portion in (*PORTIONS, "tests")
            for path in (ROOT / portion).rglob("*")
            if path.is_file()
        ]
    return [
        ROOT / name
        for name in names
        if name.endswith(suffixes)
        and "_generated" not in name.split("/")
        and (ROOT / name).is_file()
    ]


def python_files() -> list[Path]:
    """Returns our own Python sources."""
    return tracked(".py")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yields each function of a file, methods and nested ones included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_it_may_be() -> None:
    """A file over the limit hides a second noun."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files()
        if (lines := path.read_text("utf-8").count("\n")) > FILE_LINES_MAX
    }
    assert not long


def test_no_function_is_longer_than_it_may_be() -> None:
    """A function over the limit decides and computes at once."""
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files()
        for node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long


def test_no_portion_claims_the_namespace() -> None:
    """A wigwag/__init__.py in one folder hides the packages of all the others."""
    assert not [
        portion
        for portion in PORTIONS
        if (ROOT / portion / "wigwag" / "__init__.py").exists()
    ]


@pytest.mark.parametrize("folder", TOP_LEVEL_READMES)
def test_every_top_level_folder_says_what_lives_in_it(folder: str) -> None:
    """A newcomer finds out from the folder itself where a thing belongs."""
    assert (ROOT / folder / "README.md").is_file()


def test_every_package_names_what_it_exports() -> None:
    """Without __all__ nobody can tell the interface from the inside."""
    bare: list[str] = []
    for portion in PORTIONS:
        for path in sorted((ROOT / portion / "wigwag").glob("*/__init__.py")):
            tree = ast.parse(path.read_text("utf-8"))
            names = {
                target.id
                for node in tree.body
                if isinstance(node, ast.Assign | ast.AnnAssign)
                for target in (
                    node.targets if isinstance(node, ast.Assign) else [node.target]
                )
                if isinstance(target, ast.Name)
            }
            if "__all__" not in names or not ast.get_docstring(tree):
                bare.append(str(path.relative_to(ROOT)))
    assert not bare


def test_no_handler_swallows_every_error() -> None:
    """An error that nobody sees is a loss that nobody sees."""
    swallowed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or ast.unparse(node.type) in ("Exception", "BaseException")
        )
        and all(isinstance(statement, ast.Pass) for statement in node.body)
    ]
    assert not swallowed


def test_every_test_can_fail() -> None:
    """A test that asserts nothing proves nothing."""
    proves = re.compile(r"assert|raises|check|expect|verify")
    empty = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files()
        if path.name.startswith("test_")
        for node in functions(path)
        if node.name.startswith("test_") and not proves.search(ast.unparse(node))
    ]
    assert not empty


def test_nothing_names_the_machine_it_was_made_on() -> None:
    """A path or package index of one machine is wrong on every other."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("")
        if path.name != "test_layout.py" and path.stat().st_size < 1_000_000
        for number, line in enumerate(
            path.read_text("utf-8", errors="replace").splitlines(), 1
        )
        if MACHINE_PATH.search(line) or REGISTRY.search(line)
    ]
    assert not found


def test_every_type_exemption_names_its_rule() -> None:
    """A bare exemption hides the next mistake on the same line too."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files()
        if path.name != "test_layout.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"#\s*(?:type|pyright):\s*ignore(?!\[)|#\s*noqa(?!:)", line)
    ]
    assert not bare
