"""The container file: what can be held to without a registry."""

import json
import re
from pathlib import Path

from wigwag.server import load_config

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "container" / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    """Instructions and their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def last(name: str) -> str:
    """The arguments of the last instruction of a name."""
    return [rest for found, rest in instructions() if found == name][-1]


def test_every_variable_of_the_image_is_a_setting() -> None:
    """A misspelt one would stop the server at its start; here it is found before."""
    variables = dict(pair.split("=", 1) for pair in last("ENV").split())
    given = {name: value for name, value in variables.items() if "WIGWAG" in name}
    config = load_config(None, given)
    assert len(given) >= 4
    assert config.data == last("VOLUME").strip()
    assert str(config.listen_address.port) == last("EXPOSE").strip()
    assert config.log.format == "json"
    assert not config.development


def test_the_image_runs_as_nobody_special() -> None:
    """A numeric user, so that an orchestrator can see that it isn't root."""
    user = last("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.strip())
    order = [name for name, _ in instructions()]
    assert order.index("USER") < order.index("ENTRYPOINT")
    assert last("STOPSIGNAL").strip() == "SIGTERM"


def test_the_health_check_asks_the_port_that_answers() -> None:
    """Else a healthy server would be restarted for ever."""
    variables = dict(pair.split("=", 1) for pair in last("ENV").split())
    address = variables["WIGWAG_SERVER_HEALTH__LISTEN"]
    check = last("HEALTHCHECK")
    assert f"http://{address}/readyz" in check
    command = json.loads(check[check.index("[") :])
    compile(command[-1], "health check", "exec")


def test_what_the_image_is_built_from_is_there() -> None:
    """Constraints, and the extras that the server and its commands need."""
    build = next(rest for _, rest in instructions() if "pip install" in rest)
    assert (ROOT / "constraints.txt").is_file()
    assert "constraints.txt" in build
    assert "[server,client]" in build
