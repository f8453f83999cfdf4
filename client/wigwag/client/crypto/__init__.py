"""End-to-end cryptography without I/O, clock or global randomness (E2EE.md).

Everything is a pure function over frozen values: what goes in is never changed;
what comes out is the result, the new state and, by difference, the rows of
skipped message keys. A caller whose transaction fails keeps the value it had;
there is nothing to roll back.

::

    verified = verify_bundle(bundle, pin, now_ms=now)
    started = start_session(me, verified, sessions, entropy=e)
    sealed = encrypt(started.sessions, seal_plaintext(head, content))
    # one transaction: started.skipped, sealed.sessions.dump(), sealed.envelope
    opened = decrypt(me, peer, sessions, prekeys, envelope, entropy=e, now_ms=now)
    # one transaction: opened.sessions.dump(), opened.skipped, opened.used, plaintext
"""

from wigwag.client.crypto._bundle import VerifiedBundle as VerifiedBundle
from wigwag.client.crypto._bundle import verify_bundle as verify_bundle
from wigwag.client.crypto._device_list import ListComparison as ListComparison
from wigwag.client.crypto._device_list import ListPin as ListPin
from wigwag.client.crypto._device_list import accept_first_list as accept_first_list
from wigwag.client.crypto._device_list import accept_list as accept_list
from wigwag.client.crypto._device_list import compare_lists as compare_lists
from wigwag.client.crypto._device_list import list_device as list_device
from wigwag.client.crypto._device_list import sign_first_list as sign_first_list
from wigwag.client.crypto._device_list import sign_next_list as sign_next_list
from wigwag.client.crypto._errors import BundleRefused as BundleRefused
from wigwag.client.crypto._errors import BundleRefusedReason as BundleRefusedReason
from wigwag.client.crypto._errors import CryptoError as CryptoError
from wigwag.client.crypto._errors import Forgery as Forgery
from wigwag.client.crypto._errors import ForgeryReason as ForgeryReason
from wigwag.client.crypto._errors import ListRefused as ListRefused
from wigwag.client.crypto._errors import ListRefusedReason as ListRefusedReason
from wigwag.client.crypto._errors import NoSession as NoSession
from wigwag.client.crypto._errors import StateDamaged as StateDamaged
from wigwag.client.crypto._errors import Undecryptable as Undecryptable
from wigwag.client.crypto._errors import UndecryptableReason as UndecryptableReason
from wigwag.client.crypto._keys import AccountKey as AccountKey
from wigwag.client.crypto._keys import DeviceKeys as DeviceKeys
from wigwag.client.crypto._keys import Entropy as Entropy
from wigwag.client.crypto._keys import LocalDevice as LocalDevice
from wigwag.client.crypto._keys import PeerDevice as PeerDevice
from wigwag.client.crypto._keys import new_registration_id as new_registration_id
from wigwag.client.crypto._plaintext import (
    PAIRWISE_CONTENT_BYTES_MAX as PAIRWISE_CONTENT_BYTES_MAX,
)
from wigwag.client.crypto._plaintext import OpenedPlaintext as OpenedPlaintext
from wigwag.client.crypto._plaintext import PlaintextHead as PlaintextHead
from wigwag.client.crypto._plaintext import open_plaintext as open_plaintext
from wigwag.client.crypto._plaintext import padded_length as padded_length
from wigwag.client.crypto._plaintext import seal_plaintext as seal_plaintext
from wigwag.client.crypto._prekeys import KEM_PREKEYS_UPLOADED as KEM_PREKEYS_UPLOADED
from wigwag.client.crypto._prekeys import (
    ONE_TIME_PREKEYS_UPLOADED as ONE_TIME_PREKEYS_UPLOADED,
)
from wigwag.client.crypto._prekeys import PREKEY_KEPT_MS as PREKEY_KEPT_MS
from wigwag.client.crypto._prekeys import PREKEY_ROTATION_MS as PREKEY_ROTATION_MS
from wigwag.client.crypto._prekeys import PREKEYS_LOW as PREKEYS_LOW
from wigwag.client.crypto._prekeys import OwnKemPrekey as OwnKemPrekey
from wigwag.client.crypto._prekeys import OwnOneTimePrekey as OwnOneTimePrekey
from wigwag.client.crypto._prekeys import OwnSignedPrekey as OwnSignedPrekey
from wigwag.client.crypto._prekeys import PrekeyStore as PrekeyStore
from wigwag.client.crypto._prekeys import ReplayKey as ReplayKey
from wigwag.client.crypto._prekeys import make_kem_prekeys as make_kem_prekeys
from wigwag.client.crypto._prekeys import make_one_time_prekeys as make_one_time_prekeys
from wigwag.client.crypto._prekeys import make_signed_prekey as make_signed_prekey
from wigwag.client.crypto._safety_number import SafetyNumber as SafetyNumber
from wigwag.client.crypto._safety_number import safety_number as safety_number
from wigwag.client.crypto._session import Decrypted as Decrypted
from wigwag.client.crypto._session import Encrypted as Encrypted
from wigwag.client.crypto._session import MessageKeyId as MessageKeyId
from wigwag.client.crypto._session import UsedPrekeys as UsedPrekeys
from wigwag.client.crypto._session import decrypt as decrypt
from wigwag.client.crypto._session import encrypt as encrypt
from wigwag.client.crypto._session import message_key_id as message_key_id
from wigwag.client.crypto._session import start_session as start_session
from wigwag.client.crypto._session_state import PeerSessions as PeerSessions
from wigwag.client.crypto._session_state import Sessions as Sessions
from wigwag.client.crypto._session_state import SkippedChange as SkippedChange
from wigwag.client.crypto._session_state import SkippedRow as SkippedRow
from wigwag.client.crypto._session_state import SkippedRowId as SkippedRowId
from wigwag.client.crypto._session_state import archive_active as archive_active
from wigwag.client.crypto._session_state import expire_skipped as expire_skipped

