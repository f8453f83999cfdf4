"""Usernames: taking one, and finding whose one is."""

import re

from wigwag.server._pending import Pending
from wigwag.server._session import Session
from wigwag.server.core import Answer, Username
from wigwag.server.core import UsernameClaim as ClaimRequest
from wigwag.server.core import UsernameOf as OfRequest
from wigwag.server.core import UsernameResolve as ResolveRequest
from wigwag.wire import (
    ErrorCode,
    Received,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
    UsernameResolved,
)

# R-NAME-001: one spelling each, nothing that looks like something else.
USERNAME = re.compile(r"[a-z][a-z0-9_.-]{2,31}")


def username_claim(session: Session, event: Received) -> None:
    """Take a username for the account."""
    message = event.message
    identity = session.identity
    assert isinstance(message, UsernameClaim)
    assert identity is not None
    if _may_look_up(session, event) and _is_valid(session, event, message.name):
        session.ask(
            ClaimRequest(user=identity.user, name=message.name, number=identity.number),
            event,
            _told,
        )


def username_resolve(session: Session, event: Received) -> None:
    """Find whose a username is."""
    message = event.message
    assert isinstance(message, UsernameResolve)
    if _may_look_up(session, event) and _is_valid(session, event, message.name):
        session.ask(ResolveRequest(name=message.name), event, _told)


def username_of(session: Session, event: Received) -> None:
    """Find an account's username."""
    message = event.message
    assert isinstance(message, UsernameOf)
    if _may_look_up(session, event):
        session.ask(OfRequest(user=message.user), event, _told)


def _may_look_up(session: Session, event: Received) -> bool:
    identity = session.identity
    assert identity is not None
    wait = session.services.request_limits.directory(identity.device, session.now)
    if wait:
        session.refuse_event(event, ErrorCode.RATE_LIMITED, wait)
    return not wait


def _is_valid(session: Session, event: Received, name: str) -> bool:
    if USERNAME.fullmatch(name):
        return True
    session.refuse_event(event, ErrorCode.INVALID_TEXT)
    return False


def _told(pending: Pending, answer: Answer) -> None:
    match answer:
        case Username(user, name):
            pending.session.answer(UsernameResolved(user=user, name=name), pending.corr)
        case _:
            pending.otherwise(answer)
