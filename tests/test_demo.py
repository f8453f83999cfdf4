"""The demonstration: that it proves what it says, and that it can fail."""

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wigwag.audit import Needle, Scanner
from wigwag.demo._person import Said, Shown
from wigwag.demo._proof import count_direction
from wigwag.demo._report import JSONReport, Outcome, ScanResult, TerminalReport

DEMO_SECONDS_MAX = 180
"""Far above what it takes, even on a busy machine; a hang must not hang the tests."""

SECRET = b"\x00\xff" + secrets.token_bytes(30)


def store(texts: list[str], *, is_own: bool) -> list[Said]:
    """Return a history whose messages came in this order."""
    return [
        Said(f"{text}-id", is_own, text, "read", str(number))
        for number, text in enumerate(texts, 1)
    ]


def shown(texts: list[str], run: int = 1) -> list[Shown]:
    """Return what one run of a chat wrote."""
    return [Shown(run, said) for said in store(texts, is_own=False)]


TYPED = ["one", "two", "three", "four"]


def test_a_conversation_without_a_fault_counts_as_right() -> None:
    """The count must be able to succeed."""
    counted = count_direction(
        "alice",
        "bob",
        TYPED,
        store(TYPED, is_own=True),
        store(TYPED, is_own=False),
        shown(TYPED),
    )
    assert counted.is_right
    assert (counted.sent, counted.received, counted.shown) == (4, 4, 4)


@pytest.mark.parametrize(
    ("received", "wrote", "lost", "doubled", "out_of_order"),
    [
        (["one", "two", "four"], ["one", "two", "four"], 1, 0, 0),
        (TYPED, ["one", "two", "four"], 1, 0, 0),
        (["one", "two", "two", "three", "four"], TYPED, 0, 2, 0),
        (TYPED, ["one", "two", "three", "three", "four"], 0, 1, 0),
        (TYPED, ["two", "one", "three", "four"], 0, 0, 1),
    ],
)
def test_what_is_lost_doubled_or_moved_is_counted(
    received: list[str], wrote: list[str], lost: int, doubled: int, out_of_order: int
) -> None:
    """A proof that can't come out wrong proves nothing."""
    counted = count_direction(
        "alice",
        "bob",
        TYPED,
        store(TYPED, is_own=True),
        [
            Said(f"{text}-id", False, text, "received", str(TYPED.index(text) + 1))
            for text in received
        ],
        shown(wrote),
    )
    assert (counted.lost, counted.doubled, counted.out_of_order) == (
        lost,
        doubled,
        out_of_order,
    )
    assert not counted.is_right


def test_two_stores_that_number_a_message_differently_are_out_of_order() -> None:
    """Both people must see one conversation."""
    swapped = store(["one", "three", "two", "four"], is_own=False)
    counted = count_direction(
        "alice", "bob", TYPED, store(TYPED, is_own=True), swapped, shown(TYPED)
    )
    assert counted.out_of_order == 3  # "three" before "two", and two numbers differ


def test_a_message_shown_by_two_runs_of_a_chat_is_not_doubled() -> None:
    """A chat that is started again shows its history."""
    counted = count_direction(
        "alice",
        "bob",
        TYPED,
        store(TYPED, is_own=True),
        store(TYPED, is_own=False),
        shown(TYPED[:2]) + shown(TYPED, run=2),
    )
    assert counted.is_right


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        SECRET.hex().encode(),
        SECRET.hex().upper().encode(),
        base64.b64encode(SECRET),
        base64.b64encode(b"1" + SECRET),
        base64.b64encode(b"12" + SECRET + b"3"),
        base64.urlsafe_b64encode(b"12345" + SECRET),
    ],
    ids=["raw", "hex", "HEX", "base64", "base64+1", "base64+2", "urlsafe"],
)
def test_a_secret_is_found_however_it_is_written(written: bytes) -> None:
    """A key in a log is hexadecimal or base64, at any alignment."""
    scanner = Scanner([Needle("the secret", SECRET)])
    around = secrets.token_bytes(100)
    findings = scanner.scan_bytes(around + written + around, "a page")
    assert {finding.label for finding in findings} == {"the secret"}
    assert all("byte 10" in finding.place for finding in findings)
    damaged = written[:20] + written[21:]
    assert not scanner.scan_bytes(around + damaged + around, "a page")


def test_a_text_is_found_in_json_and_in_utf_16() -> None:
    """Umlauts are escaped in one log and not in the next."""
    text = "Grüße aus dem Süden"
    scanner = Scanner([Needle("the text", text.encode("utf-8"))])
    for data in (
        text.encode("utf-8"),
        json.dumps({"text": text}).encode("ascii"),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
    ):
        assert scanner.scan_bytes(b"." * 7 + data, "a log"), data


def test_a_secret_between_free_space_is_found() -> None:
    """Zeros are passed over, and what stands at their edges must not be."""
    scanner = Scanner([Needle("the secret", SECRET)])
    zeros = bytes(10_000)
    for data in (zeros + SECRET + zeros, SECRET + zeros, zeros + SECRET):
        assert len(scanner.scan_bytes(data, "a page")) == 1