__all__ = [
    "KEM_PREKEYS_UPLOADED",
    "ONE_TIME_PREKEYS_UPLOADED",
    "PAIRWISE_CONTENT_BYTES_MAX",
    "PREKEYS_LOW",
    "PREKEY_KEPT_MS",
    "PREKEY_ROTATION_MS",
    "AccountKey",
    "BundleRefused",
    "BundleRefusedReason",
    "CryptoError",
    "Decrypted",
    "DeviceKeys",
    "Encrypted",
    "Entropy",
    "Forgery",
    "ForgeryReason",
    "ListComparison",
    "ListPin",
    "ListRefused",
    "ListRefusedReason",
    "LocalDevice",
    "MessageKeyId",
    "NoSession",
    "OpenedPlaintext",
    "OwnKemPrekey",
    "OwnOneTimePrekey",
    "OwnSignedPrekey",
    "PeerDevice",
    "PeerSessions",
    "PlaintextHead",
    "PrekeyStore",
    "ReplayKey",
    "SafetyNumber",
    "Sessions",
    "SkippedChange",
    "SkippedRow",
    "SkippedRowId",
    "StateDamaged",
    "Undecryptable",
    "UndecryptableReason",
    "UsedPrekeys",
    "VerifiedBundle",
    "accept_first_list",
    "accept_list",
    "archive_active",
    "compare_lists",
    "decrypt",
    "encrypt",
    "expire_skipped",
    "list_device",
    "make_kem_prekeys",
    "make_one_time_prekeys",
    "make_signed_prekey",
    "message_key_id",
    "new_registration_id",
    "open_plaintext",
    "padded_length",
    "safety_number",
    "seal_plaintext",
    "sign_first_list",
    "sign_next_list",
    "start_session",
    "verify_bundle",
]
