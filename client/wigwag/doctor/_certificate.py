"""The server's certificate: whether clients take it, and for how long."""

import base64
import shlex
from datetime import datetime
from pathlib import Path
from typing import Final

from wigwag.doctor._check import Check
from wigwag.doctor._options import ServerOptions
from wigwag.server import (
    CertificateFacts,
    Config,
    ServerError,
    inspect_certificate,
    parse_address,
    public_address,
)

EXPIRY_DAYS_LOW: Final = 30
"""The server renews its own this early; other issuers do at a third of 90 days."""

OWN_FILES: Final = ("leaf.pem", "leaf-key.pem")
"""Without these the server makes new ones of the same CA: clients notice nothing."""


AUTHORITY_FILES: Final = ("ca.pem", "ca-key.pem")
"""Without these, too, it makes a new CA: clients then need a new join string."""


def check_certificate(
    folder: Path,
    config: Config,
    options: ServerOptions,
    now: datetime,
    status: dict[str, object] | None,
) -> list[Check]:
    """Look at the certificate that a server presents, or would.

    Args:
        folder: The data folder.
        config: The server's configuration.
        options: For the commands that mend.
        now: The time, in UTC.
        status: Of the running server; None: none runs.
    """
    restart = options.serve() if status is None else options.restart()
    try:
        facts = inspect_certificate(folder, config.tls)
    except ServerError as error:
        return [_unreadable(folder, config, restart, error)]
    if facts is None:
        return [
            Check("certificate", "ok", "none yet: the first start makes its own CA")
        ]
    checks = [
        Check("certificate", "ok", f"{facts.path} and {facts.key_path.name} are read")
    ]
    mend = _mend(facts, folder, restart)
    checks.append(_key(facts, mend))
    checks.append(_name(facts, _host(config, status), mend))
    checks.append(_expiry(facts, now, mend))
    pin = base64.urlsafe_b64encode(facts.ca_pin).rstrip(b"=").decode()
    if facts.is_chained:
        checks.append(Check("ca-pin", "ok", f"clients pin the CA {pin}"))
    else:
        checks.append(
            Check(
                "ca-pin",
                "problem",
                f"{facts.path} is no chain: each certificate must be signed by the "
                "next, and clients pin the last",
                mend,
            )
        )
    return checks


def _host(config: Config, status: dict[str, object] | None) -> str:
    """Return what clients dial."""
    told = None if status is None else status.get("address")
    if isinstance(told, str):
        return parse_address(told).host
    return public_address(config, config.listen_address.port).host


def _unreadable(
    folder: Path, config: Config, restart: str, error: ServerError
) -> Check:
    if config.tls.certificate:
        path = config.tls.certificate
        mend = shlex.join(["openssl", "x509", "-noout", "-text", "-in", path])
        return Check("certificate", "problem", error.sentence, mend)
    with_authority = any(name in error.sentence for name in AUTHORITY_FILES)
    text = error.sentence
    if with_authority:
        text += "; with a new CA, clients need a new join string"
    mend = _remake(folder, restart, with_authority=with_authority)
    return Check("certificate", "problem", text, mend)


def _key(facts: CertificateFacts, mend: str) -> Check:
    if facts.fits:
        return Check("certificate-key", "ok", "the key fits the certificate")
    words = f"{facts.key_path} is not the key of {facts.path}"
    return Check("certificate-key", "problem", words, mend)


def _name(facts: CertificateFacts, host: str, mend: str) -> Check:
    if facts.holds(host):
        return Check("certificate-name", "ok", f"it holds {host}")
    held = ", ".join(facts.names) or "no name"
    words = f"clients dial {host}, and it holds {held}"
    return Check("certificate-name", "problem", words, mend)


def _expiry(facts: CertificateFacts, now: datetime, mend: str) -> Check:
    ends = min(facts.ends, facts.authority_ends)
    days = (ends - now).days
    if facts.starts > now:
        text = f"it is valid only from {facts.starts:%Y-%m-%d %H:%M} UTC on"
        return Check("certificate-expiry", "problem", text, mend)
    if ends <= now:
        text = f"it ended on {ends:%Y-%m-%d}: no client takes it"
        return Check("certificate-expiry", "problem", text, mend)
    text = f"it ends in {days} days, on {ends:%Y-%m-%d}"
    if days < EXPIRY_DAYS_LOW:
        return Check("certificate-expiry", "warning", text, mend)
    return Check("certificate-expiry", "ok", text)


def _mend(facts: CertificateFacts, folder: Path, restart: str) -> str:
    """Return what makes a certificate anew, as far as a command can."""
    if facts.is_own:
        if facts.authority_ends <= facts.ends or not facts.is_chained:
            return _remake(folder, restart, with_authority=True)
        # A start makes a new leaf when the old one won't do.
        return restart
    # Whoever signed it must sign again; he needs a request.
    name = facts.names[0] if facts.names else "localhost"
    kind = "IP" if name.replace(".", "").isdigit() or ":" in name else "DNS"
    request = ["openssl", "req", "-new", "-key", str(facts.key_path), "-subj"]
    request += [f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}"]
    return shlex.join([*request, "-out", f"{facts.path.stem}.csr"])


def _remake(folder: Path, restart: str, *, with_authority: bool) -> str:
    names = (*OWN_FILES, *AUTHORITY_FILES) if with_authority else OWN_FILES
    files = [str(folder / name) for name in names]
    return f"{shlex.join(['rm', '-f', *files])} && {restart}"
