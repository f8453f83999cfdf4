"""Which check holds each invariant of RELIABILITY.md §2: data, for people and a test.

An invariant is held by a checker of this package, by tests that suit it better, or by
both. What needs several servers or devices a user waits until they exist.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Holder:
    """What holds an invariant.

    Attributes:
        statement: In a line, as it is checked here.
        checkers: Their names in `CHECKS`.
        tests: Files and folders below tests/.
        waits_for: What must exist first; "": nothing.
    """

    statement: str
    checkers: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    waits_for: str = ""


INVARIANTS: Final[dict[str, Holder]] = {
    "I1": Holder(
        "A message seen SEQUENCED is in the log after any crashes, power cuts and disk"
        " errors; if the server is put back to a copy older than the answer, each"
        " device that had stored what the copy lacks and signs in is told"
        " GAP(SERVER_RESTORED) for it.",
        ("I1",),
        ("durability", "rollback/test_restored_folder.py"),
    ),
    "I2": Holder("At most one entry per (chat, device, client id).", ("I2",)),
    "I3": Holder("Per chat and epoch 1, 2, 3; readers see rising places.", ("I3",)),
    "I4": Holder("Readers' views of a chat are prefixes of one log.", ("I4",)),
    "I5": Holder("When faults stop, everybody has everything in 30 s.", ("I5",)),
    "I6": Holder("Stored once; shown until done(), not after it.", ("I6",)),
    "I7": Holder("Of one device in one chat, the log has its order.", ("I7",)),
    "I8": Holder("No entry that nobody sent, none that was refused.", ("I8",)),
    "I9": Holder("SEQUENCED names the real place, each time the same.", ("I9",)),
    "I10": Holder("What a device saw before it sent is before it.", ("I10",)),
    "I11": Holder("No write of an older epoch.", waits_for="a cluster"),
    "I12": Holder("Members alone are delivered to.", waits_for="groups"),
    "I13": Holder(
        "No plaintext, key or token in stores, logs, metrics, errors.",
        tests=("server/test_secrets.py",),
    ),
    "I14": Holder(
        "Nothing of anybody's before a verified sign-in.",
        ("I14",),
        ("server/test_authentication.py", "server/test_removal.py"),
    ),
    "I15": Holder("Memory is bounded.", tests=("server/limits",)),
    "I16": Holder(
        "A SEND that no fault touches is answered in 5 s, floods or not.", ("I16",)
    ),
    "I17": Holder(
        "The codec is total and linear.",
        tests=("wire/test_properties.py", "wire/test_bad_messages.py"),
    ),
    "I18": Holder("Revisions understand each other.", waits_for="a second revision"),
    "I19": Holder(
        "An honest connection is never ended with blame for what others do.",
        ("I19",),
        ("server/test_isolation.py", "adversary"),
    ),
    "I20": Holder("A second recovery changes nothing.", ("I20",), ("durability",)),
    "I21": Holder(
        "What a device said it has is not sent to it again.",
        ("I21",),
        ("rollback/test_month.py",),
    ),
    "I22": Holder(
        "A flipped bit or a cut-off file is found.", tests=("durability/test_rot.py",)
    ),
    "I23": Holder(
        "Cursors and marks never go back, nor beyond the log.",
        ("I23 cursors", "I23 marks"),
    ),
    "I24": Holder(
        "A one-time prekey is handed out once, also across crashes; of a server that"
        " was put back, from the first device on that proves it.",
        ("I24",),
        ("rollback/test_restored_folder.py",),
    ),
    "I25": Holder("No message key has two ciphertexts.", ("I25",)),
}
