"""Which server is looked at: what `wigwag serve` would be told."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wigwag.spec import ExitCode

_KEYS: Final = {"health": "health.listen"}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The options of `wigwag serve` that say which server it is.

    Attributes:
        config_path: TOML file.
        data: Data folder.
        listen: HOST:PORT.
        public_name: Name under which clients reach it.
        health: HOST:PORT of metrics and health, "auto" or "off".
        limits_profile: Named bounds.
    """

    config_path: Path | None = None
    data: str | None = None
    listen: str | None = None
    public_name: str | None = None
    health: str | None = None
    limits_profile: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """What the command line sets, by dotted key."""
        values = {
            name: getattr(self, name)
            for name in ("data", "listen", "public_name", "health", "limits_profile")
        }
        return {
            _KEYS.get(name, name): value
            for name, value in values.items()
            if value is not None
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self.config_path is None and not self.settings

    def serve(self, *more: str) -> str:
        """Return the `wigwag serve` that starts this server."""
        words = ["wigwag", "serve", *self._place()]
        for name in ("listen", "public_name", "health", "limits_profile"):
            value = getattr(self, name)
            if value is not None:
                words += [f"--{name.replace('_', '-')}", value]
        return shlex.join([*words, *more])

    def restart(self, before: str = "") -> str:
        """Return what ends the running server and starts it again, once it has ended.

        Args:
            before: A command to give in between.
        """
        serve = f"{before} && {self.serve()}" if before else self.serve()
        # Until the old process has let the folder go, a start says that it is in use.
        return (
            f"{self.admin('drain')} && "
            f"while {serve}; [ $? -eq {ExitCode.IN_USE:d} ]; do sleep 1; done"
        )

    def admin(self, *command: str) -> str:
        """Return a `wigwag admin` command for this server."""
        return shlex.join(["wigwag", "admin", *command, *self._place()])

    def _place(self) -> list[str]:
        words: list[str] = []
        if self.config_path is not None:
            words += ["--config", str(self.config_path)]
        if self.data is not None:
            words += ["--data", self.data]
        return words
