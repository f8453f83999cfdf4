"""The tables of the embedded engine, their version, and who may open them.

Every column is listed with its purpose and retention in `metadata.toml`, the
server's metadata budget; a test holds the two together. Tables of one UTC day are
dropped whole when their time is over.

Most of a commit's time goes into writing changed pages, so keys decide what it
costs. What is written for every message and hardly ever read lies in the order of
time: the sent index by the id, a UUIDv7 (by the sender first, every sender's page
would change in every group), the chat log by its place in the log. What is read
by its owner lies by its owner. Rows are narrow, so tables have no rowid.

A build opens what it or an older build wrote, and refuses what a newer one wrote:
`log.version` then names the release to use.
"""

from wigwag.server.engines._sql import Database, fetch_one
from wigwag.server.ports import SchemaTooNewError

SCHEMA_VERSION = 4
# The oldest release that can open what this build writes.
OPENED_BY_VERSION = "0.1.0"
# "wigw" in the file's header, so that `file` and an operator can tell.
APPLICATION_ID = 0x77696777

_TABLES = """
CREATE TABLE log(
  id INTEGER PRIMARY KEY CHECK (id = 1), schema INTEGER NOT NULL,
  version TEXT NOT NULL, clock_ms INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  void_below INTEGER NOT NULL, settled INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE epoch(
  epoch INTEGER PRIMARY KEY, opened_ms INTEGER NOT NULL,
  ended INTEGER NOT NULL) STRICT;
CREATE TABLE chat(
  chat BLOB PRIMARY KEY, kind INTEGER NOT NULL, users BLOB NOT NULL,
  head INTEGER NOT NULL, tails BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE sender(
  device BLOB PRIMARY KEY, registration_id INTEGER NOT NULL,
  generation BLOB NOT NULL, high BLOB NOT NULL, last_id BLOB NOT NULL,
  last_attempt INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE inbox_head(
  device BLOB PRIMARY KEY, acked INTEGER NOT NULL, last INTEGER NOT NULL,
  size INTEGER NOT NULL, contact_ms INTEGER NOT NULL,
  is_suspended INTEGER NOT NULL, doomed INTEGER NOT NULL,
  doomed_reason INTEGER NOT NULL, gaps BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE inbox(
  device BLOB, position INTEGER, kind INTEGER NOT NULL, chat BLOB NOT NULL,
  chat_seq INTEGER NOT NULL, sender BLOB NOT NULL, client_msg_id BLOB NOT NULL,
  ts INTEGER NOT NULL, record BLOB NOT NULL,
  PRIMARY KEY (device, position)) STRICT, WITHOUT ROWID;
CREATE TABLE quarantine(
  device BLOB, position INTEGER, kind INTEGER NOT NULL, chat BLOB NOT NULL,
  chat_seq INTEGER NOT NULL, sender BLOB NOT NULL, client_msg_id BLOB NOT NULL,
  ts INTEGER NOT NULL, record BLOB NOT NULL, found_ms INTEGER NOT NULL,
  PRIMARY KEY (device, position)) STRICT, WITHOUT ROWID;
CREATE TABLE mark(
  chat BLOB, user BLOB, source INTEGER NOT NULL, top INTEGER NOT NULL,
  pending BLOB NOT NULL, PRIMARY KEY (chat, user)) STRICT, WITHOUT ROWID;
CREATE TABLE roster(
  user BLOB PRIMARY KEY, devices BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE account(
  user BLOB PRIMARY KEY, account_key BLOB NOT NULL, digest BLOB NOT NULL,
  created_ms INTEGER NOT NULL, list_seq INTEGER NOT NULL,
  numbers BLOB NOT NULL, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE device(
  device BLOB PRIMARY KEY, signing_key BLOB NOT NULL,
  agreement_key BLOB NOT NULL, created_ms INTEGER NOT NULL,
  is_revoked INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE device_list(
  user BLOB, seq INTEGER, blob BLOB NOT NULL, signature BLOB NOT NULL,
  hash BLOB NOT NULL, PRIMARY KEY (user, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE username(
  name TEXT PRIMARY KEY, user BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE invite(
  code_hash BLOB PRIMARY KEY, uses_left INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE prekey_base(
  device BLOB PRIMARY KEY, signed BLOB NOT NULL, last_resort BLOB NOT NULL,
  ec_highest INTEGER NOT NULL, kem_highest INTEGER NOT NULL,
  ec_pages BLOB NOT NULL, ec_next INTEGER NOT NULL, kem_pages BLOB NOT NULL,
  kem_next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE prekey_page(
  device BLOB, kind INTEGER, first_id INTEGER, epoch INTEGER NOT NULL,
  keys BLOB NOT NULL, PRIMARY KEY (device, kind, first_id)) STRICT, WITHOUT ROWID;
"""

