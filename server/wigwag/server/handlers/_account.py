"""HELLO, AUTH, REGISTER, RE_REGISTER, DELETE_ACCOUNT: who is there, and who leaves.

A wrong signature, an unknown user and a removed device are answered alike and after
the same work (R-AUTH-002). A right signature under another registration than the
stored one is an old copy of the device, or this server is an old copy of itself: either
way the device has to register anew (R-AUTH-003). Whoever signs in correctly takes
the device over from an older connection before its own Connect is appended, so that
nothing of the older one can follow it in the log (R-AUTH-004).
"""

from collections.abc import Callable
from hashlib import sha256

from wigwag.server._peer import Identity
from wigwag.server._pending import Pending
from wigwag.server._proof import ProofRefusedError
from wigwag.server._session import Session, round_up_ms
from wigwag.server._signatures import (
    SignatureWrongError,
    verify,
    verify_nobody,
    verify_register,
    verify_signed_prekey,
)
from wigwag.server.core import (
    AccountDelete,
    AccountDeleted,
    AccountFound,
    AccountLookup,
    Answer,
    Connect,
    Connected,
    DeviceFound,
    DeviceLookup,
    Failed,
    Refusal,
    RolledBack,
    device_of,
)
from wigwag.server.core import Register as RegisterRequest
from wigwag.server.core import ReRegister as ReRegisterRequest
from wigwag.wire import AccountDeleted as AccountDeletedMessage
from wigwag.wire import (
    Auth,
    AuthOk,
    DeleteAccount,
    ErrorCode,
    Hello,
    Received,
    Register,
    ReRegister,
    suite1,
)

NONCE_BYTES = 32
SESSION_ID_BYTES = 16
# Signatures at the head of a body; what follows them is what they cover.
SIGNATURE_BYTES = 64
TWO_SIGNATURES_BYTES = 128
# Too many wrong signatures from an address: it waits at least this long.
FAILURES_WAIT_SECONDS = 60.0
# Earliest return to a server that ends, and to one that has too much to do.
RETURN_SECONDS = 1.0
OVERLOADED_SECONDS = 5.0
# A day either way covers a badly set clock (R-ACCOUNT-002); what makes a deletion
# fresh is the handshake that it is bound to.
DELETE_APART_MS_MAX = 86_400_000


def hello(session: Session, event: Received) -> None:
    """Answer HELLO with WELCOME, or REJECT when there is no time for more."""
    message = event.message
    assert isinstance(message, Hello)
    services = session.services
    if services.hub.is_draining:
        session.reject(ErrorCode.GOING_AWAY, RETURN_SECONDS)
        return
    if services.engine.depth > services.limits.engine_depth_max:
        session.reject(ErrorCode.OVERLOADED, OVERLOADED_SECONDS)
        return
    session.inbox.client_window_entries = message.window_entries
    session.connection.accept(
        server_nonce=services.entropy.token(NONCE_BYTES),
        session_id=services.entropy.token(SESSION_ID_BYTES),
        server_time_ms=services.clock.now_ms(),
    )


def auth(session: Session, event: Received) -> None:
    """Verify a device's signature, then sign it in."""
    message = event.message
    assert isinstance(message, Auth)
    transcript = suite1.auth_transcript(
        session.connection.transcript_hash,
        session.peer.certificate_sha256,
        event.body[SIGNATURE_BYTES:],
    )

    def signed(pending: Pending, found: DeviceFound) -> None:
        identity = _identity(message, found, message.registration_id)
        if not _claim(session, pending, identity):
            return
        request = Connect(
            device=identity.device,
            registration_id=message.registration_id,
            generation=message.generation,
            cursor=message.cursor,
        )
        _sign_in(session, event, identity, request)

    _look_up(session, event, message, transcript, signed)


def re_register(session: Session, event: Received) -> None:
    """Verify a device's signature, then give it a new registration."""
    message = event.message
    assert isinstance(message, ReRegister)
    device = device_of(message.user, message.device)
    if session.identity is not None and session.identity.device != device:
        _fail(session, event.corr, event.type)
        return
    transcript = suite1.re_register_transcript(
        session.connection.transcript_hash,
        session.peer.certificate_sha256,
        event.body[SIGNATURE_BYTES:],
    )

    def signed(pending: Pending, found: DeviceFound) -> None:
        # Not before the signature is known to be right: anybody may name a device,
        # and could use up its owner's bucket.
        wait = session.services.request_limits.keys(device, session.now)
        if wait:
            pending.refuse(ErrorCode.RATE_LIMITED, round_up_ms(wait))
            return
        try:
            verify_signed_prekey(
                message.signed_prekey,
                user=message.user,
                device=message.device,
                registration_id=message.registration_id,
                signing_key=found.signing_key,
            )
        except SignatureWrongError:
            _fail(session, pending.corr, pending.type)
            return
        identity = _identity(message, found, message.registration_id)
        if not _claim(session, pending, identity):
            return
        request = ReRegisterRequest(
            device=identity.device,
            registration_id=message.registration_id,
            generation=message.generation,
            signed_prekey=message.signed_prekey,
        )
        _sign_in(session, event, identity, request)

    _look_up(session, event, message, transcript, signed)


