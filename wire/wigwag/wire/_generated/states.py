"""Connection states: what is legal in each, what moves on, and when it times out.

Made from the specification by `wigwag spec generate`. Do not edit.
"""

from __future__ import annotations

from wigwag.wire._message_info import StateInfo, TimeoutInfo

STATES: dict[str, StateInfo] = {
    'HELLO': StateInfo('HELLO', 'frame_bytes_before_auth_max', 'TLS is up; the server has not accepted the connection.'),
    'AUTH': StateInfo('AUTH', 'frame_bytes_before_auth_max', 'Revision agreed; the device has not signed in.'),
    'READY': StateInfo('READY', 'frame_bytes_max', 'Signed in.'),
    'LINKING': StateInfo('LINKING', 'frame_bytes_before_auth_max', 'A device that is being linked: mailbox only.'),
    'DRAINING': StateInfo('DRAINING', 'frame_bytes_max', 'GOAWAY was said: answers and acknowledgements still pass, new requests are ignored.'),
    'CLOSED': StateInfo('CLOSED', 'frame_bytes_before_auth_max', 'Nothing passes.'),
}

# (state, type) → next state; what is not here stays in its state.
TRANSITIONS: dict[tuple[str, int], str] = {
    ('HELLO', 2): 'HELLO',  # HELLO
    ('HELLO', 4): 'AUTH',  # WELCOME
    ('HELLO', 6): 'CLOSED',  # REJECT
    ('AUTH', 18): 'READY',  # AUTH_OK
    ('READY', 18): 'READY',  # AUTH_OK
    ('AUTH', 10): 'DRAINING',  # GOAWAY
    ('READY', 10): 'DRAINING',  # GOAWAY
    ('LINKING', 10): 'DRAINING',  # GOAWAY
    ('DRAINING', 10): 'DRAINING',  # GOAWAY
}

