"""The answer to a SEND, which the server writes without the codec."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.server.core import Sequenced
from wigwag.server.handlers._sending import build_sequenced
from wigwag.wire import DRAFT, INFO_BY_RECORD, MESSAGES, encode_frame
from wigwag.wire import Sequenced as SequencedMessage

REVISIONS = sorted(
    revision
    for revision in MESSAGES[INFO_BY_RECORD[SequencedMessage].type].layouts
    if revision
)

u64 = st.integers(0, 2**64 - 1)


def test_there_is_a_revision_to_hold_it_to() -> None:
    """An empty list would make the comparison below say nothing."""
    assert DRAFT in REVISIONS


@pytest.mark.parametrize("revision", REVISIONS)
@given(
    message_id=st.binary(min_size=16, max_size=16).filter(any),
    attempt=st.integers(1, 255),
    chat_seq=u64,
    ts=u64,
    corr=st.integers(1, 2**32 - 1),
)
def test_sequenced_is_what_the_codec_writes(
    revision: int, message_id: bytes, attempt: int, chat_seq: int, ts: int, corr: int
) -> None:
    """It is written out for speed: a revision that changes it must fail here."""
    answer = Sequenced(message_id, attempt, chat_seq, ts)
    message = SequencedMessage(message_id, attempt, chat_seq, ts)
    assert build_sequenced(answer, corr) == encode_frame(message, revision, corr)
