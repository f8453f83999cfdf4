"""Configuration: every mistake names its place and what was probably meant."""

from pathlib import Path

import pytest

from wigwag.server import Config, ConfigError, load_config
from wigwag.server._config_load import load_settings
from wigwag.server._config_text import config_text, flat_settings, shown_value


def load(text: str, tmp_path: Path, **environment: str) -> Config:
    """Load a configuration file with this text."""
    path = tmp_path / "wigwag.toml"
    path.write_text(text, "utf-8")
    return load_config(path, environment)


def mistake(text: str, tmp_path: Path, **environment: str) -> str:
    """Return the sentence that a wrong configuration is refused with."""
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path, **environment)
    return caught.value.sentence.replace(str(tmp_path), "")


GOOD = """
listen = "0.0.0.0:9000"
public_name = "chat.example.org"
trusted_networks = ["10.0.0.0/8"]

[limits]
send_burst = 7

[log]
format = "json"
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    """What is written is what holds; what isn't has its default."""
    config = load(GOOD, tmp_path)
    assert config.listen_address.port == 9000
    assert config.limits.send_burst == 7
    assert config.limits.send_per_second == 10
    assert config.log.format == "json"
    assert config.health.listen == "auto"
    assert config.health_address is not None
    assert config.health_address.port == 9001


def test_the_environment_wins_over_the_file_and_options_over_both(
    tmp_path: Path,
) -> None:
    """The nearer to the start of the process, the stronger."""
    path = tmp_path / "wigwag.toml"
    path.write_text(GOOD, "utf-8")
    environment = {
        "WIGWAG_SERVER_LISTEN": "127.0.0.1:1",
        "WIGWAG_SERVER_LIMITS__SEND_BURST": "9",
        "WIGWAG_SERVER_TRUSTED_NETWORKS": "10.0.0.0/8, 192.168.0.0/16",
        "WIGWAG_PROFILE": "not the server's",
    }
    config = load_config(path, environment, {"listen": "127.0.0.1:2"})
    assert config.listen_address.port == 2
    assert config.limits.send_burst == 9
    assert len(config.networks) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("listn = 'x'", "/wigwag.toml:1: there is no setting 'listn'; did you mean"),
        (
            "\n[limits]\nsend_brust = 3",
            "/wigwag.toml:3: there is no setting 'send_brust' in [limits]; "
            "did you mean 'send_burst'?",
        ),
        (
            "send_burst = 3",
            "/wigwag.toml:1: there is no setting 'send_burst'; it belongs in [limits]",
        ),
        ("[limit]\nx = 1", "/wigwag.toml:1: there is no setting 'limit'; did you mean"),
        ("listen = 7411", "/wigwag.toml:1: listen: expected `str`, got `int`"),
        ("listen = '7411'", "/wigwag.toml:1: listen: '7411' has no port"),
        ("a = [", "/wigwag.toml:1:"),
        ("listen = 'a:1'\nlisten = 'b:2'", "/wigwag.toml:2:"),
        (
            "[limits]\nsend_burst = 0",
            "/wigwag.toml:2: limits.send_burst: expected `int` >= 1",
        ),
        (
            "[limits]\nidle_seconds = 1",
            "/wigwag.toml:2: limits.idle_seconds: it is 1; the "
            "specification permits 5 to 600 seconds",
        ),
        ("\nregistration = 'open'", "/wigwag.toml:2: registration: "),
        (
            "trusted_networks = ['10.0.0.1/8']",
            "/wigwag.toml:1: trusted_networks: 10.0.0.1/8 has host bits set",
        ),
        ("[tls]\ncertificate = 'x'", "/wigwag.toml:2: tls.certificate: "),
        ("[health]\nlisten = 'x'", "/wigwag.toml:2: health.listen: 'x' has no port"),
        ("limits_profile = 'fast'", "/wigwag.toml:1: limits_profile: invalid enum"),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    text: str, expected: str, tmp_path: Path
) -> None:
    """A setting that is silently ignored is a bound that doesn't hold."""
    assert expected.lower() in mistake(text, tmp_path).lower()


