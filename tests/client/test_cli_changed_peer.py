"""A peer whose key changed, as the commands tell it: nothing is sent by mistake."""

from pathlib import Path

import anyio
from tests.client._cli_world import PASSPHRASE, Finished, Home
from tests.client.test_peers import HELD, STALE, Liar, user_of

from wigwag import testing
from wigwag.client import open_session
from wigwag.client._keys import PassphraseKeys
from wigwag.client._profile import DATABASE_FILE
from wigwag.client._store import open_database


class People:
    """Commands of one home, run beside a server in this process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.home = Home(folder)

    async def run(self, *arguments: str, given: str = "") -> Finished:
        """Run a command."""
        return await anyio.to_thread.run_sync(
            lambda: self.home.run(*arguments, given=given)
        )

    async def edit(self, name: str, sql: str) -> None:
        """Change a profile's database."""
        folder = self.home.profile(name)
        key = await PassphraseKeys(PASSPHRASE).unlock(folder)
        database = open_database(folder / DATABASE_FILE, key, None)
        try:
            database.execute(sql)
        finally:
            database.close()

    async def user_of(self, name: str) -> bytes:
        """Return somebody's account id."""
        profile = self.home.profile(name)
        async with open_session(profile, passphrase=PASSPHRASE) as session:
            return await user_of(session)


async def test_a_new_key_stops_sending_until_it_is_accepted(tmp_path: Path) -> None:
    """A server that swaps keys is found out, and the user is told what to do."""
    liar = Liar()
    people = People(tmp_path / "home")
    alice = ("-p", "alice")
    async with testing.server(handlers=liar.handlers()) as server:
        for name in ("alice", "bob"):
            (await people.run("register", name, server.join)).succeeded()
        (await people.run("send", "bob", "one", *alice)).succeeded()
        (await people.run("verify", "bob", "--mark", *alice)).succeeded()
        liar.swap_key(await people.user_of("bob"))
        await people.edit("alice", STALE)
        # The message that finds it out was sealed for the pinned key; the command
        # doesn't leave before it has looked, though the message was sequenced.
        (await people.run("send", "bob", "two", *alice)).succeeded()
        refused = await people.run("send", "bob", "three", "--json", *alice)
        assert refused.code == 6
        assert refused.value()["error"]["name"] == "PEER_CHANGED"
        heard = await people.run("listen", "--wait", "5", "--json", *alice)
        told = [value for value in heard.values() if value["event"] == "peer_changed"]
        assert [(value["peer"], value["reason"]) for value in told] == [
            ("bob", "wrong_key")
        ]
        shown = (await people.run("verify", "bob", *alice)).succeeded()
        assert "key of bob changed (wrong_key)" in shown.err
        status = (await people.run("status", *alice)).succeeded()
        assert "bob, KEY CHANGED (wrong_key)" in status.out
        liar.lists.clear()
        accepted = await people.run("verify", "bob", "--accept-change", *alice)
        assert "must see the same number" in accepted.succeeded().err
        (await people.run("send", "bob", "four", *alice)).succeeded()


async def test_a_chat_warns_of_a_new_key_and_goes_on_when_told(tmp_path: Path) -> None:
    """What is typed is refused in words; /accept makes it possible again."""
    liar = Liar()
    people = People(tmp_path / "home")
    alice = ("-p", "alice")
    async with testing.server(handlers=liar.handlers()) as server:
        for name in ("alice", "bob"):
            (await people.run("register", name, server.join)).succeeded()
        (await people.run("send", "bob", "one", *alice)).succeeded()
        await people.edit("alice", HELD)
        lines = "refused\n/accept\ntaken\n"
        talked = await people.run("chat", "bob", "--json", *alice, given=lines)
        values = talked.succeeded().values()
        remarks = [value for value in values if value["event"] == "remark"]
        assert "The key of bob changed" in remarks[0]["text"]
        assert remarks[0]["is_warning"]
        assert "accepted" in remarks[1]["text"]
        changes = [value["change"] for value in values if value["event"] == "status"]
        assert changes[0] == "other_account"
        assert changes[-1] == ""
        kept = await people.run("history", "bob", "--json", *alice)
        assert [value["text"] for value in kept.values()] == ["one", "taken"]
