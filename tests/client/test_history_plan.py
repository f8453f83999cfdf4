"""Reading the end of a chat costs the same however long the chat is."""

from pathlib import Path
from typing import cast

import apsw

from wigwag.client._store import open_database
from wigwag.client._store_messages import history_txn
from wigwag.client._txn import Txn

KEY = bytes(range(32))


def test_last_messages_are_read_off_an_index(tmp_path: Path) -> None:
    """With a sort, a start with 100,000 stored messages reads every one of them."""
    database = open_database(tmp_path / "db", KEY, None)
    connection = cast("apsw.Connection", database)
    seen: list[tuple[str, object]] = []

    def trace(cursor: object, statement: str, values: object) -> bool:
        seen.append((statement, values))
        return True

    connection.exec_trace = trace
    try:
        assert history_txn(Txn(database, {}), bytes(16), 50) == []
    finally:
        connection.exec_trace = None
    ((statement, _),) = [one for one in seen if "FROM message" in one[0]]
    plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", (bytes(16), 50))
    steps = [str(row[3]) for row in plan.fetchall()]
    database.close()
    assert steps == ["SEARCH message USING INDEX message_in_chat (chat=?)"]
