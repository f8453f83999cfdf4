"""Whoever is timed against our codec does the same work."""

import pytest
from tests.bench._runs import figures_of, run_of

from wigwag.bench._codec_cli import find_contestants
from wigwag.bench._codec_contestants import fast, reference, sample_deliver, sample_send
from wigwag.wire import Deliver, Send


@pytest.mark.parametrize("message", [sample_send(), sample_deliver()])
def test_everybody_writes_and_reads_the_whole_message(message: Send | Deliver) -> None:
    """A ratio against a codec that leaves something out says nothing."""
    contestants = find_contestants(message)
    assert [one.name for one in contestants[:3]] == ["fast", "reference", "msgpack"]
    assert contestants[3].name.startswith("protobuf")
    for one in contestants:
        assert one.encode() == one.encoded
        # The ids and the 200-byte ciphertext are in it, and come out again.
        for value in (message.client_msg_id, bytes([7]) * 200):
            assert value in one.encoded
            assert repr(value) in repr(one.decode()) or one.decode() == message


def test_ours_agree_byte_for_byte() -> None:
    """The reference judges the fast codec; only equal work is comparable."""
    message = sample_send()
    assert fast(message).encode() == reference(message).encode()
    assert fast(message).decode() == message


def test_codec_table_has_times_and_ratios() -> None:
    """The ratio is what holds on another machine."""
    run = run_of("codec", "--quick")
    for work in ("codec SEND", "codec DELIVER"):
        figures = figures_of(run, work)
        assert figures["fast_encode_ns"]["median"] > 0
        assert figures["reference_decode_ratio"]["median"] > 1
        assert figures["msgpack_decode_ratio"]["median"] > 0
        assert figures["fast_bytes"]["median"] > 200