def test_frames_of_a_trace_are_searched_decoded(tmp_path: Path) -> None:
    """A frame is written in hexadecimal, and may hold a text in yet another way."""
    trace = tmp_path / "frames.jsonl"
    frames = [b"nothing here at all", b"head" + base64.b64encode(SECRET)]
    with trace.open("w", encoding="utf-8") as file:
        for frame in frames:
            line = {"direction": "in", "message": "SEND", "content": frame.hex()}
            file.write(json.dumps(line) + "\n")
    scanner = Scanner([Needle("the secret", SECRET)])
    (finding,) = scanner.scan_trace(trace)
    assert finding.place == "frame 2 (in SEND), byte 4"
    assert scanner.looked.frames == 2


def test_a_needle_too_short_to_mean_anything_is_refused() -> None:
    """It would be found by chance, or hide that nothing else was looked for."""
    with pytest.raises(ValueError, match="too short"):
        Scanner([Needle("a word", b"word")])


def outcome(**changes: Any) -> Outcome:  # noqa: ANN401 - as replace() takes them
    """Return an outcome in which all is well, but for the changes."""
    ways = [
        count_direction(
            *names,
            TYPED,
            store(TYPED, is_own=True),
            store(TYPED, is_own=False),
            shown(TYPED),
        )
        for names in (("alice", "bob"), ("bob", "alice"))
    ]
    scan = ScanResult({"messages": 8}, 3, 20, 5_000_000, ["frame 1"], [])
    good = Outcome((ways[0], ways[1]), scan, [50], [60], 200, 9.9, "a folder")
    return replace(good, **changes)


BLIND = ScanResult({"messages": 8}, 3, 20, 5_000_000, [], [])
FOUND = ScanResult({"messages": 8}, 3, 20, 5_000_000, ["frame 1"], ["key in a log"])
LOST = count_direction("alice", "bob", TYPED, [], [], [])


@pytest.mark.parametrize(
    ("changes", "is_proven"),
    [
        ({}, True),
        ({"scan": BLIND}, False),
        ({"scan": FOUND}, False),
        ({"directions": (LOST, LOST)}, False),
        ({"server_kills": []}, False),
        ({"server_kills": [200]}, False),
        ({"client_kills": []}, False),
        ({"client_kills": [100]}, False),
    ],
)
def test_only_all_of_it_together_is_a_proof(
    changes: dict[str, Any], is_proven: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that died after the burst proves nothing about a crash within it."""
    judged = outcome(**changes)
    assert judged.is_proven == is_proven
    JSONReport().end(judged, None)
    assert json.loads(capsys.readouterr().out)["is_proven"] == is_proven
    TerminalReport().end(judged, None)
    words = capsys.readouterr().out
    assert ("NOT proven" in words) == (not is_proven)
    assert ("a folder" in words) == (not is_proven)


def test_a_demonstration_that_stops_early_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And where the logs are."""
    for report in (JSONReport(), TerminalReport()):
        report.step("It begins", "")
        report.failed("the server isn't ready", "a folder")
        words = capsys.readouterr().out
        assert "the server isn't ready" in words
        assert "a folder" in words


def test_a_kept_server_serves_on(tmp_path: Path) -> None:
    """What is printed at the end works: to chat by hand, and to stop it."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    finished = subprocess.run(
        [sys.executable, "-m", "wigwag", "demo", "--keep"],
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS_MAX,
        env=environment,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    pid_text, folder = re.findall(r"kill (\d+); rm -r (\S+)", finished.stdout)[0]
    try:
        passphrase, profile = re.findall(
            r"WIGWAG_PASSPHRASE=(\S+) wigwag chat bob --profile (\S+)", finished.stdout
        )[0]
        status = subprocess.run(
            [sys.executable, "-m", "wigwag", "status", "--json", "-p", profile],
            capture_output=True,
            text=True,
            timeout=DEMO_SECONDS_MAX,
            env={**environment, "WIGWAG_PASSPHRASE": passphrase},
            check=True,
        )
        value = json.loads(status.stdout)
        assert (value["name"], value["is_online"]) == ("alice", True)
        assert Path(folder).parent == tmp_path
    finally:
        os.kill(int(pid_text), signal.SIGKILL)
    assert "lost" in finished.stdout


def test_the_demonstration_proves_itself() -> None:
    """The one command that a newcomer runs: processes, crashes, counts and search."""
    finished = subprocess.run(
        [sys.executable, "-m", "wigwag", "demo", "--json"],
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS_MAX,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    value: dict[str, Any] = json.loads(finished.stdout)
    assert value["is_proven"]
    assert value["lost"] == value["doubled"] == value["out_of_order"] == 0
    assert value["sent"] == value["received"] >= 200
    assert len(value["server_kills"]) == len(value["client_kills"]) == 1
    scan = value["scan"]
    assert scan["planted_found"]
    assert not scan["found"]
    assert scan["frames"] > 400
    assert scan["needles"]["messages"] >= 200
    assert scan["needles"]["keys and passphrases"] > 300
