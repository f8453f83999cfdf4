"""The suite's vectors: what a client in another language checks itself against."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.client.crypto.people import NOW_MS, PrekeyRows, SeededEntropy

from wigwag.client._content import Text, decode_content
from wigwag.client.crypto import (
    AccountKey,
    DeviceKeys,
    LocalDevice,
    OwnKemPrekey,
    OwnOneTimePrekey,
    OwnSignedPrekey,
    PeerDevice,
    PeerSessions,
    accept_first_list,
    decrypt,
    message_key_id,
    open_plaintext,
    safety_number,
    verify_bundle,
)
from wigwag.client.crypto._keys import AgreementKey
from wigwag.client.crypto._prekeys import DecapsulationKey
from wigwag.wire import (
    DRAFT,
    Bundle,
    DeleteAccount,
    SignedList,
    encode_message,
    suite1,
)

FILE = Path(__file__).parents[3] / "spec/wigwag/spec/suites/1.vectors.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
INITIATOR: dict[str, Any] = VECTORS["initiator"]
RESPONDER: dict[str, Any] = VECTORS["responder"]


def unhex(values: dict[str, Any], key: str) -> bytes:
    """Returns the bytes that a vector holds as hexadecimal."""
    return bytes.fromhex(values[key])


def prekeys() -> tuple[OwnSignedPrekey, OwnOneTimePrekey, OwnKemPrekey]:
    """Returns the responder's prekeys."""
    signed, one_time, kem = (
        RESPONDER[name] for name in ("signed_prekey", "one_time_prekey", "kem_prekey")
    )
    return (
        OwnSignedPrekey(
            prekey_id=signed["id"],
            key=AgreementKey(unhex(signed, "secret")),
            created_at_ms=signed["created"],
            expires_at_ms=signed["expires"],
            signature=unhex(signed, "signature"),
        ),
        OwnOneTimePrekey(one_time["id"], AgreementKey(unhex(one_time, "secret"))),
        OwnKemPrekey(
            prekey_id=kem["id"],
            key=DecapsulationKey(unhex(kem, "seed")),
            is_last_resort=kem["last_resort"],
            signature=unhex(kem, "signature"),
        ),
    )


def responder() -> LocalDevice:
    """Returns the device whose secrets the vectors hold."""
    secret = unhex(RESPONDER, "signing_secret") + unhex(RESPONDER, "agreement_secret")
    keys = DeviceKeys.from_secret(secret)
    assert keys.signing_public == unhex(RESPONDER, "signing_key")
    assert keys.agreement_public == unhex(RESPONDER, "agreement_key")
    return LocalDevice(
        account=unhex(RESPONDER, "account"),
        account_key=unhex(RESPONDER, "account_key"),
        number=RESPONDER["number"],
        registration_id=RESPONDER["registration_id"],
        keys=keys,
    )


def test_envelopes_open_with_the_published_secrets() -> None:
    """A byte that changes in any layout, label or derivation shows here."""
    peer = PeerDevice(
        account=unhex(INITIATOR, "account"),
        account_key=unhex(INITIATOR, "account_key"),
        number=INITIATOR["number"],
        signing_key=unhex(INITIATOR, "signing_key"),
        agreement_key=unhex(INITIATOR, "agreement_key"),
        suites=(suite1.SUITE,),
    )
    rows = PrekeyRows()
    signed, one_time, kem = prekeys()
    rows.signed[signed.prekey_id] = signed.dump()
    rows.one_time[one_time.prekey_id] = one_time.dump()
    rows.kem[kem.prekey_id] = kem.dump()
    chat = unhex(VECTORS, "chat_id")
    assert chat == suite1.direct_chat_id(peer.account, unhex(RESPONDER, "account"))
    sessions = PeerSessions.empty()
    for message in VECTORS["messages"]:
        envelope = unhex(message, "envelope")
        opened = decrypt(
            responder(),
            peer,
            sessions,
            rows,
            envelope,
            entropy=SeededEntropy("any"),
            now_ms=NOW_MS,
        )
        sessions = opened.sessions
        assert opened.plaintext == unhex(message, "plaintext")
        key = message_key_id(envelope)
        assert key.ratchet_key == unhex(message, "ratchet_key")
        assert key.number == message["number"]
        content = open_plaintext(
            opened.plaintext,
            chat_id=chat,
            client_msg_id=unhex(message, "client_msg_id"),
            message_class=1,
        ).content
        assert decode_content(content) == Text(message["text"])


def test_a_deletion_is_signed_as_published() -> None:
    """Ed25519 draws nothing: body, transcript and signature come out byte for byte."""
    vector = VECTORS["delete_account"]
    unsigned = DeleteAccount(
        signature=bytes(64), user=unhex(vector, "account"), time=vector["time"]
    )
    signed = encode_message(unsigned, DRAFT)[64:]
    assert signed == unhex(vector, "signed")
    transcript = suite1.delete_account_transcript(
        unhex(vector, "handshake_hash"), unhex(vector, "certificate_hash"), signed
    )
    assert transcript == unhex(vector, "transcript")
    key = AccountKey.from_secret(unhex(vector, "account_secret"))
    assert key.public == unhex(vector, "account_key")
    assert key.sign(transcript) == unhex(vector, "signature")


def test_published_list_and_prekeys_verify() -> None:
    """Signatures over the suite's transcripts, made once and for all."""
    listed = VECTORS["device_list"]
    blob = unhex(listed, "blob")
    pin = accept_first_list(
        unhex(RESPONDER, "account"),
        unhex(RESPONDER, "account_key"),
        [SignedList(blob, unhex(listed, "signature"))],
    )
    assert pin.list_hash == unhex(listed, "hash")
    signed, one_time, kem = prekeys()
    bundle = Bundle(
        suite=suite1.SUITE,
        device=RESPONDER["number"],
        registration_id=RESPONDER["registration_id"],
        signed_prekey=signed.offer(),
        one_time=(one_time.offer(),),
        kem=kem.offer(),
    )
    now_ms = RESPONDER["signed_prekey"]["created"]
    assert verify_bundle(bundle, pin, now_ms=now_ms).device == pin.device(1)


def test_published_safety_number_is_ours() -> None:
    """Two programs of one person must show him one number."""
    sides = [
        (unhex(side, "account"), unhex(side, "account_key"))
        for side in (INITIATOR, RESPONDER)
    ]
    assert safety_number(*sides[0], *sides[1]).digits == VECTORS["safety_number"]


@pytest.mark.parametrize("side", [INITIATOR, RESPONDER])
def test_vectors_name_every_part_of_a_side(side: dict[str, Any]) -> None:
    """What the associated data names must be in the file, or it can't be rebuilt."""
    assert set(suite1.Party._fields) <= set(side)
