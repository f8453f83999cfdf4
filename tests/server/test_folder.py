"""The data folder: private, held by one, durable."""

import os
import stat
from pathlib import Path

import pytest

from wigwag.server import InUseError, StorageError, open_folder
from wigwag.spec import ExitCode


def mode(path: Path) -> int:
    """The permission bits of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    """Other accounts of the machine have no business in it."""
    path = tmp_path / "deep" / "data"
    with open_folder(path) as folder:
        assert mode(path) == 0o700
        secret = folder.write_secret("key", b"secret")
        assert mode(secret) == 0o600
        assert secret.read_bytes() == b"secret"
        assert folder.write_secret("key", b"newer").read_bytes() == b"newer"


def test_an_open_folder_is_closed_to_others(tmp_path: Path) -> None:
    """A folder that was copied or made by hand may be open to all."""
    path = tmp_path / "data"
    path.mkdir(mode=0o755)
    with open_folder(path):
        assert mode(path) == 0o700


def test_a_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    """Two servers on one folder would each hand out the same positions."""
    with (
        open_folder(tmp_path / "data"),
        pytest.raises(InUseError) as caught,
        open_folder(tmp_path / "data"),
    ):
        raise AssertionError("two hold the folder")
    assert f"process {os.getpid()} since 20" in caught.value.sentence
    assert caught.value.exit_code is ExitCode.IN_USE
    with open_folder(tmp_path / "data") as folder:
        assert folder.path == tmp_path / "data"


def test_what_the_disk_refuses_is_said(tmp_path: Path) -> None:
    """One sentence with the path and what to do."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    with (
        pytest.raises(StorageError, match="a file stands") as caught,
        open_folder(in_the_way),
    ):
        raise AssertionError("a file was taken for a folder")
    assert caught.value.exit_code is ExitCode.STORAGE
    with (
        open_folder(tmp_path / "data") as folder,
        pytest.raises(StorageError, match=r"a file stands|No such file"),
    ):
        folder.write_secret("no/such", b"")
