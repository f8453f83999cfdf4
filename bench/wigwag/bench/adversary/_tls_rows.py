"""Below the protocol: TCP and TLS that aren't ours to speak with (F1, F2, A11).

TLS 1.3 has no renegotiation, and TLS 1.2, which has, is refused.
"""

import contextlib
import secrets
import select
import socket
import ssl
import threading
from collections.abc import Callable, Generator

from wigwag.bench.adversary._attack import (
    ALERT,
    SERVED,
    SILENCE,
    Row,
    Seen,
    Target,
    Told,
    UnexpectedError,
)
from wigwag.bench.adversary._people import People
from wigwag.bench.adversary._scenes import Run, must
from wigwag.bench.adversary._sources import Sources
from wigwag.bench.adversary._tcp import (
    ANSWER_SECONDS_MAX,
    READ_BYTES,
    client_context,
    open_tcp,
)
from wigwag.bench.adversary._wire import Wire

ALERT_RECORD = 21
HANDSHAKE_RECORD = 22
RECORD_HEADER_BYTES = 5
# A ClientHello's one group in `supported_groups` and in `key_share`: P-256, 65 bytes.
GROUPS = bytes.fromhex("000a 0004 0002 0017")
KEY_SHARE = bytes.fromhex("0033 0047 0045 0017 0041")
# Where a ClientHello's session id begins, and the extension that announces early data.
SESSION_ID_AT = 43
EARLY_DATA = bytes.fromhex("002a 0000")
# GREASE of RFC 8701: a group that nobody has.
NO_GROUP = bytes.fromhex("0a0a")
P256 = bytes.fromhex("0017")


def client_hello(
    change: Callable[[ssl.SSLContext], None] = lambda _: None,
) -> bytes:
    """Return the first record of a handshake."""
    context = client_context()
    change(context)
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without the other side")


