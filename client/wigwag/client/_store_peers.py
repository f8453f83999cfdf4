"""Rows of peers: pinned device lists, names, changes of keys."""

from dataclasses import dataclass
from typing import NamedTuple

from wigwag.client._ids import ZERO_ID
from wigwag.client._txn import Txn
from wigwag.client.crypto import ListPin
from wigwag.wire import suite1


@dataclass(frozen=True, slots=True)
class Peer:
    """An account that we know.

    Attributes:
        user: Account id.
        name: Username, as resolved; None: not known.
        pin: His newest accepted device list.
        is_verified: Whether the user compared safety numbers.
        change: Why sending to him is held, a word; empty: it isn't.
        checked_ms: When his list was last fetched.
    """

    user: bytes
    name: str | None
    pin: ListPin
    is_verified: bool = False
    change: str = ""
    checked_ms: int = 0

    @property
    def label(self) -> str:
        """How to call him: his name, or the start of his account id."""
        return self.name or f"account {self.user.hex()[:8]}"


class PeerName(NamedTuple):
    """Whose a username is.

    Attributes:
        user: The account that we know under it.
        changed_user: Another account that has it now, not accepted yet.
    """

    user: bytes
    changed_user: bytes | None


class _Row(NamedTuple):
    user: bytes
    name: str | None
    pin: bytes
    is_verified: int
    change: str
    checked_ms: int


def peer_txn(txn: Txn, user: bytes) -> Peer | None:
    """Return an account that we know."""
    row = txn.one(
        _Row,
        "SELECT user, name, pin, is_verified, change, checked_ms FROM peer"
        " WHERE user = ?",
        user,
    )
    return None if row is None else _peer(row)


def peers_txn(txn: Txn) -> list[Peer]:
    """Return all accounts that we know."""
    rows = txn.all(
        _Row, "SELECT user, name, pin, is_verified, change, checked_ms FROM peer"
    )
    return [_peer(row) for row in rows]


def save_peer_txn(txn: Txn, peer: Peer) -> None:
    """Write an account's row."""
    txn.do(
        "INSERT OR REPLACE INTO peer VALUES (?, ?, ?, ?, ?, ?)",
        peer.user,
        peer.name,
        peer.pin.dump(),
        peer.is_verified,
        peer.change,
        peer.checked_ms,
    )


def name_txn(txn: Txn, name: str) -> PeerName | None:
    """Return whose a username is."""
    return txn.one(
        PeerName, "SELECT user, changed_user FROM peer_name WHERE name = ?", name
    )


def save_name_txn(
    txn: Txn, name: str, user: bytes, changed_user: bytes | None = None
) -> None:
    """Note whose a username is, and who else has it now."""
    txn.do(
        "INSERT OR REPLACE INTO peer_name VALUES (?, ?, ?)", name, user, changed_user
    )


def open_chat_txn(txn: Txn, me: bytes, peer: bytes) -> bytes:
    """Return the direct chat with a peer; its row is made if it isn't there."""
    chat = suite1.direct_chat_id(me, peer)
    txn.do("INSERT OR IGNORE INTO chat VALUES (?, ?, ?, 0, 0, 0)", chat, peer, ZERO_ID)
    return chat


def chat_peer_txn(txn: Txn, chat: bytes) -> bytes | None:
    """Return the peer of a chat; None: we don't know the chat."""
    return txn.value(bytes, "SELECT peer FROM chat WHERE chat = ?", chat)


def chat_base_txn(txn: Txn, chat: bytes) -> bytes:
    """Return what our next message in a chat goes after."""
    return txn.value(bytes, "SELECT base FROM chat WHERE chat = ?", chat) or ZERO_ID


def set_chat_base_txn(txn: Txn, chat: bytes, base: bytes) -> None:
    """Note what our next message in a chat goes after."""
    txn.do("UPDATE chat SET base = ? WHERE chat = ?", base, chat)


def clear_chat_bases_txn(txn: Txn) -> None:
    """Begin every chat anew: the server keeps tails by registration."""
    txn.do("UPDATE chat SET base = ?", ZERO_ID)


def reset_time_txn(txn: Txn, user: bytes, device: int) -> int:
    """Return when the sessions with a device were last begun anew; 0: never."""
    found = txn.value(
        int,
        "SELECT reset_ms FROM session WHERE user = ? AND device = ?",
        user,
        device,
    )
    return found or 0


def set_reset_time_txn(txn: Txn, user: bytes, device: int, now_ms: int) -> None:
    """Note that the sessions with a device were begun anew."""
    txn.do(
        "UPDATE session SET reset_ms = ? WHERE user = ? AND device = ?",
        now_ms,
        user,
        device,
    )


def _peer(row: _Row) -> Peer:
    return Peer(
        user=row.user,
        name=row.name,
        pin=ListPin.load(row.pin),
        is_verified=bool(row.is_verified),
        change=row.change,
        checked_ms=row.checked_ms,
    )
