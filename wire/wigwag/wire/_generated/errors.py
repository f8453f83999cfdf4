"""Error codes: their class, outcome and whose fault they are.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from enum import IntEnum

from wigwag.wire._message_info import ErrorInfo


class ErrorCode(IntEnum):
    """Codes; the high nibble is the class, so an unknown one has defined behaviour."""

    MALFORMED = 0x1001
    """Bytes that no revision allows."""
    UNKNOWN_CRITICAL = 0x1002
    """An unknown tag that must be understood."""
    FRAME_TOO_LARGE = 0x1003
    """A frame longer than the limit of the state."""
    FRAME_TIMEOUT = 0x1004
    """A frame did not arrive whole in time."""
    PROTOCOL_ERROR = 0x1005
    """A frame that is not allowed in this state."""
    NO_COMMON_REVISION = 0x1006
    """The two sides share no revision."""
    HANDSHAKE_TIMEOUT = 0x1007
    """The handshake took too long."""
    PEER_TIMEOUT = 0x1008
    """The peer did not answer its pings."""
    SLOW_READER = 0x1009
    """The peer did not read what was sent to it."""
    REPLACED = 0x100a
    """The same device connected a second time; the newer connection stays."""
    GOING_AWAY = 0x100b
    """The server stops or restarts."""
    DEVICE_REMOVED = 0x100c
    """This device was removed from its account, or the account was deleted."""
    UNSUPPORTED = 0x2001
    """A request, message type or value that this server doesn't know or allow."""
    LIMIT = 0x2002
    """A count or length above its limit."""
    INVALID_TEXT = 0x2003
    """Text that is not well formed or not allowed in this place."""
    INVALID_TIME = 0x2004
    """A time too far from the server's."""
    EXPIRED = 0x2005
    """The message id is too old or from the future."""
    NOT_FOUND = 0x2006
    """There is no such user, name or chat, or not for you."""
    FORBIDDEN = 0x2007
    """The account may not do this."""
    CONFLICT = 0x2008
    """The same id was used for something else."""
    NAME_TAKEN = 0x2009
    """Somebody has this username."""
    QUOTA = 0x200a
    """The account has as many of these as it may."""
    INTERNAL = 0x200b
    """The server failed on this request; its operator was told."""
    ID_TAKEN = 0x200c
    """The account id exists with other keys."""
    RECIPIENT_FULL = 0x3001
    """The recipient's inbox takes no more until he comes online."""
    DEVICES_STALE = 0x3002
    """The recipient's devices changed."""
    UNAVAILABLE = 0x3003
    """The server can't do this now."""
    STALE_EPOCH = 0x3004
    """The group changed since the message was made."""
    OUT_OF_ORDER = 0x3005
    """An earlier message of this device is not stored yet."""
    AUTH_FAILED = 0x4001
    """The proof, key or signature is not right, or there is no such device."""
    STORE_ROLLED_BACK = 0x4002
    """This profile is an older copy of one that connected since, or the server was put back
    from one.
    """
    PROOF_REFUSED = 0x4003
    """The invite or token is wrong, used up or expired."""
    RATE_LIMITED = 0x5001
    """Too many requests in a short time."""
    ENHANCE_CALM = 0x5002
    """Far too many frames in a short time."""
    OVERLOADED = 0x5003
    """The server takes no more connections now."""


