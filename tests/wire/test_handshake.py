"""Which revision, which features: pure functions."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.wire import ConnectionConfig, Hello
from wigwag.wire._handshake import (
    agreed_revision,
    make_hello,
    transcript_hash,
    was_offered,
)


def hello(revision_min: int, revision_max: int, draft: int) -> Hello:
    """Returns an offer."""
    config = ConnectionConfig(
        revision_min=revision_min, revision_max=revision_max, draft=draft
    )
    return make_hello(config, bytes(32), None)


@pytest.mark.parametrize(
    ("server", "client", "revision"),
    [
        ((0, 0, 0x8001), (0, 0, 0x8001), 0x8001),
        ((1, 5, 0x8001), (1, 5, 0x8001), 0x8001),
        ((1, 5, 0x8001), (1, 4, 0x8002), 4),
        ((1, 5, 0), (3, 9, 0), 5),
        ((3, 9, 0x8001), (1, 3, 0), 3),
        ((0, 0, 0x8001), (0, 0, 0x8002), None),
        ((0, 0, 0), (0, 0, 0), None),
        ((1, 2, 0), (3, 4, 0), None),
        ((5, 9, 0), (1, 4, 0x8001), None),
        ((1, 2, 0), (0, 0, 0x8001), None),
        ((1, 5, 0), (5, 1, 0), None),
    ],
)
def test_the_draft_if_both_name_it_else_the_highest_common_release(
    server: tuple[int, int, int], client: tuple[int, int, int], revision: int | None
) -> None:
    """R-SHAKE-004, R-SHAKE-006."""
    config = ConnectionConfig(
        revision_min=server[0], revision_max=server[1], draft=server[2]
    )
    assert agreed_revision(config, hello(*client)) == revision


@given(
    st.tuples(
        st.integers(0, 9), st.integers(0, 9), st.sampled_from([0, 0x8001, 0x8002])
    ),
    st.tuples(
        st.integers(0, 9), st.integers(0, 9), st.sampled_from([0, 0x8001, 0x8002])
    ),
)
def test_what_a_server_chooses_the_client_has_offered(
    server: tuple[int, int, int], client: tuple[int, int, int]
) -> None:
    """Two of ours never accuse each other (R-SHAKE-005)."""
    config = ConnectionConfig(
        revision_min=server[0], revision_max=server[1], draft=server[2]
    )
    revision = agreed_revision(config, hello(*client))
    offered = ConnectionConfig(
        revision_min=client[0], revision_max=client[1], draft=client[2]
    )
    assert revision is None or was_offered(offered, revision)
    assert not was_offered(offered, 0)


def test_the_transcript_is_both_raw_frames() -> None:
    """First header byte to last byte of each, one after the other."""
    assert transcript_hash(b"hello", b"welcome") == sha256(b"hellowelcome").digest()
