"""Records across revisions: what is lost in silence, what is refused, what is kept."""

# ruff: noqa: ANN401 - records of generated modules are known at run time only

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.spec.codecs import trial

from wigwag.spec._values import Sampler
from wigwag.wire import EncodeError, Malformed, NotExpressible, RequestRefused


def codec_at(name: str, revision: int) -> Any:
    """Return the generated codec of a message or struct of the trial protocol."""
    return trial().fast(trial().catalogue.owner(name), revision)


def record(name: str, revision: int = 4, full: bool = True) -> Any:
    """Return a sample record of the trial protocol."""
    layouts = trial().catalogue.layouts[name]
    layout = next(layout for layout in layouts if revision in layout.revisions)
    value = Sampler(trial().specification, full).record(layout.layout)
    return trial().record(name, value)


def changed(name: str, **values: Any) -> Any:
    """Return a sample record with other values."""
    return msgspec.structs.replace(record(name), **values)


def test_one_record_serves_all_revisions() -> None:
    """Application code must not know which revision a peer speaks."""
    codecs = [codec_at("CHANGING", revision) for revision in (1, 2, 3, 4)]
    for revision, codec in enumerate(codecs, 1):
        sent = record("CHANGING", revision)
        assert type(codec.decode(codec.encode(sent))) is trial().records.Changing


def test_a_lossy_field_is_left_out_and_comes_back_as_its_default() -> None:
    """`lossy_ok` is the promise that nobody misses it."""
    new = msgspec.structs.replace(record("CHANGING", 1), came="other")
    body = codec_at("CHANGING", 1).encode(new)
    assert codec_at("CHANGING", 1).decode(body).came == "none"


def test_losing_another_field_is_an_error_that_says_so() -> None:
    """The server answers it with UNREADABLE, so it must be told from a bug."""
    with pytest.raises(NotExpressible) as caught:
        codec_at("CHANGING", 3).encode(changed("CHANGING", gone=6))
    assert caught.value.path == "gone"
    with pytest.raises(NotExpressible, match="late: the revision has no such field"):
        codec_at("CHANGING", 1).encode(
            msgspec.structs.replace(record("CHANGING", 1), late=(1,))
        )


def test_a_default_costs_nothing_to_lose() -> None:
    """Else every new field would lock old peers out."""
    body = codec_at("CHANGING", 1).encode(record("CHANGING", 1))
    assert codec_at("CHANGING", 1).decode(body) == record("CHANGING", 1)


@pytest.mark.parametrize("revision", [1, 2])
def test_a_value_that_an_old_peer_does_not_know_is_not_sent(revision: int) -> None:
    """A closed enum's reader would refuse it."""
    faster = trial().records.Mode.FASTER
    leaf = msgspec.structs.replace(record("Leaf", 2), class_=faster)
    with pytest.raises(NotExpressible, match="class_: the revision has no such value"):
        codec_at("Leaf", revision).encode(leaf)
    assert codec_at("Leaf", 3).decode(codec_at("Leaf", 3).encode(leaf)).class_ is faster


def test_a_flag_that_an_old_peer_does_not_know_is_not_sent() -> None:
    """A closed flagset's reader would refuse it."""
    scalars = changed("SCALARS", marks=trial().records.Marks.PINNED)
    old = msgspec.structs.replace(
        scalars, class_=trial().records.Mode.FAST, branch=record("Branch", 1)
    )
    with pytest.raises(NotExpressible, match="marks: the revision has no such flag"):
        codec_at("SCALARS", 1).encode(old)
    codec_at("SCALARS", 2).encode(old)


