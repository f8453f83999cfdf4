"""Rows of our own prekeys, with their secrets."""

from enum import IntEnum

from wigwag.client._store_account import skip_ids_txn, take_ids_txn
from wigwag.client._txn import Txn
from wigwag.client.crypto import (
    KEM_PREKEYS_UPLOADED,
    ONE_TIME_PREKEYS_UPLOADED,
    PREKEY_KEPT_MS,
    Entropy,
    LocalDevice,
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
    ReplayKey,
    UsedPrekeys,
    make_kem_prekeys,
    make_one_time_prekeys,
    make_signed_prekey,
)
from wigwag.wire import PrekeysStored


class PrekeyKind(IntEnum):
    """Column `kind`."""

    SIGNED = 1
    ONE_TIME = 2
    KEM = 3


class PrekeyRows:
    """Our prekeys as `decrypt` looks them up."""

    def __init__(self, txn: Txn) -> None:
        self._txn = txn

    def signed_prekey(self, prekey_id: int) -> OwnSignedPrekey | None:
        """Look up a signed prekey, replaced ones included."""
        data = self._data(PrekeyKind.SIGNED, prekey_id)
        return None if data is None else OwnSignedPrekey.load(data)

    def one_time_prekey(self, prekey_id: int) -> OwnOneTimePrekey | None:
        """Look up an unused one-time X25519 prekey."""
        data = self._data(PrekeyKind.ONE_TIME, prekey_id)
        return None if data is None else OwnOneTimePrekey.load(data)

    def kem_prekey(self, prekey_id: int) -> OwnKemPrekey | None:
        """Look up an unused one-time, or a last-resort, ML-KEM prekey."""
        data = self._data(PrekeyKind.KEM, prekey_id)
        return None if data is None else OwnKemPrekey.load(data)

    def is_replay(self, replay: ReplayKey) -> bool:
        """Say whether this first message was taken before."""
        found = self._txn.value(
            int,
            "SELECT 1 FROM replay WHERE kem_id = ? AND base_key = ?",
            replay.kem_prekey_id,
            replay.base_key,
        )
        return found is not None

    def _data(self, kind: PrekeyKind, prekey_id: int) -> bytes | None:
        return self._txn.value(
            bytes,
            "SELECT data FROM prekey WHERE kind = ? AND id = ?",
            kind,
            prekey_id,
        )


def use_prekeys_txn(txn: Txn, used: UsedPrekeys, now_ms: int) -> None:
    """Delete and remember what a first message used, with its plaintext."""
    for kind, prekey_id in (
        (PrekeyKind.ONE_TIME, used.one_time_id),
        (PrekeyKind.KEM, used.kem_id),
    ):
        if prekey_id is not None:
            txn.do("DELETE FROM prekey WHERE kind = ? AND id = ?", kind, prekey_id)
    if used.replay is not None:
        txn.do(
            "INSERT INTO replay VALUES (?, ?, ?)",
            used.replay.kem_prekey_id,
            used.replay.base_key,
            now_ms,
        )


def make_signed_txn(
    txn: Txn, me: LocalDevice, *, entropy: Entropy, now_ms: int
) -> OwnSignedPrekey:
    """Make the next signed prekey; those before it are replaced by it."""
    prekey_id = take_ids_txn(txn, "next_signed", 1)
    made = make_signed_prekey(me, prekey_id, entropy=entropy, now_ms=now_ms)
    _replace_txn(txn, PrekeyKind.SIGNED, now_ms)
    _insert_txn(txn, PrekeyKind.SIGNED, prekey_id, made.dump(), now_ms)
    return made


def make_last_resort_txn(
    txn: Txn, me: LocalDevice, *, entropy: Entropy, now_ms: int
) -> OwnKemPrekey:
    """Make the next last-resort ML-KEM prekey; that before it is replaced by it."""
    prekey_id = take_ids_txn(txn, "next_kem", 1)
    (made,) = make_kem_prekeys(me, prekey_id, 1, is_last_resort=True, entropy=entropy)
    _replace_txn(txn, PrekeyKind.KEM, now_ms)
    _insert_txn(
        txn, PrekeyKind.KEM, prekey_id, made.dump(), now_ms, is_last_resort=True
    )
    return made


