"""The unit for systemd: its bounds fit the server's, and systemd takes it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wigwag.server import DESCRIPTORS_SPARE, Config, load_config
from wigwag.spec import ExitCode

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "systemd" / "wigwag.service"
EXPOSURE_MAX = 1.5
"""systemd's own measure, 0 to 10; what the page says is 1.4."""
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd here"
)


def settings() -> dict[str, str]:
    """The unit's lines; of a key that comes twice, the last."""
    lines = UNIT.read_text("utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if re.match(r"[A-Z]\w+=", line))
    return {key: value for key, value in pairs}  # noqa: C416 - pairs are lists


def analyze(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze about the unit, with a program that is there."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text("utf-8")
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/sh", text))
    return subprocess.run(
        ["systemd-analyze", *arguments, str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def config() -> Config:
    """The example configuration, as the server reads it."""
    return load_config(DEPLOY / "wigwag.toml", {})


def test_the_example_configuration_is_good(config: Config) -> None:
    """People copy it; its figures are the defaults, said aloud."""
    assert config.limits == Config().limits
    assert not config.development
    assert config.data == "/var/lib/" + settings()["StateDirectory"]
    assert config.health_address is not None


def test_the_examples_that_are_commented_out_are_good_too(tmp_path: Path) -> None:
    """Whoever takes the # away must get a server."""
    path = tmp_path / "wigwag.toml"
    text = (DEPLOY / "wigwag.toml").read_text("utf-8")
    # Settings come before the first table, so that they are on the top level.
    head, tables = re.split(r"(?=^\[log\])", text, maxsplit=1, flags=re.MULTILINE)
    wanted = re.findall(r"^# (\w+ = .*|\[\w+\])$", head, re.MULTILINE)
    top = [line for line in wanted if line.startswith("registration =")]
    inner = [line for line in wanted if line not in top]
    plain = re.sub(r"^#.*$", "", head, flags=re.MULTILINE)
    path.write_text("\n".join([plain, *top, *inner, tables]))
    loaded = load_config(path, {})
    assert loaded.registration == "token"
    assert loaded.tls.certificate
    assert loaded.registration_token.is_given


def test_the_units_bounds_are_above_the_servers(config: Config) -> None:
    """Else systemd would end what the server would have ended gently."""
    found, limits = settings(), config.limits
    assert int(found["LimitNOFILE"]) >= limits.connections_max + DESCRIPTORS_SPARE
    memory = int(found["MemoryMax"][:-1]) * UNITS[found["MemoryMax"][-1]]
    assert memory >= limits.memory_bytes_max * 1.25 + (256 << 20)
    assert int(found["TimeoutStopSec"]) > limits.drain_seconds + 5
    assert found["Restart"] == "on-failure"
    prevented = {int(status) for status in found["RestartPreventExitStatus"].split()}
    assert prevented == {ExitCode.USAGE, ExitCode.CONFIGURATION}


def test_the_unit_is_hardened() -> None:
    """A fault in a parser mustn't become the machine's."""
    found = settings()
    assert found["ProtectSystem"] == "strict"
    assert found["CapabilityBoundingSet"] == ""
    assert found["User"] == "wigwag"
    assert found["UMask"] == "0077"
    assert found["StandardOutput"] == "null", "the ready line may hold an invite"
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "PrivateDevices"):
        assert found[name] == "yes", name


@needs_systemd
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """A misspelt key is silently ignored by it, but for this command."""
    done = analyze(tmp_path, "verify", "--man=no")
    said = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert said == []
    assert done.returncode == 0, done.stderr


@needs_systemd
def test_systemd_finds_little_to_improve(tmp_path: Path) -> None:
    """The figure that the page gives."""
    done = analyze(tmp_path, "security", "--offline=true", "--no-pager")
    match = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    if match is None:
        pytest.skip("this systemd can't look at a file")
    assert float(match[1]) <= EXPOSURE_MAX
