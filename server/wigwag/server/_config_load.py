"""Reads the configuration; says of a mistake where it stands and what was meant."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from wigwag.server._config import Config
from wigwag.server._config_text import default_config, flat_settings
from wigwag.server._errors import ConfigError
from wigwag.server._limits import Limits
from wigwag.server._toml_lines import KeyPath, line_of, locate_keys

ENVIRONMENT_PREFIX = "WIGWAG_SERVER_"
# Between a table and its key, since names hold single underscores:
# WIGWAG_SERVER_LOG__FORMAT is [log] format.
ENVIRONMENT_SEPARATOR = "__"
# A configuration is a page or two; more is some other file.
FILE_BYTES_MAX = 1_048_576

Tree = dict[str, object]

_ERROR_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it holds.

    Attributes:
        key_path: Its tables and its key.
        value: Its value.
        origin: Who has set it: a file and line, a variable, an option, a limits
            profile, or "default".
    """

    key_path: KeyPath
    value: object
    origin: str

    @property
    def name(self) -> str:
        """Its dotted name."""
        return ".".join(self.key_path)


class _Source:
    """Where a value came from, to say it in an error."""

    def __init__(self, path: Path | None, text: str) -> None:
        self._path = path
        self._lines = locate_keys(text)
        self.variables: dict[KeyPath, str] = {}
        self.options: dict[KeyPath, str] = {}

    def place(self, key_path: KeyPath) -> str:
        """Returns where a key was set, as a reader finds it."""
        if key_path in self.options:
            return self.options[key_path]
        if key_path in self.variables:
            return self.variables[key_path]
        if self._path is None:
            return "configuration"
        return f"{self._path}:{line_of(self._lines, key_path)}"


def load_config(
    path: Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, str] | None = None,
) -> Config:
    """Read the configuration from a file, the environment and the command line.

    Args:
        path: The TOML file; None: none.
        environment: Of which variables that begin with WIGWAG_SERVER_ are taken.
        options: Settings of the command line by dotted key ("log.format").

    Raises:
        ConfigError: One sentence with the place of the mistake.
    """
    return _load(path, environment, options or {})[0]


def load_settings(
    path: Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, str] | None = None,
) -> list[Setting]:
    """Read the configuration as `load_config` does, and say who set what.

    Raises:
        ConfigError: One sentence with the place of the mistake.
    """
    config, tree, source = _load(path, environment, options or {})
    plain = dict(flat_settings(Config()))
    profiled = dict(flat_settings(default_config(config)))
    settings: list[Setting] = []
    for key_path, value in flat_settings(config):
        origin = "default"
        if _is_set(tree, key_path):
            origin = source.place(key_path)
        elif profiled[key_path] != plain[key_path]:
            origin = f"limits_profile {config.limits_profile}"
        settings.append(Setting(key_path, value, origin))
    return settings


def _is_set(tree: Tree, key_path: KeyPath) -> bool:
    """Whether somebody has written a setting down."""
    table = tree
    *tables, last = key_path
    for key in tables:
        below = table.get(key)
        if not isinstance(below, dict):
            return False
        table = cast("Tree", below)
    return last in table


def _load(
    path: Path | None, environment: Mapping[str, str], options: Mapping[str, str]
) -> tuple[Config, Tree, _Source]:
    text = "" if path is None else _read(path)
    source = _Source(path, text)
    tree = _parse(path, text)
    _check_names(tree, (), Config, source)
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            key_path = _variable_path(name)
            source.variables[key_path] = name
            _check_name(key_path, source)
            _set(tree, key_path, _scalar(key_path, environment[name]))
    for dotted, value in options.items():
        key_path = tuple(dotted.split("."))
        source.options[key_path] = f"--{key_path[-1].replace('_', '-')}"
        _set(tree, key_path, value)
    return _convert(tree, source), tree, source


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ConfigError(f"{path} is larger than 1 MiB: this is no configuration")
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from error


def _parse(path: Path | None, text: str) -> Tree:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        # Without a line, tomllib means the end of the document.
        line = place.group(1) if place else str(text.rstrip().count("\n") + 1)
        what = str(error).split(" (at ")[0]
        raise ConfigError(f"{path}:{line}: {what}") from error


