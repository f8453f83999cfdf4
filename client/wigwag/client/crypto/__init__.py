"""End-to-end cryptography without I/O, clock or global randomness (E2EE.md §2–4, §6).

Everything is a pure function over frozen values: what goes in is never
changed, what comes out is the result, the new state and, by difference, the
rows of skipped message keys. A caller whose transaction fails keeps the old
value; there is nothing to roll back.

::

    started = start_session(me, verified_bundle, sessions, entropy=entropy, now_ms=now)
    sealed = encrypt(started.sessions, seal_plaintext(head, content))
    # one transaction: sealed.sessions.dump(), sealed.envelope, outbox row
    opened = decrypt(me, peer, sessions, prekeys, envelope, entropy=entropy, now_ms=now)
    # one transaction: opened.sessions.dump(), opened.skipped, opened.used, plaintext

Signatures (all names are importable from here)::

    class Entropy(Protocol):
        def token(self, n: int) -> bytes: ...

    # keys: secret objects print as <AccountKey> and nothing more
    AccountKey.generate(entropy); AccountKey.from_secret(bytes32)
        .secret -> bytes   .public -> bytes   .sign(data) -> bytes64
    DeviceKeys.generate(entropy); DeviceKeys.from_secret(bytes64)
        .secret -> bytes64  .signing_public  .agreement_public  .sign(data)
    LocalDevice(account, account_key: bytes, number, registration_id, keys: DeviceKeys)
        .party -> Party
    PeerDevice(account, account_key, number, signing_key, agreement_key)
    new_registration_id(entropy) -> int        # 1 .. 2**32-1

    # prekeys: each has .prekey_id .public and .dump() -> bytes / .load(bytes)
    make_signed_prekey(me, prekey_id, *, entropy, now_ms) -> SignedPrekey
        # + .signature .created_at_ms .expires_at_ms
    make_one_time_prekeys(first_id, count, *, entropy) -> tuple[OneTimePrekey, ...]
    make_kem_prekeys(me, first_id, count, *, last_resort=False, entropy)
        -> tuple[KemPrekey, ...]               # + .signature .last_resort
    class PrekeyStore(Protocol):               # the caller's rows, by id
        def signed_prekey(self, prekey_id: int) -> SignedPrekey | None: ...
        def one_time_prekey(self, prekey_id: int) -> OneTimePrekey | None: ...
        def kem_prekey(self, prekey_id: int) -> KemPrekey | None: ...
        def is_replay(self, replay: ReplayKey) -> bool: ...

    # device lists
    sign_device_list(account_key, DeviceList) -> SignedDeviceList(blob, signature)
    accept_first_list(signed, account_key) -> ListPin      # trust on first use
    accept_list(pin, chain: Sequence[SignedDeviceList]) -> ListPin
        # chain = every list after the pinned one, oldest first
    ListPin .account .account_key .seq .list_hash .devices -> tuple[DeviceEntry]
            .device(number) -> PeerDevice   .dump() / .load(bytes)

    # bundles
    verify_bundle(bundle: Bundle, pin: ListPin, *, now_ms) -> VerifiedBundle

    # sessions with one peer device
    PeerSessions.empty() / PeerSessions.load(data, skipped_rows) / .dump()
        .has_active -> bool    .registration_id -> int | None   (of the peer)
    start_session(me, bundle, sessions, *, entropy, now_ms) -> Started(sessions, skipped)
    encrypt(sessions, plaintext) -> Encrypted(envelope, sessions, message_key)
    decrypt(me, peer, sessions, prekeys, envelope, *, entropy, now_ms)
        -> Decrypted(plaintext, sessions, skipped, used, message_key)
    archive_active(sessions) -> Started                    # device re-registered
    expire_skipped(sessions, before_ms) -> Started
    SkippedChange(added: tuple[SkippedRow, ...], removed: tuple[SkippedRowId, ...])
    SkippedRow(session_id, ratchet_key, number, position, message_key, created_at_ms)
    SkippedRowId(session_id, ratchet_key, number)          # the row's primary key
    UsedPrekeys(one_time_id | None, kem_id | None, replay: ReplayKey | None)
        # delete the first two, insert the third, in the plaintext's transaction
    ReplayKey(kem_id, base_key)
    MessageKeyId(ratchet_key, number); message_key_id(envelope)   # invariant I25

    # plaintext
    PlaintextHead(chat_id, client_msg_id, message_class, own_list_hash, peer_list_hash)
    seal_plaintext(head, content) -> bytes                 # padded
    open_plaintext(plaintext, chat_id, client_msg_id, message_class)
        -> OpenedPlaintext(head, content)                  # raises Forgery
    safety_number(SafetyIdentity(account, account_key), SafetyIdentity(…)) -> SafetyNumber
        # .digits (60)  .qr_code

Errors: `CryptoError` is the root; `Undecryptable(reason)` (state unchanged: store
a stub, ask for a retry), `Forgery(reason)` (authentic but moved: stub, shown),
`ListRefused(reason)`, `BundleRefused(reason)`, `StateDamaged`.
"""