# Since schema 4 (`_stamp`).
_SETTLED_COLUMN = "ALTER TABLE log ADD COLUMN settled INTEGER NOT NULL DEFAULT 0"

# Since schema 2.
_DELETED_TABLE = """
CREATE TABLE deleted_account(
  user BLOB PRIMARY KEY, account_key BLOB NOT NULL,
  deleted_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

# Since schema 3.
_OPENED_TABLE = """
CREATE TABLE opened_chats(
  user BLOB PRIMARY KEY, chats INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
# Of chats that are there already: the first tail is that of the device which opened it.
_COUNT_OPENED = """
INSERT INTO opened_chats
  SELECT substr(tails, 1, 16), count(*) FROM chat
  WHERE substr(tails, 1, 16) IN (SELECT user FROM account) GROUP BY 1;
"""

SENT_PREFIX = "sent_index_"
LOG_PREFIX = "chat_log_"

_SENT_TABLE = """
CREATE TABLE {name}(
  client_msg_id BLOB, sender BLOB, chat BLOB, chat_seq INTEGER NOT NULL,
  ts INTEGER NOT NULL, attempt INTEGER NOT NULL, registration_id INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (client_msg_id, sender, chat)) STRICT, WITHOUT ROWID
"""
_LOG_TABLE = """
CREATE TABLE {name}(
  source INTEGER PRIMARY KEY, chat BLOB NOT NULL, chat_seq INTEGER NOT NULL,
  class INTEGER NOT NULL, sender BLOB NOT NULL, client_msg_id BLOB NOT NULL,
  ts INTEGER NOT NULL) STRICT
"""


def create_schema(database: Database) -> None:
    """Make the tables of an empty database. Call it within a transaction."""
    database.execute(_TABLES)
    database.execute(_DELETED_TABLE)
    database.execute(_OPENED_TABLE)
    database.execute(
        "INSERT INTO log VALUES (1, ?, ?, 0, 0, 0, 0)",
        (SCHEMA_VERSION, OPENED_BY_VERSION),
    )
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def check_schema(database: Database) -> None:
    """Refuse a database that a newer build wrote.

    Raises:
        SchemaTooNewError: It names the release to use.
    """
    found, version = fetch_one(database, "SELECT schema, version FROM log")
    if found > SCHEMA_VERSION:
        raise SchemaTooNewError(found, SCHEMA_VERSION, version)


def upgrade_schema_txn(database: Database) -> None:
    """Bring what an older build wrote to this build's schema."""
    (found,) = fetch_one(database, "SELECT schema FROM log")
    if found < 2:
        database.execute(_DELETED_TABLE)
    if found < 3:
        database.execute(_OPENED_TABLE)
        database.execute(_COUNT_OPENED)
    if found < 4:
        database.execute(_SETTLED_COLUMN)
    if found < SCHEMA_VERSION:
        database.execute("UPDATE log SET schema = ?", (SCHEMA_VERSION,))


def create_sent_table(database: Database, day: int) -> None:
    """Make the sent index of one UTC day (counted from 1970-01-01)."""
    database.execute(_SENT_TABLE.format(name=f"{SENT_PREFIX}{day}"))


def create_log_table(database: Database, day: int) -> None:
    """Make the chat log of one UTC day (counted from 1970-01-01)."""
    database.execute(_LOG_TABLE.format(name=f"{LOG_PREFIX}{day}"))


def find_days(database: Database, prefix: str) -> set[int]:
    """Return the days for which there is a table."""
    names = database.execute(
        "SELECT name FROM sqlite_schema "
        "WHERE type = 'table' AND substr(name, 1, ?) = ?",
        (len(prefix), prefix),
    )
    return {int(name[len(prefix) :]) for (name,) in names}
