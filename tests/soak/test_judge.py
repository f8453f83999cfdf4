"""The judge of a soak finds what it is for: fed with wrong histories, it says so."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.soak._canary import search
from tests.soak._judge import (
    Journal,
    Said,
    judge_pair,
    judge_raw,
    read_history,
    read_journal,
)
from tests.soak._watch import DRIFT_SECONDS_MIN, Watch

from wigwag.audit import Needle

NAMES = ("alice", "bob")
TEXTS = 4


class World:
    """Two people whose journals and histories agree; tests break one thing each."""

    def __init__(self) -> None:
        self.journals = {name: Journal(got=[[]]) for name in NAMES}
        self.histories: dict[str, list[Said]] = {name: [] for name in NAMES}
        for number in range(TEXTS):
            for sender, receiver in (NAMES, NAMES[::-1]):
                id_, text = f"{sender}{number}", f"{number} question"
                place = len(self.histories[sender]) + 1
                self.journals[sender].take(["queued", id_, text])
                self.journals[sender].take(["sequenced", id_, place])
                self.journals[receiver].take(["got", id_])
                self.histories[sender].append(Said(id_, True, text, place))
                self.histories[receiver].append(Said(id_, False, text, place))

    def found(self) -> set[str]:
        """What the judge says."""
        return {one.what for one in judge_pair(NAMES, self.journals, self.histories)}

    def drop(self, name: str, id_: str) -> None:
        """Take a message out of a store."""
        kept = [said for said in self.histories[name] if said.id != id_]
        assert len(kept) < len(self.histories[name])
        self.histories[name] = kept


def test_a_right_history_is_right() -> None:
    """A judge who always finds something says nothing."""
    assert not World().found()


def test_a_message_that_the_receiver_lacks_is_lost() -> None:
    """I1, I5: acknowledged means stored by its receiver when all have settled."""
    world = World()
    world.drop("bob", "alice3")
    assert world.found() == {"lost"}


def test_a_message_that_the_sender_was_told_to_be_durable_is_lost() -> None:
    """What `send` returned for is in the sender's own store, killed or not."""
    world = World()
    world.journals["alice"].take(["queued", "never stored", "9 question"])
    assert world.found() == {"lost"}


def test_a_message_that_is_gone_on_both_sides_is_lost() -> None:
    """Both stores may agree and be wrong: the acknowledgement was noted."""
    world = World()
    for name in NAMES:
        world.drop(name, "alice3")
    del world.journals["alice"].queued["alice3"]
    assert world.found() == {"lost"}


def test_a_stored_message_that_was_never_an_event_is_lost() -> None:
    """I6: a consumer is told of each at least once."""
    world = World()
    world.journals["bob"].got[0].remove("alice1")
    assert world.found() == {"lost"}


def test_a_message_that_is_there_twice_is_doubled() -> None:
    """I6: under one id, or under two with one text."""
    world = World()
    twice = world.histories["bob"][0]
    world.histories["bob"].append(replace(twice, chat_seq=99))
    assert "doubled" in world.found()
    world = World()
    for name in NAMES:
        again = replace(world.histories[name][-2], id="other", chat_seq=99)
        world.histories[name].append(again)
    world.journals["alice"].got[0].append("other")
    world.journals["bob"].got[0].append("other")
    assert "doubled" in world.found()


def test_an_event_that_comes_twice_in_one_life_is_doubled() -> None:
    """After a kill it may come again, but not while the process lives."""
    world = World()
    world.journals["bob"].take(["life"])
    world.journals["bob"].take(["got", "alice3"])
    assert not world.found()
    world.journals["bob"].take(["got", "alice3"])
    assert world.found() == {"doubled"}


def test_two_messages_in_each_others_place_are_reordered() -> None:
    """I3, I4, I7: at one side, or at both alike."""
    world = World()
    bobs = world.histories["bob"]
    bobs[0], bobs[2] = bobs[2], bobs[0]
    assert "reordered" in world.found()
    world = World()
    for said in world.histories.values():
        first, third = said[0], said[2]
        said[0] = replace(third, chat_seq=first.chat_seq)
        said[2] = replace(first, chat_seq=third.chat_seq)
    for id_, place in (("alice0", 3), ("alice1", 1)):
        world.journals["alice"].sequenced[id_] = place
    assert world.found() == {"reordered"}


def test_an_acknowledged_place_that_changes_is_found() -> None:
    """I9: SEQUENCED names the real place, a second time the same."""
    world = World()
    world.journals["alice"].sequenced["alice2"] = 77
    assert world.found() == {"moved"}
    world = World()
    world.journals["alice"].take(["sequenced", "alice2", 78])
    assert world.found() == {"moved"}


