"""Whose a folder's files are, who may read them, and how much room is left."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wigwag.doctor._check import Check
from wigwag.doctor._machine import (
    free_bytes,
    is_ours,
    mode_of,
    owner_of,
    size_words,
    user_name,
)

FOLDER_MODE: Final = 0o700
OTHERS: Final = 0o077

FREE_BYTES_MIN: Final = 64 << 20
"""Below it a log of ordinary size (16 MiB) and its copy-back no longer fit."""

FREE_BYTES_LOW: Final = 1 << 30


def check_permissions(folder: Path, files: Sequence[Path], subject: str) -> list[Check]:
    """Look whether a folder and its secret files are their owner's alone.

    Args:
        folder: It exists.
        files: Those in it that hold secrets; others are ignored if they aren't there.
        subject: For the checks.
    """
    found = [path for path in files if path.exists()]
    strange = [path for path in (folder, *found) if not is_ours(path)]
    checks: list[Check] = []
    if strange:
        mend = shlex.join(["sudo", "chown", "-R", user_name(), str(folder)])
        checks.append(
            Check(
                "owner",
                "problem",
                f"{strange[0]} belongs to {owner_of(strange[0])}, and this is "
                f"{user_name()}: look as that user, or take it over",
                mend,
                subject,
            )
        )
    else:
        checks.append(Check("owner", "ok", f"{user_name()} owns {folder}", "", subject))
    mode = mode_of(folder)
    is_private = not mode & OTHERS and mode & FOLDER_MODE == FOLDER_MODE
    checks.append(
        Check(
            "folder-mode",
            "ok" if is_private else "problem",
            f"{folder} has mode {mode:04o}"
            + ("" if is_private else ", and must be its owner's alone: 0700"),
            "" if is_private else shlex.join(["chmod", "700", str(folder)]),
            subject,
        )
    )
    open_files = [path for path in found if mode_of(path) & OTHERS]
    names = ", ".join(f"{path.name} {mode_of(path):04o}" for path in open_files)
    checks.append(
        Check(
            "file-modes",
            "problem" if open_files else "ok",
            f"others may read what only the owner must: {names}"
            if open_files
            else f"{len(found)} files are their owner's alone",
            shlex.join(["chmod", "600", *map(str, open_files)]) if open_files else "",
            subject,
        )
    )
    return checks


def check_space(folder: Path, subject: str) -> Check:
    """Look how much may still be written into a folder."""
    free = free_bytes(folder)
    text = f"{size_words(free)} free for {folder}"
    biggest = f"du -xah {shlex.quote(str(folder))} | sort -h | tail"
    if free < FREE_BYTES_MIN:
        return Check("disk", "problem", f"{text}: make room", biggest, subject)
    if free < FREE_BYTES_LOW:
        return Check("disk", "warning", f"{text}: make room soon", biggest, subject)
    return Check("disk", "ok", text, "", subject)