def test_an_unknown_variable_is_refused(tmp_path: Path) -> None:
    """A misspelt variable is as bad as a misspelt key."""
    sentence = mistake("", tmp_path, WIGWAG_SERVER_LISTNE="x")
    assert sentence.startswith("WIGWAG_SERVER_LISTNE: there is no setting 'listne'")
    assert "did you mean 'listen'?" in sentence
    sentence = mistake("", tmp_path, WIGWAG_SERVER_LOG="json")
    assert "names a table; its keys are format, level" in sentence
    sentence = mistake("", tmp_path, WIGWAG_SERVER_LISTEN__HOST="x")
    assert "there is no setting 'host' in [listen]" in sentence


def test_a_wrong_value_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    """The place of a mistake is where it can be put right."""
    sentence = mistake("", tmp_path, WIGWAG_SERVER_LIMITS__SEND_BURST="many")
    assert sentence.startswith("WIGWAG_SERVER_LIMITS__SEND_BURST: limits.send_burst")


def test_a_missing_or_strange_file_is_refused(tmp_path: Path) -> None:
    """An operator who names a file means it."""
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "none.toml", {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 0"):
        load_config(binary, {})
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 1_048_577)
    with pytest.raises(ConfigError, match="this is no configuration"):
        load_config(large, {})


def test_the_bench_profile_lifts_buckets_and_nothing_else(tmp_path: Path) -> None:
    """A figure measured without its bounds would promise what can't be kept."""
    bench = load("limits_profile = 'bench'\n[limits]\nwindow_entries = 64", tmp_path)
    default = load("[limits]\nwindow_entries = 64", tmp_path)
    assert not bench.limits.has_token_buckets
    assert not bench.limits.has_address_bounds
    different = {
        name
        for name in default.limits.__struct_fields__
        if getattr(bench.limits, name) != getattr(default.limits, name)
    }
    assert different == {"has_token_buckets", "has_address_bounds"}


def test_the_data_folder_is_the_users_own_unless_named() -> None:
    """A server that is started without settings leaves nothing in the way."""
    assert Config().data_folder({"XDG_DATA_HOME": "/x"}) == Path("/x/wigwag/server")
    assert Config(data="/srv/w").data_folder({}) == Path("/srv/w")
    assert Config().data_folder({}).name == "server"


def test_health_can_be_off_or_elsewhere() -> None:
    """One machine may run many servers."""
    off = load_config(None, {"WIGWAG_SERVER_HEALTH__LISTEN": "off"})
    assert off.health_address is None
    free = load_config(None, {"WIGWAG_SERVER_LISTEN": "127.0.0.1:0"})
    assert free.health_address is not None
    assert free.health_address.port == 0
    named = load_config(None, {"WIGWAG_SERVER_HEALTH__LISTEN": "[::1]:99"})
    assert str(named.health_address) == "[::1]:99"


def test_every_setting_says_who_set_it(tmp_path: Path) -> None:
    """File and line, variable, option, profile, or nobody."""
    path = tmp_path / "wigwag.toml"
    path.write_text('limits_profile = "bench"\n[log]\nformat = "json"\n')
    environment = {"WIGWAG_SERVER_LIMITS__SEND_BURST": "7"}
    found = load_settings(path, environment, {"data": "here"})
    settings = {one.name: (one.value, one.origin) for one in found}
    assert settings["log.format"] == ("json", f"{path}:3")
    assert settings["limits.send_burst"] == (7, "WIGWAG_SERVER_LIMITS__SEND_BURST")
    assert settings["data"] == ("here", "--data")
    assert settings["limits.has_address_bounds"] == (False, "limits_profile bench")
    assert settings["log.level"] == ("info", "default")
    config = load_config(path, environment, {"data": "here"})
    assert len(settings) == sum(1 for _ in flat_settings(config))
    # What it says is what it would read again.
    path.write_text(config_text(config))
    assert load_config(path, {}) == config


def test_a_setting_that_holds_a_secret_is_never_shown() -> None:
    """There is none today; its name is what the next one will be known by."""
    for name in ("secret", "api_token", "passphrase", "password_file"):
        assert shown_value(("proofs", name), "hunter2") == "***"
    assert shown_value(("tls", "private_key"), "key.pem") == "key.pem"
    assert shown_value(("limits", "has_token_buckets"), False) is False
