"""A file system that forgets, and the real server on it when the power goes."""

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from tests.durability import _power_process
from tests.durability._fuse import NotPermittedError
from tests.durability._lazy_disk import LazyDisk

PICTURES = 60
LYING_CUTS = 2


@contextmanager
def mounted(disk: LazyDisk, folder: Path) -> Generator[Path, None, None]:
    """Mount it; a test is skipped where that isn't permitted."""
    folder.mkdir()
    try:
        mount = disk.mounted(folder)
        mount.__enter__()
    except NotPermittedError as error:
        pytest.skip(f"this user can't mount a FUSE file system: {error}")
    try:
        yield folder
    finally:
        mount.__exit__(None, None, None)


def sync(path: Path) -> None:
    """Fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def pictures(disk: LazyDisk, tmp_path: Path) -> list[dict[str, bytes]]:
    """Cut, and return what may be left."""
    disk.cut()
    seen: list[dict[str, bytes]] = []
    for number in range(PICTURES):
        left = tmp_path / f"left{number}"
        left.mkdir()
        disk.after_cut(left, Random(number))  # noqa: S311 - a picture
        seen.append(
            {path.name: path.read_bytes() for path in left.iterdir() if path.is_file()}
        )
    return seen


def test_what_was_synced_with_its_folder_stays(tmp_path: Path) -> None:
    """Content and name, each by its own fsync; the older content never comes back."""
    disk = LazyDisk()
    with mounted(disk, tmp_path / "disk") as folder:
        (folder / "a").write_bytes(b"old")
        (folder / "a").write_bytes(b"new")
        sync(folder / "a")
        sync(folder)
        assert (folder / "a").read_bytes() == b"new"
        assert all(one == {"a": b"new"} for one in pictures(disk, tmp_path))
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            (folder / "b").touch()


def test_what_was_not_synced_comes_and_goes(tmp_path: Path) -> None:
    """A harness whose cut loses nothing would prove nothing."""
    disk = LazyDisk()
    with mounted(disk, tmp_path / "disk") as folder:
        (folder / "content").touch()
        sync(folder)
        (folder / "content").write_bytes(b"x" * 10_000)
        (folder / "name").write_bytes(b"y")
        sync(folder / "name")
        seen = pictures(disk, tmp_path)
    contents = {one["content"] for one in seen}
    assert {b"", b"x" * 10_000} <= contents
    assert len(contents) > 2, "never in part"
    assert {one.get("name") for one in seen} == {None, b"y"}


def test_a_rename_happens_or_not_but_is_never_half(tmp_path: Path) -> None:
    """What `write a new one, fsync, rename` stands on."""
    disk = LazyDisk()
    with mounted(disk, tmp_path / "disk") as folder:
        (folder / "a").write_bytes(b"old")
        sync(folder / "a")
        (folder / "new").write_bytes(b"new")
        sync(folder / "new")
        sync(folder)
        (folder / "new").rename(folder / "a")
        (folder / "gone").touch()
        (folder / "gone").unlink()
        (folder / "deep").mkdir()
        shutil.rmtree(folder / "deep")
        seen = pictures(disk, tmp_path)
    assert {one["a"] for one in seen} == {b"old", b"new"}
    assert all(("new" in one) == (one["a"] == b"old") for one in seen)


def test_a_folder_taken_over_is_durable(tmp_path: Path) -> None:
    """A life begins on what the last one left; truncation is a change like others."""
    source, disk = tmp_path / "source", LazyDisk()
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "file").write_bytes(b"kept")
    disk.load(source)
    with mounted(disk, tmp_path / "disk") as folder:
        file = folder / "deep" / "file"
        os.truncate(file, 2)
        assert file.read_bytes() == b"ke"
        assert file.stat().st_size == 2
        assert [path.name for path in folder.iterdir()] == ["deep"]
        file.chmod(0o640)
        disk.cut()
    contents: set[bytes] = set()
    for number in range(PICTURES):
        left = tmp_path / f"left{number}"
        left.mkdir()
        disk.after_cut(left, Random(number))  # noqa: S311 - a picture
        contents.add((left / "deep" / "file").read_bytes())
    # Sizes and contents land apart, so zeros may show where the rest was.
    assert {b"ke", b"kept"} <= contents <= {b"ke", b"kept", b"ke\0\0"}


def test_a_power_cut_of_the_whole_server_loses_nothing() -> None:
    """Keys, mark, reserve, database and log on a disk that forgets; over TLS."""
    tally = _power_process.run(int.from_bytes(os.urandom(4)), 1)
    if tally.counts["not permitted"]:
        pytest.skip("this user can't mount a FUSE file system")
    assert not tally.violations
    assert tally.counts["cuts"] == 1
    assert tally.counts["fsyncs"]


def test_a_disk_that_lies_about_fsync_is_found_out() -> None:
    """The planted bug: whatever was acknowledged may be gone, and is said to be."""
    tallies = [_power_process.run(seed, 1, lies=True) for seed in range(LYING_CUTS)]
    if any(tally.counts["not permitted"] for tally in tallies):
        pytest.skip("this user can't mount a FUSE file system")
    assert any(tally.violations for tally in tallies)
