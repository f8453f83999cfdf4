"""Two-speed errors: words for who reads the log, rationed."""

from tests.wire.helpers import FACTORY, fault, server_in

from wigwag.wire import DRAFT, ConnectionConfig, Explainer, Ping, State
from wigwag.wire._header import HEADER_BYTES
from wigwag.wire.testing import Sample

PING = FACTORY.message(Ping(1))[HEADER_BYTES:]
DELIVER = FACTORY.message(Sample.deliver(1, b"secret"))[HEADER_BYTES:]


def test_the_reference_names_field_requirement_and_bytes() -> None:
    """The offset alone sends a developer to the byte table."""
    explainer = Explainer()
    text = explainer(12, DRAFT, PING + b"\xee", 0.0)
    assert text is not None
    assert text.startswith("PING ")
    assert "R-VALUE-001" in text
    assert "ee" in text.splitlines()[-1]
    assert explainer.disagreements == 0


def test_sensitive_messages_show_no_bytes() -> None:
    """I13: a log is no place for a ciphertext."""
    text = Explainer()(96, DRAFT, DELIVER + b"\xee", 0.0)
    assert text is not None
    assert b"secret".hex() not in text.replace(" ", "")
    assert "secret" not in text
    assert "\n" not in text


def test_explanations_are_rationed() -> None:
    """An attacker must not make us run the slow codec for each of his frames."""
    explainer = Explainer(per_second=2.0, burst=3)
    texts = [explainer(12, DRAFT, b"", 0.0) for _ in range(4)]
    assert [text is not None for text in texts] == [True, True, True, False]
    assert explainer.rationed == 1
    assert explainer(12, DRAFT, b"", 0.5) is not None
    assert explainer(12, DRAFT, b"", 0.4) is None


def test_a_body_that_the_reference_takes_is_counted() -> None:
    """Two codecs that disagree are a bug in one of them."""
    explainer = Explainer()
    assert explainer(12, DRAFT, PING, 0.0) is None
    assert explainer.disagreements == 1


def test_a_connection_takes_an_explainer() -> None:
    """The error that the server logs carries the text."""
    server = server_in(State.READY, ConnectionConfig(explain=Explainer()))
    error = fault(server, FACTORY.raw(12, PING + b"\x00", corr=9))
    assert error.explanation is not None
    assert "PING" in error.explanation