def register(session: Session, event: Received) -> None:
    """Verify signatures and proof, then create the account and sign it in."""
    message = event.message
    assert isinstance(message, Register)
    services = session.services
    wait = services.request_limits.registration(session.peer.address, session.now)
    if wait:
        session.refuse_event(event, ErrorCode.RATE_LIMITED, wait)
        return
    verifier = services.verifiers.get(message.proof_kind)
    if verifier is None:
        session.refuse_event(event, ErrorCode.UNSUPPORTED)
        return
    signed = event.body[TWO_SIGNATURES_BYTES:]
    transcript = suite1.register_transcript(
        session.connection.transcript_hash, session.peer.certificate_sha256, signed
    )
    try:
        verify_register(message, transcript)
        accepted = verifier.verify(message.proof, message.account_key)
    except SignatureWrongError:
        _fail(session, event.corr, event.type)
        return
    except ProofRefusedError:
        _fail(session, event.corr, event.type, ErrorCode.PROOF_REFUSED)
        return
    found = DeviceFound(
        registration_id=message.registration_id,
        signing_key=message.signing_key,
        account_key=message.account_key,
    )
    identity = _identity(message, found, message.registration_id)
    session.is_authenticating = True
    request = RegisterRequest(
        device=identity.device,
        account_key=message.account_key,
        registration_id=message.registration_id,
        generation=message.generation,
        signing_key=message.signing_key,
        agreement_key=message.agreement_key,
        list_blob=message.list_blob,
        list_signature=message.list_signature,
        list_hash=suite1.device_list_hash(message.list_blob),
        signed_prekey=message.signed_prekey,
        digest=sha256(signed).digest(),
        invite=accepted.invite,
        once=accepted.once,
    )
    _sign_in(session, event, identity, request)


def delete_account(session: Session, event: Received) -> None:
    """Verify the account's signature, then delete it; no device need be signed in."""
    message = event.message
    assert isinstance(message, DeleteAccount)
    services = session.services
    limits = services.request_limits
    if limits.may_authenticate(session.peer.address, session.now):
        session.refuse_event(event, ErrorCode.RATE_LIMITED, FAILURES_WAIT_SECONDS)
        return
    if abs(message.time - services.clock.now_ms()) > DELETE_APART_MS_MAX:
        session.refuse_event(event, ErrorCode.INVALID_TIME)
        return
    if session.identity is not None and session.identity.user != message.user:
        _fail(session, event.corr, event.type)
        return
    transcript = suite1.delete_account_transcript(
        session.connection.transcript_hash,
        session.peer.certificate_sha256,
        event.body[SIGNATURE_BYTES:],
    )
    session.is_authenticating = True

    def found(pending: Pending, answer: Answer) -> None:
        session.is_authenticating = False
        session.mark()
        try:
            match answer:
                case AccountFound(key):
                    verify(key, message.signature, transcript)
                case Failed(Refusal.AUTH_FAILED):
                    verify_nobody(message.signature, transcript)
                case _:
                    pending.otherwise(answer)
                    return
        except SignatureWrongError:
            _fail(session, pending.corr, pending.type)
            return
        assert isinstance(answer, AccountFound)
        session.is_authenticating = True
        request = AccountDelete(user=message.user, account_key=answer.account_key)
        session.ask(request, event, _deleted)

    session.ask(AccountLookup(user=message.user), event, found)


def _deleted(pending: Pending, answer: Answer) -> None:
    """Say that the account is gone, and end: there is nobody to serve here."""
    session = pending.session
    session.is_authenticating = False
    session.mark()
    match answer:
        case AccountDeleted(deleted_ms):
            session.services.hub.counts.accounts_deleted += 1
            session.answer(AccountDeletedMessage(time=deleted_ms), pending.corr)
            session.close_with(ErrorCode.DEVICE_REMOVED)
        case Failed(Refusal.AUTH_FAILED):
            _fail(session, pending.corr, pending.type)
        case _:
            pending.otherwise(answer)


