"""I13: what was planted as a secret is searched in everything that is left behind.

A search that finds nothing proves nothing unless it can find: what people said must be
found in their own histories, and the opaque bodies of raw clients in the server's
database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.soak._judge import Finding
from tests.soak._people import PersonProcess
from tests.soak._raw import RawPair

from wigwag.audit import Needle, Scanner
from wigwag.client import profile_secrets

LEAKS_TOLD_MAX = 10


@dataclass(frozen=True, slots=True)
class Search:
    """What a search came to.

    Attributes:
        leaks: Secrets where none may be, and planted words that were not found.
        needles: How many secrets were searched for.
        files: In how many files.
        data_bytes: How large they are together.
    """

    leaks: list[Finding]
    needles: int
    files: int
    data_bytes: int


async def secrets_of(
    people: Iterable[PersonProcess], pairs: Iterable[RawPair], word: str, invite: str
) -> list[Needle]:
    """Return everything that must be nowhere; nobody may have the profiles open."""
    needles = [
        Needle("what people said", word.encode()),
        Needle("an invite", invite.encode()),
    ]
    for person in people:
        needles.append(
            Needle(f"{person.name}'s passphrase", person.passphrase.encode())
        )
        needles += [
            Needle(f"{person.name}'s {secret.label}", secret.data)
            for secret in await profile_secrets(person.profile, person.passphrase)
        ]
    for pair in pairs:
        for account in (pair.source, pair.target):
            for label, key in (
                ("account key", account.account_key),
                ("device key", account.device_key),
                ("agreement key", account.agreement_key),
            ):
                needles.append(Needle(f"a raw {label}", key.private_bytes_raw()))
    return list({needle.data: needle for needle in needles}.values())


def search(
    needles: list[Needle],
    places: Iterable[Path],
    *,
    opaque: str,
    database: Path,
    histories: Iterable[Path],
    word: str,
) -> Search:
    """Search everything that is left behind.

    Args:
        needles: What must be nowhere.
        places: Folders and files to look through.
        opaque: A word of raw bodies, which the database must hold.
        database: The server's.
        histories: Where `word` must be.
        word: Of what people said.
    """
    scanner = Scanner(needles)
    found = [
        one
        for place in places
        for one in (
            scanner.scan_tree(place) if place.is_dir() else scanner.scan_file(place)
        )
    ]
    leaks = [
        Finding("leaked", f"{one.label}, {one.spelling}, in {one.place}")
        for one in found[:LEAKS_TOLD_MAX]
    ]
    if not _is_in(Needle("an opaque word", opaque.encode()), [database]):
        leaks.append(Finding("blind", "a raw body isn't found in the database"))
    if not _is_in(Needle("what people said", word.encode()), histories):
        leaks.append(Finding("blind", "what people said isn't in their histories"))
    looked = scanner.looked
    return Search(leaks, len(needles), looked.files, looked.data_bytes)


def _is_in(needle: Needle, files: Iterable[Path]) -> bool:
    """Whether something is in each of some files."""
    return all(any(Scanner([needle]).scan_file(file)) for file in files)
