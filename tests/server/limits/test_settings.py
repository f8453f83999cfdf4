"""What an operator may set: every bound, within its range, by file and variable."""

from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from wigwag.server import Config, ConfigError, Limits, load_config
from wigwag.wire import LIMITS


def ranges() -> list[tuple[str, float | None, float | None, bool]]:
    """Return each bound with its range: name, least, most, whether it is whole."""
    info = inspect.type_info(Limits)
    assert isinstance(info, inspect.StructType)
    found: list[tuple[str, float | None, float | None, bool]] = []
    for field in info.fields:
        kind = field.type
        if field.name in LIMITS:
            limit = LIMITS[field.name]
            found.append((field.name, limit.min, limit.max, True))
        elif isinstance(kind, inspect.IntType | inspect.FloatType):
            low, high = kind.ge, kind.le
            found.append((field.name, low, high, isinstance(kind, inspect.IntType)))
    return found


RANGES = ranges()


def load(tmp_path: Path, name: str, value: float) -> Limits:
    """Return the limits of a configuration file that sets one bound."""
    path = tmp_path / "wigwag.toml"
    path.write_text(f"[limits]\n{name} = {value}\n")
    return load_config(path, {}).limits


def test_every_number_is_a_setting() -> None:
    """A bound that can't be found in the table can't be looked after."""
    names = {name for name, *_ in RANGES}
    switches = {"has_token_buckets", "has_address_bounds"}
    assert names | switches == set(Limits.__struct_fields__)
    config = {field.name: field.type for field in msgspec.structs.fields(Config)}
    assert config["limits"] is Limits


@pytest.mark.parametrize("name", [name for name, *_ in RANGES])
def test_a_bound_can_be_set_within_its_range_and_not_beyond(
    name: str, tmp_path: Path
) -> None:
    """At its ends, and one step outside, with the place of the mistake."""
    (low, high, is_whole) = next(rest for one, *rest in RANGES if one == name)
    if low is not None:
        assert getattr(load(tmp_path, name, low), name) == low
        if low >= 1:
            with pytest.raises(ConfigError, match=rf"wigwag\.toml:2: limits\.{name}"):
                load(tmp_path, name, low - 1)
    if high is not None:
        assert getattr(load(tmp_path, name, high), name) == high
        beyond = high + 1 if is_whole else high + 0.5
        with pytest.raises(ConfigError, match=rf"wigwag\.toml:2: limits\.{name}"):
            load(tmp_path, name, beyond)
    assert low is not None or high is not None


@pytest.mark.parametrize("name", [name for name, *_ in RANGES])
def test_a_bound_can_be_set_by_a_variable(name: str) -> None:
    """A container has no file."""
    value = getattr(Limits(), name)
    variable = f"WIGWAG_SERVER_LIMITS__{name.upper()}"
    config = load_config(None, {variable: str(value)})
    assert getattr(config.limits, name) == value


def test_what_cannot_be_set_is_no_choice() -> None:
    """Both sides hold it, so it is in the specification with one value."""
    fixed = {name for name, limit in LIMITS.items() if limit.min == limit.max}
    assert not fixed & set(Limits.__struct_fields__)
    assert set(LIMITS) - fixed <= set(Limits.__struct_fields__)
