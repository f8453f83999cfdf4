"""A changed certificate is taken over while clients come and go."""

import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.server._peer import (
    WAIT_SECONDS,
    Account,
    PeerClient,
    client_context,
    connect,
)

from wigwag.server import Config, DataFolder, TLSConfig, open_folder
from wigwag.server import _certificate_keeper as keeper_module
from wigwag.server._admin import AdminRefusedError, AdminRequest
from wigwag.server._certificate_keeper import CertificateKeeper
from wigwag.server._certificates import ServerIdentity, load_identity
from wigwag.server._counts import Counts
from wigwag.server._observe import make_log
from wigwag.testing import RunningServer, server, server_process
from wigwag.wire import AuthOk, ConnectionConfig, Sequenced

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Files:
    """A certificate and its key, as an operator's tool writes them."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def certificate(self) -> Path:
        """The chain."""
        return self.folder / "chain.pem"

    @property
    def key(self) -> Path:
        """The leaf's private key."""
        return self.folder / "key.pem"

    @property
    def config(self) -> Config:
        """A server with these files."""
        return Config(
            listen="127.0.0.1:0",
            tls=TLSConfig(certificate=str(self.certificate), private_key=str(self.key)),
        )

    def issue(
        self,
        authority: trustme.CA | None = None,
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> tuple[bytes, bytes]:
        """Make another pair: chain with its authority, and key."""
        issuer = authority or self.authority
        made = issuer.issue_cert(
            "127.0.0.1", "localhost", not_before=not_before, not_after=not_after
        )
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        return chain + issuer.cert_pem.bytes(), made.private_key_pem.bytes()

    def write(self, chain: bytes, key: bytes) -> None:
        """Put a pair in place, whatever it is."""
        self.key.write_bytes(key)
        self.certificate.write_bytes(chain)

    def renew(self) -> bytes:
        """Issue and write; return the hash of the leaf."""
        chain, key = self.issue()
        self.write(chain, key)
        return leaf_sha256(chain)


def leaf_sha256(chain: bytes) -> bytes:
    """Hash of a chain's first certificate."""
    leaf = x509.load_pem_x509_certificates(chain)[0]
    return sha256(leaf.public_bytes(Encoding.DER)).digest()


@pytest.fixture(autouse=True)
def only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in this process looks at its files when a test says so."""
    monkeypatch.setattr(keeper_module, "WATCH_SECONDS", 3_600.0)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A pair that a server can start with."""
    made = Files(tmp_path)
    made.renew()
    return made


@contextlib.asynccontextmanager
async def resume(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> AsyncGenerator[PeerClient, None]:
    """Connect with a ticket of before."""
    tcp = await trio.open_tcp_stream("127.0.0.1", port)
    stream = trio.SSLStream(
        tcp, context, server_hostname="localhost", https_compatible=True
    )
    if session is not None:
        stream.session = session
    try:
        with trio.fail_after(WAIT_SECONDS):
            await stream.do_handshake()
        leaf = stream.getpeercert(binary_form=True)
        assert isinstance(leaf, bytes)
        hashed = sha256(leaf).digest()
        peer = PeerClient(stream, hashed, ConnectionConfig(client_name="test"))
        await peer.hello()
        yield peer
    finally:
        with trio.move_on_after(WAIT_SECONDS, shield=True):
            await trio.aclose_forcefully(tcp)


async def presented(running: RunningServer) -> bytes:
    """Hash of what a new connection is presented with."""
    async with connect(running.address.port, says_hello=False) as peer:
        return peer.leaf_sha256


def logged(running: RunningServer, event: str) -> list[dict[str, object]]:
    """Events of a name."""
    lines = [json.loads(line) for line in running.log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == event]


async def test_a_changed_certificate_is_for_new_connections(files: Files) -> None:
    """Old ones go on and sign what they saw, also one that hadn't signed in yet."""
    alice, bob, late = Account(), Account(), Account()
    async with server(files.config) as running:
        certificates = running.server.certificates
        async with (
            connect(running.address.port) as old,
            connect(running.address.port) as slow,
        ):
            await old.register(alice, running.join)
            renewed = files.renew()
            assert old.leaf_sha256 != renewed
            await certificates.look()
            assert await presented(running) == renewed
            async with connect(running.address.port) as new:
                assert new.leaf_sha256 == renewed
                await new.register(bob, running.join)
                answer = await old.ask(old.send_message(bob, b"goes on"))
                assert isinstance(answer, Sequenced)
            # Shook hands under the old certificate, signs in under it.
            await slow.register(late, running.join)
        assert certificates.status.reloads == 1
        (taken,) = logged(running, "certificate_taken")
        assert taken["ends"]


async def test_a_handshake_that_began_before_is_verified_with_its_own(
    files: Files,
) -> None:
    """Taken by the listener, then renewed, then shaken hands: one pair all the way."""
    account = Account()
    async with server(files.config) as running:
        tcp = await trio.open_tcp_stream("127.0.0.1", running.address.port)
        counts = running.server.services.hub.counts
        with trio.fail_after(WAIT_SECONDS):
            while counts.connections == 0:
                await trio.testing.wait_all_tasks_blocked(0.001)
        files.renew()
        await running.server.certificates.look()
        stream = trio.SSLStream(
            tcp, client_context(), server_hostname="localhost", https_compatible=True
        )
        with trio.fail_after(WAIT_SECONDS):
            await stream.do_handshake()
        leaf = stream.getpeercert(binary_form=True)
        assert isinstance(leaf, bytes)
        peer = PeerClient(stream, sha256(leaf).digest(), ConnectionConfig())
        await peer.hello()
        await peer.register(account, running.join)
        await trio.aclose_forcefully(tcp)


async def test_whoever_resumes_signs_in_before_and_after(files: Files) -> None:
    """A ticket of the old context is worth a full handshake, not a lost client."""
    account, context = Account(), client_context()
    async with server(files.config) as running:
        port = running.address.port
        async with resume(port, context, None) as first:
            await first.register(account, running.join)
            session = first.stream.session
        async with resume(port, context, session) as second:
            assert second.stream.session_reused
            assert isinstance(await second.sign_in(account), AuthOk)
        renewed = files.renew()
        await running.server.certificates.look()
        async with resume(port, context, session) as third:
            assert not third.stream.session_reused
            assert third.leaf_sha256 == renewed
            assert isinstance(await third.sign_in(account), AuthOk)
            session = third.stream.session
        async with resume(port, context, session) as fourth:
            assert fourth.stream.session_reused
            assert isinstance(await fourth.sign_in(account), AuthOk)


def _bad_pairs(files: Files) -> dict[str, tuple[bytes, bytes]]:
    chain, key = files.issue()
    _, other_key = files.issue()
    long_ago = datetime.now(UTC) - timedelta(days=2)
    soon = datetime.now(UTC) + timedelta(days=2)
    return {
        "is no PEM certificate and key": (chain[: len(chain) // 4], key),
        "is no PEM certificate and key ": (chain, key[: len(key) // 2]),
        "is no PEM certificate and key  ": (b"", b""),
        "is not the key of": (chain, other_key),
        "ended on": files.issue(not_before=long_ago, not_after=long_ago),
        "is valid only from": files.issue(not_before=soon),
        "another authority": files.issue(trustme.CA()),
    }


async def test_what_can_not_be_used_changes_nothing_and_is_said(files: Files) -> None:
    """Half written, of another key, over, not yet, of a stranger; each said once."""
    async with server(files.config) as running:
        certificates = running.server.certificates
        commands = running.server.operations.commands()
        counts = running.server.services.hub.counts
        before = await presented(running)
        for number, (expected, pair) in enumerate(_bad_pairs(files).items(), 1):
            files.write(*pair)
            await certificates.look()
            await certificates.look()
            assert expected.strip() in certificates.status.problem
            assert await presented(running) == before
            assert counts.is_certificate_refused
            refused = logged(running, "certificate_refused")
            assert len(refused) <= number, "once for each, not each time"
            status = await commands["status"](AdminRequest("status"))
            assert expected.strip() in str(status["certificate_problem"])
            with pytest.raises(AdminRefusedError, match="the certificate in use stays"):
                await commands["reload-certificate"](AdminRequest("reload-certificate"))
        files.certificate.unlink()
        await certificates.look()
        assert "No such file" in certificates.status.problem
        assert await presented(running) == before
        good = files.renew()
        reload = commands["reload-certificate"]
        replies = [await reload(AdminRequest("reload-certificate")) for _ in range(2)]
        assert [reply["is_other"] for reply in replies] == [True, False]
        assert await presented(running) == good
        assert not counts.is_certificate_refused
        assert certificates.status.problem == ""
        assert counts.certificate_failures >= 6


async def test_files_are_watched(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to say anything, whether a file is written, renamed or linked."""
    monkeypatch.setattr(keeper_module, "WATCH_SECONDS", 0.01)
    async with server(files.config) as running:
        for way in ("written", "renamed", "linked"):
            chain, key = files.issue()
            expected = leaf_sha256(chain)
            for path, data in ((files.key, key), (files.certificate, chain)):
                other = path.with_suffix(f".{way}")
                other.write_bytes(data)
                match way:
                    case "written":
                        path.write_bytes(data)
                    case "renamed":
                        os.replace(other, path)
                    case _:
                        path.unlink()
                        path.symlink_to(other)
            with trio.fail_after(WAIT_SECONDS):
                while await presented(running) != expected:
                    await trio.lowlevel.checkpoint()


def _keeper(folder: DataFolder, times: list[datetime]) -> CertificateKeeper:
    return CertificateKeeper(
        lambda: load_identity(folder, TLSConfig(), ("localhost",), times[-1]),
        lambda: times[-1],
        counts=Counts(),
        log=make_log("json", "error"),
        is_own=True,
    )


async def test_the_servers_own_certificate_is_renewed_while_it_runs(
    tmp_path: Path,
) -> None:
    """A server that isn't restarted for a year mustn't lock everybody out."""
    with open_folder(tmp_path / "data") as folder:
        times = [NOW]
        keeper = _keeper(folder, times)
        first = keeper.tls
        for days, is_renewed in ((365, False), (367, True)):
            times.append(NOW + timedelta(days=days))
            await keeper.look()
            assert (keeper.tls is not first) == is_renewed
        assert keeper.tls.leaf_sha256 != first.leaf_sha256
        assert (
            keeper.ca_pin
            == load_identity(folder, TLSConfig(), ("localhost",), times[-1]).ca_pin
        )
        second = keeper.tls
        await keeper.look()
        assert keeper.tls is second
        assert keeper.status.reloads == 1
        # Its own file is damaged by somebody: said, and the old one goes on.
        (folder.path / "ca.pem").write_bytes(b"damaged")
        (folder.path / "leaf.pem").write_bytes(b"damaged")
        await keeper.look()
        assert "is damaged" in keeper.status.problem
        assert keeper.tls is second


async def test_a_fault_while_reading_does_not_end_the_server(files: Files) -> None:
    """Whatever a parser does with a file, connections go on."""
    names = ("localhost",)

    def load() -> ServerIdentity:
        if len(loads) == 1:
            loads.append("fails")
            raise RuntimeError("a fault")
        loads.append("works")
        return load_identity(folder, files.config.tls, names, datetime.now(UTC))

    loads: list[str] = []
    with open_folder(files.folder / "data") as folder:
        keeper = CertificateKeeper(
            load,
            lambda: datetime.now(UTC),
            counts=Counts(),
            log=make_log("json", "error"),
            is_own=False,
        )
        renewed = files.renew()
        await keeper.look()
        assert "can't be read: RuntimeError" in keeper.status.problem
        await keeper.look()
        assert keeper.tls.leaf_sha256 == renewed
        assert keeper.status.problem == ""


async def _admin(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return await trio.run_process(
        [sys.executable, "-m", "wigwag", "admin", *arguments],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )


async def test_signal_and_command_take_it_over_in_a_process(files: Files) -> None:
    """SIGHUP as daemons do, `admin reload-certificate` for an answer."""
    config = files.folder / "wigwag.toml"
    config.write_text(
        f'[tls]\ncertificate = "{files.certificate}"\nprivate_key = "{files.key}"\n'
    )
    with server_process(files.folder, options=("--config", str(config))) as process:
        renewed = files.renew()
        os.kill(process.pid, signal.SIGHUP)
        with trio.fail_after(WAIT_SECONDS):
            while True:
                async with connect(process.port, says_hello=False) as peer:
                    if peer.leaf_sha256 == renewed:
                        break
        data = ["--data", str(process.folder)]
        again = files.renew()
        done = await _admin("reload-certificate", *data)
        # The server may have seen it by itself before the command had started.
        assert re.search(rb"is (taken over|in use already); ends \d", done.stdout), done
        async with connect(process.port, says_hello=False) as peer:
            assert peer.leaf_sha256 == again
        files.key.write_bytes(b"half")
        done = await _admin("reload-certificate", *data)
        assert done.returncode != 0
        assert b"the certificate in use stays" in done.stderr
        async with connect(process.port, says_hello=False) as peer:
            assert peer.leaf_sha256 == again