def _tls_1_2() -> bytes:
    def change(context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    return client_hello(change)


def _no_common_group() -> bytes:
    hello = client_hello(lambda context: context.set_ecdh_curve("prime256v1"))
    assert GROUPS in hello
    assert KEY_SHARE in hello
    for known in (GROUPS, KEY_SHARE):
        hello = hello.replace(known, known.replace(P256, NO_GROUP))
    return hello


def _early_data() -> bytes:
    """A hello that announces early data, and a record of it right behind."""
    hello = client_hello()
    session_end = SESSION_ID_AT + 1 + hello[SESSION_ID_AT]
    suites_end = session_end + 2 + int.from_bytes(hello[session_end : session_end + 2])
    extensions_at = suites_end + 1 + hello[suites_end]
    length = int.from_bytes(hello[extensions_at : extensions_at + 2])
    longer = b"".join(
        (
            hello[:3],
            (int.from_bytes(hello[3:5]) + len(EARLY_DATA)).to_bytes(2),
            hello[5:6],
            (int.from_bytes(hello[6:9]) + len(EARLY_DATA)).to_bytes(3),
            hello[9:extensions_at],
            (length + len(EARLY_DATA)).to_bytes(2),
            hello[extensions_at + 2 :],
            EARLY_DATA,
        )
    )
    early = secrets.token_bytes(100)
    return longer + b"\x17\x03\x03" + len(early).to_bytes(2) + early


def _half_a_hello() -> bytes:
    hello = client_hello()
    return hello[: len(hello) // 2]


def _read_to_end(plain: socket.socket) -> bytes:
    """Return what comes until the other side ends it, in peace or not."""
    parts: list[bytes] = []
    with contextlib.suppress(ConnectionError):  # a reset is an end, too
        while data := plain.recv(READ_BYTES):
            parts.append(data)
    return b"".join(parts)


def _over_tcp(words: Callable[[], bytes]) -> Run:
    """Say this instead of a TLS handshake."""

    def run(target: Target) -> Seen:
        with open_tcp(target) as plain:
            # Whoever has hung up already may have said something first.
            with contextlib.suppress(ConnectionError):
                plain.sendall(words())
            answer = _read_to_end(plain)
        if not answer:
            return SILENCE
        if answer[0] == ALERT_RECORD and len(answer) == RECORD_HEADER_BYTES + 2:
            return ALERT
        raise UnexpectedError(f"{len(answer)} bytes that are no alert")

    return run


def _early(target: Target) -> Seen:
    """The hello is answered, what came early is thrown away, and nothing follows."""
    with open_tcp(target) as plain:
        plain.sendall(_early_data())
        answer = _read_to_end(plain)
    must(answer[:1] == bytes((HANDSHAKE_RECORD,)), "no ServerHello")
    return Seen(None, True, Told.HELLO)


def _alpn(protocol: str | None) -> Run:
    """Offer another protocol: TLS is up, and ends without a byte of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocol is not None:
        context.set_alpn_protocols([protocol])

    def run(target: Target) -> Seen:
        with Wire.connect(target, context=context) as wire:
            seen = wire.observe_end()
            must(seen == SILENCE, f"{seen}")
            must(wire.is_end_clean, "TLS was cut and not ended")
            return Seen(None, True, Told.TLS_END)

    return run


@contextlib.contextmanager
def _recorder(target: Target) -> Generator[tuple[Target, list[bytes]]]:
    """Stand between a client and the server and keep what the client sends."""
    sent: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def relay() -> None:
            client, _ = listener.accept()
            with client, open_tcp(target) as server:
                other = {client: server, server: client}
                while True:
                    ready, _, _ = select.select([client, server], [], [], 20.0)
                    for one in ready:
                        data = one.recv(READ_BYTES)
                        if not data:
                            return
                        if one is client:
                            sent.append(data)
                        other[one].sendall(data)

        thread = threading.Thread(target=relay, name="recorder", daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        yield Target("127.0.0.1", port, Sources(102), People(())), sent
        thread.join(ANSWER_SECONDS_MAX)


def _replayed_session(target: Target) -> Seen:
    """Every byte of a whole session again: TLS refuses it, and nobody is displaced."""
    with target.people.borrow() as account:
        with _recorder(target) as (between, sent), Wire.signed_in(between, account):
            pass
        with Wire.signed_in(target, account) as newer:
            with open_tcp(target) as plain:
                plain.sendall(b"".join(sent))
                answer = _read_to_end(plain)
            must(answer[:1] == bytes((HANDSHAKE_RECORD,)), "no ServerHello")
            must(newer.observe() == SERVED, "the replay displaced the device")
        return Seen(None, True, Told.ALERT)


ROWS: tuple[Row, ...] = (
    Row(
        "F1",
        "a connection without a byte",
        "F1",
        SILENCE,
        _over_tcp(lambda: b""),
        seconds_min=4,
    ),
    Row(
        "F1-half",
        "half a TLS hello, then silence",
        "F1",
        SILENCE,
        _over_tcp(_half_a_hello),
        seconds_min=4,
    ),
    Row("F2", "TLS 1.2", "F2", ALERT, _over_tcp(_tls_1_2)),
    Row("F2-group", "no common group", "F2", ALERT, _over_tcp(_no_common_group)),
    Row(
        "F2-alpn",
        "another ALPN",
        "F2",
        Seen(None, True, Told.TLS_END),
        _alpn("h2"),
    ),
    Row(
        "F2-early",
        "early data",
        "F2",
        Seen(None, True, Told.HELLO),
        _early,
        seconds_min=4,
    ),
    Row("F2-no-alpn", "no ALPN", "F2", Seen(None, True, Told.TLS_END), _alpn(None)),
    Row(
        "F3-plain",
        "HTTP without TLS",
        "F3",
        SILENCE,
        _over_tcp(lambda: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ),
    Row("A11-session", "a replayed session", "A11", ALERT, _replayed_session),
)