def test_an_asymmetric_tag_must_be_written_and_may_be_lacking() -> None:
    """It is the one sound step between optional and required."""
    without = changed("CHANGING", step=None)
    old = msgspec.structs.replace(record("CHANGING", 2), step=None)
    body = codec_at("CHANGING", 2).encode(old)
    assert codec_at("CHANGING", 2).decode(body).step is None
    with pytest.raises(EncodeError, match="step"):
        codec_at("CHANGING", 3).encode(without)
    whole = codec_at("CHANGING", 3).encode(record("CHANGING", 3))
    entry = b"\x00\x01\x00\x00\x00\x01" + bytes((record("CHANGING", 3).step,))
    place = whole.index(entry)
    count = bytes((whole[place - 1] - 1,))
    shorter = whole[: place - 1] + count + whole[place + len(entry) :]
    assert codec_at("CHANGING", 3).decode(shorter).step is None


def test_a_required_tag_is_missed() -> None:
    """A reader that goes on without it would go on with nothing."""
    with pytest.raises(Malformed, match="a required tag is missing"):
        codec_at("CHANGED", 1).decode(b"\0")
    with pytest.raises(EncodeError, match="result"):
        codec_at("CHANGED", 1).encode(trial().records.Changed(None))


def test_a_tag_outside_its_revisions_is_unknown() -> None:
    """A known tag below its version has been read in three ways elsewhere."""
    branch = record("Branch", 2)
    body = codec_at("Branch", 2).encode(branch)
    with pytest.raises(Malformed) as caught:
        codec_at("Branch", 1).decode(body)
    assert caught.value.code == 0x1002


def test_unknown_tags_are_kept_only_by_who_relays_by_value() -> None:
    """A reader that keeps what it doesn't understand holds memory for strangers."""
    later = ((4001, b"later"),)
    relayed = changed("RELAYED", unknown=later)
    again = codec_at("RELAYED", 4).decode(codec_at("RELAYED", 4).encode(relayed))
    assert again == relayed
    assert again.branch.unknown
    branch = changed("Branch", unknown=later)
    scalars = changed("SCALARS", branch=branch, unknown=later)
    read = codec_at("SCALARS", 4).decode(codec_at("SCALARS", 4).encode(scalars))
    assert (read.unknown, read.branch.unknown) == ((), ())


def test_an_unknown_tag_that_became_known_is_not_passed_on_unread() -> None:
    """Its bytes were never judged; the next reader would close over them."""
    kept = changed("RELAYED", deed=None, unknown=((1, b"whatever"), (4001, b"x")))
    again = codec_at("RELAYED", 4).decode(codec_at("RELAYED", 4).encode(kept))
    assert again.deed is None
    assert again.unknown == ((4001, b"x"),)


def test_an_invariant_is_the_same_before_there_is_a_revision() -> None:
    """HELLO is read when nothing has been agreed."""
    info = trial().table.MESSAGES[2]
    assert info.layout(0) is info.layout(1) is info.layout(0x8009)
    assert trial().table.MESSAGES[17].layout(0) is None
    assert trial().table.MESSAGES[17].layout(0x8009) is None
    assert trial().table.MESSAGES[18].layout(2) is None


def test_an_open_enum_reads_what_it_does_not_know_as_its_fallback() -> None:
    """An old client must do something sensible with a new kind."""
    color = trial().records.Color
    assert color.from_wire(2) is color.BLUE
    assert color.from_wire(200) is color.GREY
    body = codec_at("SCALARS", 4).encode(changed("SCALARS", color=200))
    assert codec_at("SCALARS", 4).decode(body).color == 200


def test_flagsets_hold_or_refuse_other_bits() -> None:
    """An open flagset is ignorable by definition, a closed one is not."""
    assert int(trial().records.Rights(0x83)) == 0x83
    with pytest.raises(ValueError, match="invalid value"):
        trial().records.Marks(2)
    body = bytearray(codec_at("SCALARS", 4).encode(changed("SCALARS", marks=1)))
    found = bytes(body).index(b"\0\0\0\1", 60)
    body[found + 2] = 1
    with pytest.raises(RequestRefused, match="an unknown flag"):
        codec_at("SCALARS", 4).decode(bytes(body))