def one_time_to_upload_txn(
    txn: Txn, me: LocalDevice, *, entropy: Entropy, now_ms: int
) -> tuple[list[OwnOneTimePrekey], list[OwnKemPrekey]]:
    """Return one-time prekeys to upload: those of an upload that failed, or new ones.

    Only what no upload was confirmed of: a key that the server may have handed out
    must not be offered again, not even to a restored server (I24).
    """
    query = (
        "SELECT data FROM prekey WHERE kind = ? AND is_last_resort = 0"
        " AND is_uploaded = 0 ORDER BY id LIMIT ?"
    )
    ec_rows = txn.all(
        tuple[bytes], query, PrekeyKind.ONE_TIME, ONE_TIME_PREKEYS_UPLOADED
    )
    kem_rows = txn.all(tuple[bytes], query, PrekeyKind.KEM, KEM_PREKEYS_UPLOADED)
    one_time = [OwnOneTimePrekey.load(data) for (data,) in ec_rows]
    kem = [OwnKemPrekey.load(data) for (data,) in kem_rows]
    if not one_time:
        first = take_ids_txn(txn, "next_one_time", ONE_TIME_PREKEYS_UPLOADED)
        one_time = list(
            make_one_time_prekeys(first, ONE_TIME_PREKEYS_UPLOADED, entropy=entropy)
        )
        for item in one_time:
            _insert_txn(txn, PrekeyKind.ONE_TIME, item.prekey_id, item.dump(), now_ms)
    if not kem:
        first = take_ids_txn(txn, "next_kem", KEM_PREKEYS_UPLOADED)
        kem = list(make_kem_prekeys(me, first, KEM_PREKEYS_UPLOADED, entropy=entropy))
        for made in kem:
            _insert_txn(txn, PrekeyKind.KEM, made.prekey_id, made.dump(), now_ms)
    return one_time, kem


def confirm_upload_txn(txn: Txn, kind: PrekeyKind, ids: list[int]) -> None:
    """Note that the server has these prekeys."""
    txn.do_many(
        "UPDATE prekey SET is_uploaded = 1 WHERE kind = ? AND id = ?",
        [(kind, prekey_id) for prekey_id in ids],
    )


def skip_stored_ids_txn(txn: Txn, stored: PrekeysStored) -> None:
    """Use no id that the server has seen; a newer self of this store used them."""
    skip_ids_txn(txn, "next_one_time", stored.ec_highest)
    skip_ids_txn(txn, "next_kem", stored.kem_highest)
    skip_ids_txn(txn, "next_signed", stored.signed_id)


def drop_prekey_txn(txn: Txn, kind: PrekeyKind, prekey_id: int) -> None:
    """Delete a prekey that the server didn't take: its id is another key's there."""
    txn.do("DELETE FROM prekey WHERE kind = ? AND id = ?", kind, prekey_id)


def current_signed_txn(txn: Txn) -> tuple[OwnSignedPrekey, bool] | None:
    """Return the newest signed prekey and whether the server has it."""
    row = txn.one(
        tuple[bytes, int],
        "SELECT data, is_uploaded FROM prekey WHERE kind = ? AND replaced_ms IS NULL"
        " ORDER BY id DESC LIMIT 1",
        PrekeyKind.SIGNED,
    )
    return None if row is None else (OwnSignedPrekey.load(row[0]), bool(row[1]))


def current_last_resort_txn(txn: Txn) -> tuple[OwnKemPrekey, int, bool] | None:
    """Return the newest last-resort prekey, when it was made, whether it's uploaded."""
    row = txn.one(
        tuple[bytes, int, int],
        "SELECT data, made_ms, is_uploaded FROM prekey WHERE kind = ?"
        " AND is_last_resort = 1 AND replaced_ms IS NULL ORDER BY id DESC LIMIT 1",
        PrekeyKind.KEM,
    )
    if row is None:
        return None
    return OwnKemPrekey.load(row[0]), row[1], bool(row[2])


def drop_old_prekeys_txn(txn: Txn, now_ms: int) -> None:
    """Delete secrets that nothing can need any more (62 days after replacement)."""
    before_ms = now_ms - PREKEY_KEPT_MS
    txn.do("DELETE FROM prekey WHERE replaced_ms < ?", before_ms)
    txn.do("DELETE FROM replay WHERE made_ms < ?", before_ms - PREKEY_KEPT_MS)


def drop_all_prekeys_txn(txn: Txn) -> None:
    """Delete all prekeys: their signatures name an older registration.

    Their ids are not used again: the counters stay.
    """
    txn.do("DELETE FROM prekey")


def _insert_txn(
    txn: Txn,
    kind: PrekeyKind,
    prekey_id: int,
    data: bytes,
    now_ms: int,
    *,
    is_last_resort: bool = False,
) -> None:
    txn.do(
        "INSERT INTO prekey VALUES (?, ?, ?, ?, ?, 0, NULL)",
        kind,
        prekey_id,
        is_last_resort,
        data,
        now_ms,
    )


def _replace_txn(txn: Txn, kind: PrekeyKind, now_ms: int) -> None:
    txn.do(
        "UPDATE prekey SET replaced_ms = ? WHERE kind = ? AND replaced_ms IS NULL"
        " AND is_last_resort = ?",
        now_ms,
        kind,
        kind is PrekeyKind.KEM,
    )