def _look_up(
    session: Session,
    event: Received,
    message: Auth | ReRegister,
    transcript: bytes,
    signed: Callable[[Pending, DeviceFound], None],
) -> None:
    """Find the device's key and verify with it; `signed` goes on if it was right."""
    limits = session.services.request_limits
    if limits.may_authenticate(session.peer.address, session.now):
        session.refuse_event(event, ErrorCode.RATE_LIMITED, FAILURES_WAIT_SECONDS)
        return
    session.is_authenticating = True
    # An AUTH names the registration that it belongs to, a RE_REGISTER a new one.
    registration_id = message.registration_id if isinstance(message, Auth) else None

    def told(pending: Pending, answer: Answer) -> None:
        session.is_authenticating = False
        key: bytes | None = None
        match answer:
            case DeviceFound():
                key = answer.signing_key
            case Failed(Refusal.AUTH_FAILED):
                pass
            case _:
                pending.otherwise(answer)
                return
        try:
            if key is None:
                verify_nobody(message.signature, transcript)
            else:
                verify(key, message.signature, transcript)
        except SignatureWrongError:
            _fail(session, pending.corr, pending.type)
            return
        assert isinstance(answer, DeviceFound)
        if registration_id not in (None, answer.registration_id):
            # Before it could claim the device: it ends nobody's connection.
            pending.refuse(ErrorCode.STORE_ROLLED_BACK)
            return
        signed(pending, answer)

    device = device_of(message.user, message.device)
    session.ask(DeviceLookup(device=device), event, told)


def _claim(session: Session, pending: Pending, identity: Identity) -> bool:
    """Take the device over from an older connection, if its user may have one more."""
    services = session.services
    connections_max = services.limits.connections_per_user_max
    if not services.hub.may_claim(identity, connections_max):
        pending.refuse(ErrorCode.RATE_LIMITED, round_up_ms(FAILURES_WAIT_SECONDS))
        return False
    services.hub.claim(identity, session)
    return True


def _sign_in(
    session: Session,
    event: Received,
    identity: Identity,
    request: Connect | RegisterRequest | ReRegisterRequest,
) -> None:
    """Append what signs the device in, and answer AUTH_OK when it has."""
    session.is_authenticating = True
    hub = session.services.hub

    def told(pending: Pending, answer: Answer) -> None:
        session.is_authenticating = False
        session.mark()
        if not isinstance(answer, Connected) and session.identity is None:
            hub.unclaim(session)
        match answer:
            case Connected():
                # A REGISTER claims only now: until it is known to be no other
                # account's id, it must not end the owner's connection.
                hub.claim(identity, session)
                hub.counts.sign_ins += 1
                if isinstance(request, RegisterRequest):
                    hub.counts.registrations += 1
                _welcome(session, pending.corr, identity, answer)
            case RolledBack():
                pending.refuse(ErrorCode.STORE_ROLLED_BACK)
            case Failed(Refusal.AUTH_FAILED):
                _fail(session, pending.corr, pending.type)
            case Failed(Refusal.PROOF_REFUSED):
                _fail(session, pending.corr, pending.type, ErrorCode.PROOF_REFUSED)
            case _:
                pending.otherwise(answer)

    session.ask(request, event, told)


def _welcome(
    session: Session, corr: int, identity: Identity, answer: Connected
) -> None:
    session.connection.send(
        AuthOk(
            acked=answer.acked,
            last=answer.last,
            last_stored_id=answer.last_stored_id,
            last_stored_attempt=answer.last_stored_attempt,
            ec_left=answer.ec_left,
            kem_left=answer.kem_left,
            list_seq=answer.list_seq,
        ),
        corr=corr,
    )
    for gap in answer.gaps:
        session.inbox.say_gap(gap)
    session.sign_in(identity, acked=answer.acked, last=answer.last)


def _identity(
    message: Auth | Register | ReRegister, found: DeviceFound, registration_id: int
) -> Identity:
    return Identity(
        device=device_of(message.user, message.device),
        user=message.user,
        number=message.device,
        registration_id=registration_id,
        generation=message.generation,
        signing_key=found.signing_key,
        account_key=found.account_key,
    )


def _fail(
    session: Session,
    corr: int,
    frame_type: int,
    code: ErrorCode = ErrorCode.AUTH_FAILED,
) -> None:
    """Refuse a sign-in; after a few on one connection, end it."""
    services = session.services
    services.hub.counts.auth_failures += 1
    services.request_limits.authentication_failed(session.peer.address, session.now)
    services.hub.log.info(
        "auth_failed",
        connection=session.number,
        address=session.peer.address,
        code=code.name,
    )
    session.is_authenticating = False
    session.refuse(corr, frame_type, code)
    session.auth_failures += 1
    if session.auth_failures >= services.limits.auth_failures_per_connection_max:
        session.close_with(code)
