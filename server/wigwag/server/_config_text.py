"""A configuration as flat settings, and as the TOML that says the same again."""

import json
import re
from collections.abc import Iterator
from typing import cast

import msgspec

from wigwag.server._config import Config
from wigwag.server._limits import Limits
from wigwag.server._toml_lines import KeyPath

# No setting holds a secret today (`private_key` names a file); one that will is
# recognised by its name and never shown.
_SECRET_NAME = re.compile(r"(^|_)(secret|password|passphrase|token|credential)s?($|_)")
HIDDEN = "***"


def flat_settings(config: Config) -> Iterator[tuple[KeyPath, object]]:
    """Yield every setting with its value, in the order in which they are declared."""
    yield from _flatten((), msgspec.to_builtins(config))


def _flatten(at: KeyPath, value: object) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield from _flatten((*at, key), inner)
    else:
        yield at, value


def shown_value(key_path: KeyPath, value: object) -> object:
    """Return a value as it may be shown: of a secret only that there is one."""
    if isinstance(value, str) and value and _SECRET_NAME.search(key_path[-1]):
        return HIDDEN
    return value


def default_config(config: Config) -> Config:
    """Return the configuration that nobody has set anything in, but the profile."""
    return Config(limits=Limits.for_profile(config.limits_profile))


def config_text(config: Config) -> str:
    """Return a TOML file with every setting that isn't the default."""
    defaults = dict(flat_settings(default_config(config)))
    tables: dict[KeyPath, list[str]] = {(): []}
    for key_path, value in flat_settings(config):
        if value != defaults[key_path]:
            line = f"{key_path[-1]} = {toml_value(value)}"
            tables.setdefault(key_path[:-1], []).append(line)
    parts = ["# What this server ran with, where it is not the default."]
    for table, lines in tables.items():
        if table:
            parts += ["", f"[{'.'.join(table)}]"]
        parts += lines
    return "\n".join(parts) + "\n"


def toml_value(value: object) -> str:
    """Write a value of a configuration as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            items = cast("list[object]", value)
            return f"[{', '.join(toml_value(item) for item in items)}]"
        case _:
            # JSON's string escapes are TOML's, without those of UTF-16 pairs.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