def test_a_message_that_nobody_sent_is_found() -> None:
    """I8."""
    world = World()
    world.histories["bob"].append(Said("ghost", False, "5 question", 99))
    world.journals["bob"].take(["got", "ghost"])
    assert world.found() == {"phantom"}


def test_what_should_never_be_told_is_found() -> None:
    """A gap, an unreadable message, a changed key: nothing here may cause them."""
    world = World()
    world.journals["bob"].take(["odd", "MessageUnreadable"])
    assert world.found() == {"odd"}


@pytest.mark.parametrize(
    ("what", "ids", "bodies", "places"),
    [
        (set[str](), (b"a", b"b"), (b"0", b"1"), (1, 2)),
        ({"lost"}, (b"a",), (b"0",), (1,)),
        ({"doubled", "reordered"}, (b"a", b"b", b"b"), (b"0", b"1", b"1"), (1, 2, 2)),
        ({"reordered", "moved"}, (b"b", b"a"), (b"1", b"0"), (1, 2)),
        ({"moved"}, (b"a", b"b"), (b"0", b"1"), (1, 3)),
        ({"phantom", "reordered"}, (b"a", b"b"), (b"0", b"x"), (1, 2)),
    ],
)
def test_raw_load_is_judged(
    what: set[str],
    ids: tuple[bytes, ...],
    bodies: tuple[bytes, ...],
    places: tuple[int, ...],
) -> None:
    """What a raw sender was told, against what its receiver got."""
    found = judge_raw("raw", (b"0", b"1"), {b"a": 1, b"b": 2}, ids, bodies, places)
    assert {one.what for one in found} == what


def test_a_journal_that_a_kill_has_cut_is_read_up_to_there(tmp_path: Path) -> None:
    """Half a line was never said; a line of no known kind is a mistake of ours."""
    path = tmp_path / "journal"
    path.write_bytes(b'["life"]\n["got", "a"]\n["settled", 1]\n["got", "b')
    journal = read_journal(path)
    assert (journal.got, journal.settled) == ([["a"]], 1)
    path.write_bytes(b'["gossip"]\n')
    with pytest.raises(ValueError, match="gossip"):
        read_journal(path)


def test_a_history_is_read(tmp_path: Path) -> None:
    """What a person's process writes at its end."""
    path = tmp_path / "history"
    path.write_text(json.dumps([["a", True, "0 question", 1]]))
    assert read_history(path) == [Said("a", True, "0 question", 1)]


def test_a_leaked_secret_is_found_and_blindness_too(tmp_path: Path) -> None:
    """I13: in a log, as hexadecimal; and a search that can't find proves nothing."""
    secret, word, opaque = b"the passphrase of alice", "heron-12345678", "raw-12345678"
    places, database, history = (tmp_path / one for one in ("left", "db", "history"))
    places.mkdir()
    log = places / "log"
    log.write_text("nothing")
    database.write_text(f"page {opaque}")
    history.write_text(f"said {word}")

    def found(**other: Path) -> list[str]:
        files = {"database": database, "history": history, **other}
        needles = [Needle("a passphrase", secret), Needle("a word", word.encode())]
        searched = search(
            needles,
            [places],
            opaque=opaque,
            database=files["database"],
            histories=[files["history"]],
            word=word,
        )
        assert searched.files
        return [one.what for one in searched.leaks]

    assert not found()
    assert found(database=log) == ["blind"]
    assert found(history=log) == ["blind"]
    log.write_text(f"error: {secret.hex()}")
    assert found() == ["leaked"]
    log.write_text(f"text: {word}")
    assert found() == ["leaked"]


def test_growing_memory_is_told_for_the_last_life_alone() -> None:
    """Another process begins anew; what is too short says nothing about an hour."""
    watch = Watch()
    own = os.getpid()
    watch.samples = [(0.0, 900), (1.0, 990)]
    assert watch.drift() is None
    life = 2 * DRIFT_SECONDS_MIN
    watch.samples = [(0.0, 500), (life / 2, 1_000), (life, 1_010)]
    drift = watch.drift()
    assert drift is not None
    assert (drift.from_kib, drift.to_kib, drift.seconds) == (1_000, 1_010, life / 2)
    assert drift.percent == pytest.approx(1.0)
    assert drift.percent_per_hour == pytest.approx(180.0)
    watch.pid = own + 1
    watch.look(own, life + 1)
    assert len(watch.samples) == 1
    assert watch.drift() is None