ERRORS: dict[int, ErrorInfo] = {
    ErrorCode.MALFORMED: ErrorInfo(
        'MALFORMED',
        4097,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'peer',
        'Bytes that no revision allows.',
        'Update the client; report it if it is the newest.',
    ),
    ErrorCode.UNKNOWN_CRITICAL: ErrorInfo(
        'UNKNOWN_CRITICAL',
        4098,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'peer',
        'An unknown tag that must be understood.',
        'Update the older of the two sides.',
    ),
    ErrorCode.FRAME_TOO_LARGE: ErrorInfo(
        'FRAME_TOO_LARGE',
        4099,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'peer',
        'A frame longer than the limit of the state.',
        'Send larger content as an attachment.',
    ),
    ErrorCode.FRAME_TIMEOUT: ErrorInfo(
        'FRAME_TIMEOUT',
        4100,
        'connection_fatal',
        'connection',
        'reconnect',
        'unknown',
        'peer',
        'A frame did not arrive whole in time.',
        'Connect again; nothing is lost.',
    ),
    ErrorCode.PROTOCOL_ERROR: ErrorInfo(
        'PROTOCOL_ERROR',
        4101,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'peer',
        'A frame that is not allowed in this state.',
        'Update the client; report it if it is the newest.',
    ),
    ErrorCode.NO_COMMON_REVISION: ErrorInfo(
        'NO_COMMON_REVISION',
        4102,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'peer',
        'The two sides share no revision.',
        'Update the older of the two sides.',
    ),
    ErrorCode.HANDSHAKE_TIMEOUT: ErrorInfo(
        'HANDSHAKE_TIMEOUT',
        4103,
        'connection_fatal',
        'connection',
        'reconnect',
        'none',
        'peer',
        'The handshake took too long.',
        'Connect again.',
    ),
    ErrorCode.PEER_TIMEOUT: ErrorInfo(
        'PEER_TIMEOUT',
        4104,
        'connection_fatal',
        'connection',
        'reconnect',
        'unknown',
        'peer',
        'The peer did not answer its pings.',
        'Connect again; nothing is lost.',
    ),
    ErrorCode.SLOW_READER: ErrorInfo(
        'SLOW_READER',
        4105,
        'connection_fatal',
        'connection',
        'reconnect',
        'unknown',
        'peer',
        'The peer did not read what was sent to it.',
        'Connect again; nothing is lost.',
    ),
    ErrorCode.REPLACED: ErrorInfo(
        'REPLACED',
        4106,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'nobody',
        'The same device connected a second time; the newer connection stays.',
        'Use one process per profile.',
    ),
    ErrorCode.GOING_AWAY: ErrorInfo(
        'GOING_AWAY',
        4107,
        'connection_fatal',
        'connection',
        'reconnect',
        'unknown',
        'nobody',
        'The server stops or restarts.',
        'Connect again after retry_after.',
    ),
    ErrorCode.DEVICE_REMOVED: ErrorInfo(
        'DEVICE_REMOVED',
        4108,
        'connection_fatal',
        'connection',
        'never',
        'none',
        'nobody',
        'This device was removed from its account, or the account was deleted.',
        'Use another device of the account, or register anew.',
    ),
    ErrorCode.UNSUPPORTED: ErrorInfo(
        'UNSUPPORTED',
        8193,
        'permanent',
        'either',
        'never',
        'none',
        'peer',
        "A request, message type or value that this server doesn't know or allow.",
        'Update the older of the two sides.',
    ),
    ErrorCode.LIMIT: ErrorInfo(
        'LIMIT',
        8194,
        'permanent',
        'either',
        'never',
        'none',
        'client',
        'A count or length above its limit.',
        'Send less at once.',
    ),
    ErrorCode.INVALID_TEXT: ErrorInfo(
        'INVALID_TEXT',
        8195,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'Text that is not well formed or not allowed in this place.',
        'Use another text.',
    ),
    ErrorCode.INVALID_TIME: ErrorInfo(
        'INVALID_TIME',
        8196,
        'permanent',
        'request',
        'after_fix',
        'none',
        'client',
        "A time too far from the server's.",
        'Set the clock of this machine.',
    ),
    ErrorCode.EXPIRED: ErrorInfo(
        'EXPIRED',
        8197,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'The message id is too old or from the future.',
        'Set the clock of this machine and send it as a new message.',
    ),
    ErrorCode.NOT_FOUND: ErrorInfo(
        'NOT_FOUND',
        8198,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'There is no such user, name or chat, or not for you.',
        'Check the name.',
    ),
    ErrorCode.FORBIDDEN: ErrorInfo(
        'FORBIDDEN',
        8199,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'The account may not do this.',
        'Ask somebody who may.',
    ),
    ErrorCode.CONFLICT: ErrorInfo(
        'CONFLICT',
        8200,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'The same id was used for something else.',
        'Update the client; report it if it is the newest.',
    ),
    ErrorCode.NAME_TAKEN: ErrorInfo(
        'NAME_TAKEN',
        8201,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'Somebody has this username.',
        'Choose another name.',
    ),
    ErrorCode.QUOTA: ErrorInfo(
        'QUOTA',
        8202,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'The account has as many of these as it may.',
        'Remove one first.',
    ),
    ErrorCode.INTERNAL: ErrorInfo(
        'INTERNAL',
        8203,
        'permanent',
        'request',
        'later',
        'none',
        'server',
        'The server failed on this request; its operator was told.',
        'Try again later; tell the operator.',
    ),
    ErrorCode.ID_TAKEN: ErrorInfo(
        'ID_TAKEN',
        8204,
        'permanent',
        'request',
        'never',
        'none',
        'client',
        'The account id exists with other keys.',
        'Register anew with a fresh id.',
    ),
    ErrorCode.RECIPIENT_FULL: ErrorInfo(
        'RECIPIENT_FULL',
        12289,
        'retryable',
        'request',
        'later',
        'none',
        'nobody',
        "The recipient's inbox takes no more until he comes online.",
        'Nothing to do: it is tried again.',
    ),
    ErrorCode.DEVICES_STALE: ErrorInfo(
        'DEVICES_STALE',
        12290,
        'retryable',
        'request',
        'after_fix',
        'none',
        'nobody',
        "The recipient's devices changed.",
        'Nothing to do: it is encrypted anew and tried again.',
    ),
    ErrorCode.UNAVAILABLE: ErrorInfo(
        'UNAVAILABLE',
        12291,
        'retryable',
        'either',
        'later',
        'unknown',
        'server',
        "The server can't do this now.",
        'Try again in a while; messages are tried again by themselves.',
    ),
    ErrorCode.STALE_EPOCH: ErrorInfo(
        'STALE_EPOCH',
        12292,
        'retryable',
        'request',
        'after_fix',
        'none',
        'nobody',
        'The group changed since the message was made.',
        'Nothing to do: it is made anew and tried again.',
    ),
    ErrorCode.OUT_OF_ORDER: ErrorInfo(
        'OUT_OF_ORDER',
        12293,
        'retryable',
        'request',
        'after_fix',
        'none',
        'nobody',
        'An earlier message of this device is not stored yet.',
        'Nothing to do: it is sent again in order.',
    ),
    ErrorCode.AUTH_FAILED: ErrorInfo(
        'AUTH_FAILED',
        16385,
        'auth',
        'request',
        'never',
        'none',
        'client',
        'The proof, key or signature is not right, or there is no such device.',
        'Check the profile; register again if it was removed.',
    ),
    ErrorCode.STORE_ROLLED_BACK: ErrorInfo(
        'STORE_ROLLED_BACK',
        16386,
        'auth',
        'request',
        'after_fix',
        'none',
        'client',
        'This profile is an older copy of one that connected since, or the server was put back from one.',
        'Nothing to do: the device registers its keys anew.',
    ),
    ErrorCode.PROOF_REFUSED: ErrorInfo(
        'PROOF_REFUSED',
        16387,
        'auth',
        'request',
        'never',
        'none',
        'client',
        'The invite or token is wrong, used up or expired.',
        'Ask the operator for a new invite (wigwag admin invite), or your identity service for a new token.',
    ),
    ErrorCode.RATE_LIMITED: ErrorInfo(
        'RATE_LIMITED',
        20481,
        'slow_down',
        'request',
        'later',
        'none',
        'client',
        'Too many requests in a short time.',
        'Wait for retry_after.',
    ),
    ErrorCode.ENHANCE_CALM: ErrorInfo(
        'ENHANCE_CALM',
        20482,
        'slow_down',
        'connection',
        'reconnect',
        'unknown',
        'peer',
        'Far too many frames in a short time.',
        'Connect again after retry_after; report it if it comes back.',
    ),
    ErrorCode.OVERLOADED: ErrorInfo(
        'OVERLOADED',
        20483,
        'slow_down',
        'connection',
        'reconnect',
        'none',
        'server',
        'The server takes no more connections now.',
        'Connect again after retry_after.',
    ),
}
