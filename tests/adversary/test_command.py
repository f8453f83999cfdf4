"""`wigwag bench adversary`, as a person runs it."""

import json
import subprocess
import sys

from wigwag.bench.adversary import ATTACKS, NOT_APPLICABLE

SECONDS_MAX = 120.0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "wigwag", "bench", "adversary", *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def test_the_list_names_every_attack_and_what_is_not_attacked_yet() -> None:
    """Whoever reads it knows what was tried."""
    done = run("--list")
    assert done.returncode == 0, done.stderr
    words = [line.split()[0] for line in done.stdout.splitlines()]
    assert words == [attack.id for attack in ATTACKS] + list(NOT_APPLICABLE)


def test_an_attack_that_does_not_exist_is_said() -> None:
    """A misspelt one must not look like one that found nothing."""
    done = run("F99")
    assert done.returncode == 2
    assert "there is no attack F99" in done.stderr
    assert "Traceback" not in done.stderr


def test_attacks_are_measured_beside_honest_pairs() -> None:
    """The whole way: a server, an attacker, pairs; answers, harm and figures."""
    done = run("F4", "A5", "--seconds", "0.5", "--pairs", "2", "--json", "-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [result["attack"] for result in report["results"]] == ["F4", "A5"]
    for result in report["results"]:
        assert result["runs"] > 0
        assert result["as_expected"] + result["turned_away"] == result["runs"]
        assert result["unexpected"] == 0
        assert result["harm"] == {
            "lost": 0,
            "doubled": 0,
            "reordered": 0,
            "refused": 0,
            "ended": 0,
            "reasons": [],
        }
        assert result["under"]["messages"] > 0
        assert result["resident_kib"] > 0
        assert result["delivery_ratio"] > 0
    assert "default" in report["limits"]
    assert report["machine"]