# (state, type) → who may send it then.
LEGAL: dict[tuple[str, int], frozenset[str]] = {
    ('HELLO', 2): frozenset(('client',)),  # HELLO
    ('HELLO', 4): frozenset(('server',)),  # WELCOME
    ('HELLO', 6): frozenset(('server',)),  # REJECT
    ('AUTH', 8): frozenset(('client', 'server')),  # ERROR
    ('READY', 8): frozenset(('client', 'server')),  # ERROR
    ('LINKING', 8): frozenset(('client', 'server')),  # ERROR
    ('DRAINING', 8): frozenset(('client', 'server')),  # ERROR
    ('AUTH', 10): frozenset(('client', 'server')),  # GOAWAY
    ('READY', 10): frozenset(('client', 'server')),  # GOAWAY
    ('LINKING', 10): frozenset(('client', 'server')),  # GOAWAY
    ('DRAINING', 10): frozenset(('client', 'server')),  # GOAWAY
    ('AUTH', 12): frozenset(('client', 'server')),  # PING
    ('READY', 12): frozenset(('client', 'server')),  # PING
    ('LINKING', 12): frozenset(('client', 'server')),  # PING
    ('DRAINING', 12): frozenset(('client', 'server')),  # PING
    ('AUTH', 14): frozenset(('client', 'server')),  # PONG
    ('READY', 14): frozenset(('client', 'server')),  # PONG
    ('LINKING', 14): frozenset(('client', 'server')),  # PONG
    ('DRAINING', 14): frozenset(('client', 'server')),  # PONG
    ('AUTH', 16): frozenset(('client',)),  # AUTH
    ('AUTH', 18): frozenset(('server',)),  # AUTH_OK
    ('READY', 18): frozenset(('server',)),  # AUTH_OK
    ('AUTH', 20): frozenset(('client',)),  # REGISTER
    ('AUTH', 22): frozenset(('client',)),  # RE_REGISTER
    ('READY', 22): frozenset(('client',)),  # RE_REGISTER
    ('AUTH', 24): frozenset(('client',)),  # DELETE_ACCOUNT
    ('READY', 24): frozenset(('client',)),  # DELETE_ACCOUNT
    ('AUTH', 26): frozenset(('server',)),  # ACCOUNT_DELETED
    ('READY', 26): frozenset(('server',)),  # ACCOUNT_DELETED
    ('DRAINING', 26): frozenset(('server',)),  # ACCOUNT_DELETED
    ('READY', 32): frozenset(('client',)),  # USERNAME_CLAIM
    ('READY', 36): frozenset(('client',)),  # USERNAME_RESOLVE
    ('READY', 38): frozenset(('server',)),  # USERNAME_RESOLVED
    ('DRAINING', 38): frozenset(('server',)),  # USERNAME_RESOLVED
    ('READY', 40): frozenset(('client',)),  # USERNAME_OF
    ('READY', 48): frozenset(('client',)),  # PREKEYS_UPLOAD
    ('READY', 50): frozenset(('server',)),  # PREKEYS_STORED
    ('DRAINING', 50): frozenset(('server',)),  # PREKEYS_STORED
    ('READY', 52): frozenset(('client',)),  # PREKEYS_COUNT
    ('READY', 56): frozenset(('client',)),  # PREKEYS_CLAIM
    ('READY', 58): frozenset(('server',)),  # BUNDLES
    ('DRAINING', 58): frozenset(('server',)),  # BUNDLES
    ('READY', 61): frozenset(('server',)),  # PREKEYS_LOW
    ('READY', 64): frozenset(('client',)),  # DEVICE_LIST_PUBLISH
    ('READY', 66): frozenset(('server',)),  # DEVICE_LIST_PUBLISHED
    ('DRAINING', 66): frozenset(('server',)),  # DEVICE_LIST_PUBLISHED
    ('READY', 68): frozenset(('client',)),  # DEVICE_LIST_GET
    ('READY', 70): frozenset(('server',)),  # DEVICE_LISTS
    ('DRAINING', 70): frozenset(('server',)),  # DEVICE_LISTS
    ('READY', 80): frozenset(('client',)),  # SEND
    ('READY', 82): frozenset(('server',)),  # SEQUENCED
    ('DRAINING', 82): frozenset(('server',)),  # SEQUENCED
    ('READY', 84): frozenset(('server',)),  # REFUSED
    ('DRAINING', 84): frozenset(('server',)),  # REFUSED
    ('READY', 96): frozenset(('server',)),  # DELIVER
    ('READY', 98): frozenset(('client',)),  # ACK
    ('DRAINING', 98): frozenset(('client',)),  # ACK
    ('READY', 100): frozenset(('server',)),  # MISSED
    ('READY', 102): frozenset(('server',)),  # UNDELIVERED
    ('READY', 104): frozenset(('server',)),  # UNREADABLE
    ('READY', 106): frozenset(('server',)),  # GAP
    ('READY', 109): frozenset(('server',)),  # INBOX_EMPTY
    ('READY', 113): frozenset(('server',)),  # RECEIPT
    ('READY', 114): frozenset(('client',)),  # RECEIPTS_GET
    ('READY', 116): frozenset(('server',)),  # RECEIPTS
    ('DRAINING', 116): frozenset(('server',)),  # RECEIPTS
}

TIMEOUTS: tuple[TimeoutInfo, ...] = (
    TimeoutInfo('HELLO', 'server', 'auth_seconds', 0x1007),  # HANDSHAKE_TIMEOUT
    TimeoutInfo('AUTH', 'server', 'auth_seconds', 0x1007),  # HANDSHAKE_TIMEOUT
    TimeoutInfo('HELLO', 'client', 'auth_seconds', 0x1007),  # HANDSHAKE_TIMEOUT
    TimeoutInfo('AUTH', 'client', 'auth_seconds', 0x1007),  # HANDSHAKE_TIMEOUT
    TimeoutInfo('READY', 'server', 'idle_seconds', 0x1008),  # PEER_TIMEOUT
    TimeoutInfo('READY', 'client', 'idle_seconds', 0x1008),  # PEER_TIMEOUT
)
