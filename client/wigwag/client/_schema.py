"""The tables of a profile's database and their version."""

from typing import Final

SCHEMA_VERSION: Final = 1
"""One more whenever the tables change; an older program refuses a newer number."""

SCHEMA: Final = """
-- Facts about the file itself; this table stays as it is in every version.
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- One row: who this is, and the server.
CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    user BLOB NOT NULL,
    device INTEGER NOT NULL,
    registration_id INTEGER NOT NULL,
    account_secret BLOB NOT NULL,
    device_secret BLOB NOT NULL,
    list_pin BLOB NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    server_pin BLOB NOT NULL,
    authority BLOB,
    name TEXT,
    is_registered INTEGER NOT NULL,
    -- body[128:] of REGISTER while its answer isn't known (R-REG-001).
    register_body BLOB,
    -- A new registration whose RE_REGISTER has no answer yet; 0: none.
    next_registration_id INTEGER NOT NULL
);

-- Numbers that change on their own: cursor, generation, next ids.
CREATE TABLE counter (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE own_list (
    seq INTEGER PRIMARY KEY,
    blob BLOB NOT NULL,
    signature BLOB NOT NULL
);

-- kind: 1 signed, 2 one-time X25519, 3 ML-KEM. replaced_ms: no longer offered.
CREATE TABLE prekey (
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    is_last_resort INTEGER NOT NULL,
    data BLOB NOT NULL,
    made_ms INTEGER NOT NULL,
    is_uploaded INTEGER NOT NULL,
    replaced_ms INTEGER,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- First messages taken under a last-resort key.
CREATE TABLE replay (
    kem_id INTEGER NOT NULL,
    base_key BLOB NOT NULL,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (kem_id, base_key)
) WITHOUT ROWID;

-- change: why sending to him is held; empty: it isn't.
CREATE TABLE peer (
    user BLOB PRIMARY KEY,
    name TEXT,
    pin BLOB NOT NULL,
    is_verified INTEGER NOT NULL,
    change TEXT NOT NULL,
    checked_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Whose a name is to us; another account that takes it is a change.
CREATE TABLE peer_name (
    name TEXT PRIMARY KEY,
    user BLOB NOT NULL,
    changed_user BLOB
) WITHOUT ROWID;

CREATE TABLE session (
    user BLOB NOT NULL,
    device INTEGER NOT NULL,
    state BLOB NOT NULL,
    reset_ms INTEGER NOT NULL,
    PRIMARY KEY (user, device)
) WITHOUT ROWID;

CREATE TABLE skipped_key (
    user BLOB NOT NULL,
    device INTEGER NOT NULL,
    session_id BLOB NOT NULL,
    ratchet_key BLOB NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    message_key BLOB NOT NULL,
    made_ms INTEGER NOT NULL,
    PRIMARY KEY (user, device, session_id, ratchet_key, number)
) WITHOUT ROWID;

-- base: what our next message goes after (ARCHITECTURE, Order).
CREATE TABLE chat (
    chat BLOB PRIMARY KEY,
    peer BLOB NOT NULL,
    base BLOB NOT NULL,
    delivered_mark INTEGER NOT NULL,
    read_mark INTEGER NOT NULL,
    read_sent INTEGER NOT NULL
) WITHOUT ROWID;

-- Each message once, by the server_msg_id that it stands for. content: NULL in a
-- stub. next_try_ms: when to ask for it again; NULL: not any more.
CREATE TABLE message (
    id BLOB PRIMARY KEY,
    chat BLOB NOT NULL,
    chat_seq INTEGER,
    sender BLOB NOT NULL,
    sender_device INTEGER NOT NULL,
    client_msg_id BLOB NOT NULL,
    is_own INTEGER NOT NULL,
    content BLOB,
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    undelivered TEXT NOT NULL,
    sent_at_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_try_ms INTEGER
);
CREATE INDEX message_in_chat ON message (chat, chat_seq);
CREATE INDEX message_to_retry ON message (next_try_ms) WHERE next_try_ms IS NOT NULL;
CREATE INDEX message_underway ON message (chat, chat_seq)
    WHERE is_own = 1 AND state IN (2, 3);

-- What the server hasn't taken. target: the one device of a signal; NULL: all.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    chat BLOB NOT NULL,
    class INTEGER NOT NULL,
    target_user BLOB,
    target_device INTEGER,
    content BLOB NOT NULL,
    message BLOB,
    attempt INTEGER NOT NULL,
    is_offered INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
);

-- Ciphertexts of a row's newest attempt: sent again byte for byte.
CREATE TABLE envelope (
    id BLOB NOT NULL,
    user BLOB NOT NULL,
    device INTEGER NOT NULL,
    registration_id INTEGER NOT NULL,
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (id, user, device)
);

-- Devices of every attempt of this registration.
CREATE TABLE cover (
    id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    user BLOB NOT NULL,
    device INTEGER NOT NULL,
    registration_id INTEGER NOT NULL,
    PRIMARY KEY (id, attempt, user, device)
) WITHOUT ROWID;

-- Every SEND that ended: a server that names another has met a later copy of us.
CREATE TABLE known (
    id BLOB PRIMARY KEY,
    attempt INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX known_by_age ON known (ended_ms);

-- What was really sent, and to whom: serves retries for 62 days.
CREATE TABLE sent (
    id BLOB PRIMARY KEY,
    message BLOB NOT NULL,
    ended_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sent_device (
    id BLOB NOT NULL,
    user BLOB NOT NULL,
    device INTEGER NOT NULL,
    registration_id INTEGER NOT NULL,
    PRIMARY KEY (id, user, device)
) WITHOUT ROWID;

-- What a consumer is told, in order.
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    message BLOB,
    user BLOB,
    state INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reason TEXT NOT NULL,
    made_ms INTEGER NOT NULL
);
CREATE TABLE consumer (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE gap (
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    PRIMARY KEY (first, last, reason)
) WITHOUT ROWID;
"""