def _fields(struct: type[msgspec.Struct]) -> dict[str, object]:
    return {field.name: field.type for field in msgspec.structs.fields(struct)}


def _table_type(field_type: object) -> type[msgspec.Struct] | None:
    if isinstance(field_type, type) and issubclass(field_type, msgspec.Struct):
        return field_type
    return None


def _check_names(
    tree: Tree, at: KeyPath, struct: type[msgspec.Struct], source: _Source
) -> None:
    """Refuse every key that nothing reads, before any value is looked at."""
    known = _fields(struct)
    for key, value in tree.items():
        if key not in known:
            raise _unknown((*at, key), known, source)
        table = _table_type(known[key])
        if table is not None and isinstance(value, dict):
            _check_names(cast("Tree", value), (*at, key), table, source)


def _unknown(
    key_path: KeyPath, known: Mapping[str, object], source: _Source
) -> ConfigError:
    key = key_path[-1]
    inside = f" in [{'.'.join(key_path[:-1])}]" if len(key_path) > 1 else ""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    if not near and len(key_path) == 1:
        homes = [
            name
            for name, kind in _fields(Config).items()
            if (table := _table_type(kind)) is not None and key in _fields(table)
        ]
        hint = f"; it belongs in [{homes[0]}]" if homes else ""
    return ConfigError(
        f"{source.place(key_path)}: there is no setting {key!r}{inside}{hint}"
    )


def _variable_path(name: str) -> KeyPath:
    rest = name.removeprefix(ENVIRONMENT_PREFIX).lower()
    return tuple(rest.split(ENVIRONMENT_SEPARATOR))


def _check_name(key_path: KeyPath, source: _Source) -> None:
    struct: type[msgspec.Struct] = Config
    for depth, key in enumerate(key_path):
        known = _fields(struct)
        if key not in known:
            raise _unknown(key_path[: depth + 1], known, source)
        table = _table_type(known[key])
        if table is None:
            if depth + 1 < len(key_path):
                raise _unknown(key_path[: depth + 2], {}, source)
            return
        struct = table
    names = ", ".join(_fields(struct))
    raise ConfigError(f"{source.place(key_path)}: names a table; its keys are {names}")


def _scalar(key_path: KeyPath, text: str) -> object:
    """Read a variable's text as TOML would, or as the text that it is."""
    if key_path == ("registration_token", "keys"):
        # A JWK has commas of its own: from a variable there is one, or one file.
        return [text] if text else []
    if key_path == ("trusted_networks",):
        return [part.strip() for part in text.split(",") if part.strip()]
    if re.fullmatch(r"true|false|[+-]?\d[\d_]*(\.\d+)?", text):
        return tomllib.loads(f"value = {text}")["value"]
    return text


def _set(tree: Tree, key_path: KeyPath, value: object) -> None:
    for key in key_path[:-1]:
        tree = cast("Tree", tree.setdefault(key, {}))
    tree[key_path[-1]] = value


def _convert(tree: Tree, source: _Source) -> Config:
    profile = tree.get("limits_profile", "default")
    limits = tree.get("limits", {})
    if profile == "bench" and isinstance(limits, dict):
        base = msgspec.to_builtins(Limits.for_profile("bench"))
        tree = {**tree, "limits": {**base, **cast("Tree", limits)}}
    try:
        return msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        match = _ERROR_PATH.match(str(error))
        what, dotted = (
            (match["what"], match["path"] or "") if match else (str(error), "")
        )
        dotted = re.sub(r"\[[^\]]*\]", "", dotted)
        key_path = tuple(part for part in dotted.split(".") if part)
        key_path, what = _named_in(what, key_path)
        name = f"{'.'.join(key_path)}: " if key_path else ""
        what = what[:1].lower() + what[1:] if what.startswith("Expected") else what
        raise ConfigError(f"{source.place(key_path)}: {name}{what}") from error


def _named_in(what: str, key_path: KeyPath) -> tuple[KeyPath, str]:
    """Move the key that a check of a whole table begins its message with."""
    key, colon, rest = what.partition(": ")
    return (
        ((*key_path, key), rest) if colon and key.isidentifier() else (key_path, what)
    )
