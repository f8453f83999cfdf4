"""Profiles: where they are, who may have them open, what locks them."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wigwag.client._errors import (
    PassphraseMissing,
    PassphraseWrong,
    ProfileError,
    ProfileInsecure,
    ProfileInUse,
    ProfileMissing,
    StoreDamaged,
)
from wigwag.client._keys import PassphraseKeys, given_passphrase
from wigwag.client._profile import (
    DATABASE_FILE,
    KEY_FILE,
    ProfileLock,
    check_folder,
    make_folder,
    profile_folder,
    write_durably,
)


def test_a_name_is_a_folder_of_the_user(tmp_path: Path) -> None:
    """Profiles of several people live side by side."""
    alice = profile_folder("alice", {})
    assert alice.name == "alice"
    assert alice.parent == profile_folder("bob", {}).parent
    assert profile_folder(None, {}).name == "default"
    assert profile_folder(None, {"WIGWAG_PROFILE": "bob"}).name == "bob"
    assert profile_folder(str(tmp_path), {}) == tmp_path
    assert profile_folder(tmp_path, {}) == tmp_path


def test_a_name_can_not_leave_its_place() -> None:
    """A name from a script must not become another path."""
    with pytest.raises(ProfileError, match="characters"):
        profile_folder("a b", {})


def test_a_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """The database is encrypted, but its size and times tell too."""
    folder = tmp_path / "p"
    with pytest.raises(ProfileMissing):
        check_folder(folder)
    make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / DATABASE_FILE).touch()
    check_folder(folder)
    folder.chmod(0o755)
    with pytest.raises(ProfileInsecure):
        check_folder(folder)


def test_a_second_process_is_told_who_holds_the_profile(tmp_path: Path) -> None:
    """Two processes on one ratchet state would lose messages."""
    code = (
        "import sys, pathlib; from wigwag.client._profile import ProfileLock;"
        "lock = ProfileLock(pathlib.Path(sys.argv[1])).acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ProfileInUse) as caught:
            ProfileLock(tmp_path).acquire()
        assert caught.value.holder_pid == process.pid
        assert str(process.pid) in str(caught.value)
        process.kill()
    with ProfileLock(tmp_path):
        pass


def test_the_lock_ends_with_its_block(tmp_path: Path) -> None:
    """A session that was closed leaves the profile free."""
    with ProfileLock(tmp_path), pytest.raises(ProfileInUse):
        ProfileLock(tmp_path).acquire()
    with ProfileLock(tmp_path) as lock:
        lock.release()
        lock.release()


async def test_the_passphrase_opens_the_key_and_no_other_does(tmp_path: Path) -> None:
    """A wrong passphrase is an error of its own, not a damaged file."""
    made = await PassphraseKeys("correct horse").create(tmp_path)
    assert len(made) == 32
    assert await PassphraseKeys("correct horse").unlock(tmp_path) == made
    with pytest.raises(PassphraseWrong):
        await PassphraseKeys("Correct horse").unlock(tmp_path)
    with pytest.raises(PassphraseMissing):
        await PassphraseKeys("").unlock(tmp_path)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert "horse" not in (tmp_path / KEY_FILE).read_text()
    assert "horse" not in repr(PassphraseKeys("correct horse"))


@pytest.mark.parametrize(
    ("old", "new"),
    [("argon2id", "argon2i"), ('"passes": 3', '"passes": 1'), ("{", "["), ("=", "?")],
)
async def test_a_damaged_key_file_is_no_wrong_passphrase(
    tmp_path: Path, old: str, new: str
) -> None:
    """A person must not try passphrases at a file that nothing opens."""
    await PassphraseKeys("x").create(tmp_path)
    path = tmp_path / KEY_FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(StoreDamaged):
        await PassphraseKeys("x").unlock(tmp_path)


async def test_a_key_file_of_a_newer_program_says_so(tmp_path: Path) -> None:
    """Its settings may mean something else."""
    await PassphraseKeys("x").create(tmp_path)
    path = tmp_path / KEY_FILE
    file = json.loads(path.read_bytes()) | {"format": 2}
    names = ("format", "kdf", "memory_kib", "passes", "lanes", "salt", "nonce")
    covered = " ".join(str(file[name]) for name in (*names, "wrapped"))
    file["checksum"] = hashlib.sha256(covered.encode()).hexdigest()
    path.write_text(json.dumps(file))
    with pytest.raises(StoreDamaged, match="newer program"):
        await PassphraseKeys("x").unlock(tmp_path)


def test_the_passphrase_comes_from_argument_file_or_environment(
    tmp_path: Path,
) -> None:
    """Scripts must not have to type."""
    file = tmp_path / "secret"
    file.write_text("from file\nrest")
    environment = {"WIGWAG_PASSPHRASE": "from environment"}
    assert given_passphrase("argument", file, environment) == "argument"
    assert given_passphrase(None, file, environment) == "from file"
    assert given_passphrase(None, None, environment) == "from environment"
    assert given_passphrase(None, None, {}) is None
    file.write_text("")
    with pytest.raises(PassphraseMissing, match="empty"):
        given_passphrase(None, file, {})
    with pytest.raises(PassphraseMissing, match="can't be read"):
        given_passphrase(None, tmp_path / "none", {})


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A crash in the middle must leave the old key file."""
    path = tmp_path / "f"
    write_durably(path, b"one")
    write_durably(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]
