"""Sessions: any order, loss, duplication, tampering, limits, and a foreign client."""

import struct

import pytest
from tests.client.crypto.people import (
    LAST_RESORT_ID,
    NOW_MS,
    Person,
    acquainted,
    people,
    refused,
)

from wigwag.client.crypto import (
    MessageKeyId,
    NoSession,
    PeerSessions,
    ReplayKey,
    StateDamaged,
    Undecryptable,
    UndecryptableReason,
    archive_active,
    encrypt,
    expire_skipped,
    message_key_id,
)
from wigwag.wire import suite1


def test_two_strangers_talk() -> None:
    """The plain case: first message, answer, and on."""
    alice, bob = people()
    first = alice.send(bob, b"one")
    assert bob.receive(alice, first.envelope).plaintext == b"one"
    answer = bob.send(alice, b"two")
    assert alice.receive(bob, answer.envelope).plaintext == b"two"
    third = alice.send(bob, b"three")
    assert bob.receive(alice, third.envelope).plaintext == b"three"


def test_prekey_header_stays_until_the_first_answer() -> None:
    """The first message may be lost; any later one must be able to start alone."""
    alice, bob = people()
    alice.send(bob, b"lost")
    second = alice.send(bob, b"second").envelope
    assert suite1.decode_envelope(second).prekey is not None
    assert bob.receive(alice, second).plaintext == b"second"
    answer = bob.send(alice, b"answer").envelope
    assert suite1.decode_envelope(answer).prekey is None
    alice.receive(bob, answer)
    third = alice.send(bob, b"third").envelope
    assert suite1.decode_envelope(third).prekey is None


def test_prekeys_are_used_up_only_by_a_message_that_opens() -> None:
    """Else a stranger could burn them with garbage."""
    alice, bob = people()
    first = alice.send(bob, b"one").envelope
    broken = first[:-1] + bytes((first[-1] ^ 1,))
    assert refused(bob, alice, broken) is UndecryptableReason.NOT_AUTHENTIC
    opened = bob.receive(alice, first)
    assert (opened.used.one_time_id, opened.used.kem_id) == (1, 1)
    assert opened.used.replay is None
    # A second message with the same header finds its session, not the prekeys.
    again = bob.receive(alice, alice.send(bob, b"two").envelope)
    assert again.used.one_time_id is None
    assert again.used.kem_id is None


def test_first_message_of_used_prekeys_cannot_be_replayed() -> None:
    """The session may be gone by then; the deleted keys still refuse."""
    alice, bob = people()
    first = alice.send(bob, b"one").envelope
    bob.receive(alice, first)
    assert refused(bob, alice, first) is UndecryptableReason.DUPLICATE
    bob.forget(alice)
    assert refused(bob, alice, first) is UndecryptableReason.UNKNOWN_PREKEY


def test_last_resort_first_message_is_taken_once() -> None:
    """The last-resort key stays, so only the replay set stands between (E2EE.md §2)."""
    alice, bob = Person("alice"), Person("bob", one_time=0)
    first = alice.send(bob, b"one").envelope
    opened = bob.receive(alice, first)
    header = suite1.decode_envelope(first).prekey
    assert header is not None
    assert header.one_time_prekey_id == 0
    assert opened.used.replay == ReplayKey(LAST_RESORT_ID, header.base_key)
    assert LAST_RESORT_ID in bob.prekeys.kem
    bob.forget(alice)
    assert refused(bob, alice, first) is UndecryptableReason.REPLAYED
    alice.start(bob)
    assert bob.receive(alice, alice.send(bob, b"two").envelope).plaintext == b"two"


@pytest.mark.parametrize("table", ["signed", "one_time", "kem"])
def test_unknown_prekey_is_a_reason_of_its_own(table: str) -> None:
    """The repair differs: the sender needs a fresh bundle."""
    alice, bob = people()
    first = alice.send(bob, b"one").envelope
    rows: dict[int, bytes] = getattr(bob.prekeys, table)
    kept = rows.pop(1)
    assert refused(bob, alice, first) is UndecryptableReason.UNKNOWN_PREKEY
    rows[1] = kept
    assert bob.receive(alice, first).plaintext == b"one"


def test_both_start_at_once_and_converge() -> None:
    """Each has a session of his own making; the last that decrypts wins."""
    alice, bob = people()
    from_alice = alice.send(bob, b"a1").envelope
    from_bob = bob.send(alice, b"b1").envelope
    assert alice.receive(bob, from_bob).plaintext == b"b1"
    assert bob.receive(alice, from_alice).plaintext == b"a1"
    for number in range(4):
        text = bytes((number,))
        assert bob.receive(alice, alice.send(bob, text).envelope).plaintext == text
        assert alice.receive(bob, bob.send(alice, text).envelope).plaintext == text
    sessions = [alice.rows_of(bob).load(), bob.rows_of(alice).load()]
    active = [item.active for item in sessions]
    assert active[0] is not None
    assert active[1] is not None
    assert active[0].session_id == active[1].session_id


def test_late_messages_open_with_stored_keys() -> None:
    """Order is the network's; every key passed by is a row until used."""
    alice, bob = acquainted()
    late = [alice.send(bob, bytes((n,))).envelope for n in range(5)]
    bob.receive(alice, late[4])
    assert len(bob.rows_of(alice).skipped) == 4
    for number in (2, 0, 3, 1):
        assert bob.receive(alice, late[number]).plaintext == bytes((number,))
    assert bob.rows_of(alice).skipped == {}
    assert refused(bob, alice, late[2]) is UndecryptableReason.DUPLICATE


def test_failed_late_message_keeps_its_key() -> None:
    """A forgery under a late number must not use the key up."""
    alice, bob = acquainted()
    late = alice.send(bob, b"late").envelope
    bob.receive(alice, alice.send(bob, b"early").envelope)
    broken = late[:-1] + bytes((late[-1] ^ 1,))
    assert refused(bob, alice, broken) is UndecryptableReason.NOT_AUTHENTIC
    assert bob.receive(alice, late).plaintext == b"late"


def leave_one_behind(alice: Person, bob: Person) -> bytes:
    """Let alice turn her ratchet while her last message is still under way."""
    bob.receive(alice, alice.send(bob, b"seen").envelope)
    late = alice.send(bob, b"late").envelope
    alice.receive(bob, bob.send(alice, b"turn").envelope)
    assert bob.receive(alice, alice.send(bob, b"next").envelope).plaintext == b"next"
    return late


def test_late_message_of_an_earlier_chain_opens() -> None:
    """The header says how long the previous chain was, so its keys are kept."""
    alice, bob = acquainted()
    late = leave_one_behind(alice, bob)
    assert message_key_id(late).ratchet_key != known_key(alice, bob)
    assert bob.receive(alice, late).plaintext == b"late"


def known_key(alice: Person, bob: Person) -> bytes:
    """Returns the ratchet key that bob knows of alice."""
    active = bob.rows_of(alice).load().active
    assert active is not None
    return active.ratchet.peer_public


def test_skipped_keys_read_back_in_the_order_of_their_age() -> None:
    """The oldest are dropped first, after a restart too."""
    alice, bob = acquainted()
    late = [leave_one_behind(alice, bob) for _ in range(5)]
    rows = bob.rows_of(alice)
    by_id = [rows.skipped[row_id] for row_id in sorted(rows.skipped)]
    assert [row.position for row in by_id] != [0, 1, 2, 3, 4], "else this proves little"
    active = rows.load().active
    assert active is not None
    assert [row.position for row in active.skipped.values()] == [0, 1, 2, 3, 4]
    for envelope in late:
        assert bob.receive(alice, envelope).plaintext == b"late"


def test_jump_of_the_limit_opens_and_one_more_does_not() -> None:
    """A peer must not make us compute without bound; 2,000 is what we promise."""
    alice, bob = acquainted()
    envelopes = [alice.send(bob, b"x").envelope for _ in range(3)]
    rows = alice.rows_of(bob)
    sessions = rows.load()
    for _ in range(suite1.RATCHET_JUMP_MAX - 3):
        sessions = encrypt(sessions, b"x").sessions
    at_limit = encrypt(sessions, b"limit")
    beyond = encrypt(at_limit.sessions, b"beyond")
    assert refused(bob, alice, beyond.envelope) is UndecryptableReason.TOO_FAR
    opened = bob.receive(alice, at_limit.envelope)
    assert opened.plaintext == b"limit"
    assert len(opened.skipped.added) == suite1.RATCHET_JUMP_MAX
    assert bob.receive(alice, envelopes[1]).plaintext == b"x"
    assert bob.receive(alice, beyond.envelope).plaintext == b"beyond"


@pytest.mark.parametrize("lost", [2000, 2001])
def test_jump_in_the_previous_chain_counts_too(lost: int) -> None:
    """The library would drop those keys with a warning; we refuse and ask again."""
    alice, bob = acquainted()
    bob.receive(alice, alice.send(bob, b"seen").envelope)
    turn = bob.send(alice, b"turn").envelope
    sessions = alice.rows_of(bob).load()
    for _ in range(lost):
        sessions = encrypt(sessions, b"lost").sessions
    alice.rows_of(bob).state = sessions.dump()
    alice.receive(bob, turn)
    new_chain = alice.send(bob, b"new chain").envelope
    if lost > suite1.RATCHET_JUMP_MAX:
        assert refused(bob, alice, new_chain) is UndecryptableReason.TOO_FAR
    else:
        opened = bob.receive(alice, new_chain)
        assert len(opened.skipped.added) == suite1.RATCHET_JUMP_MAX


def test_oldest_skipped_keys_go_beyond_the_limit() -> None:
    """Rows are bounded whatever a peer sends; what is dropped is reported."""
    alice, bob = acquainted()
    first = alice.send(bob, b"first").envelope
    sessions = alice.rows_of(bob).load()
    for _ in range(1500):
        sessions = encrypt(sessions, b"lost").sessions
    sealed = encrypt(sessions, b"a")
    bob.receive(alice, sealed.envelope)
    sessions = sealed.sessions
    for _ in range(1000):
        sessions = encrypt(sessions, b"lost").sessions
    opened = bob.receive(alice, encrypt(sessions, b"b").envelope)
    assert len(opened.skipped.removed) == 501
    assert len(bob.rows_of(alice).skipped) == suite1.SKIPPED_KEYS_MAX
    assert refused(bob, alice, first) is UndecryptableReason.DUPLICATE


def test_skipped_keys_expire() -> None:
    """After 62 days nothing can arrive any more (E2EE.md §4)."""
    alice, bob = acquainted()
    old = alice.send(bob, b"old").envelope
    bob.receive(alice, alice.send(bob, b"x").envelope)
    new = alice.send(bob, b"new").envelope
    life = suite1.SKIPPED_KEY_LIFE_MS
    bob.receive(alice, alice.send(bob, b"y").envelope, now_ms=NOW_MS + life)
    rows = bob.rows_of(alice)
    kept = expire_skipped(rows.load(), NOW_MS + life)
    assert kept.skipped.removed == ()
    expired = expire_skipped(rows.load(), NOW_MS + life + 1)
    assert len(expired.skipped.removed) == 1
    rows.save(expired.sessions, expired.skipped)
    assert refused(bob, alice, old) is UndecryptableReason.DUPLICATE
    assert bob.receive(alice, new).plaintext == b"new"


def test_archive_is_bounded_and_its_keys_go_with_it() -> None:
    """A peer may start sessions without end; 40 old ones are kept."""
    alice, bob = Person("alice"), Person("bob", one_time=0)
    oldest = alice.send(bob, b"oldest").envelope
    bob.receive(alice, alice.send(bob, b"skips one").envelope)
    for _ in range(suite1.ARCHIVED_SESSIONS_MAX):
        alice.start(bob)
        opened = bob.receive(alice, alice.send(bob, b"x").envelope)
        assert opened.skipped.removed == ()
    assert bob.receive(alice, oldest).plaintext == b"oldest"
    late = alice.send(bob, b"late").envelope
    opened = bob.receive(alice, alice.send(bob, b"skips one").envelope)
    assert len(opened.skipped.added) == 1
    for _ in range(suite1.ARCHIVED_SESSIONS_MAX + 1):
        alice.start(bob)
        opened = bob.receive(alice, alice.send(bob, b"x").envelope)
    assert [row.number for row in opened.skipped.removed] == [1]
    assert bob.rows_of(alice).skipped == {}
    assert len(bob.rows_of(alice).load().archived) == suite1.ARCHIVED_SESSIONS_MAX
    assert refused(bob, alice, late) is UndecryptableReason.REPLAYED


def test_archived_session_still_receives_but_never_sends() -> None:
    """The peer re-registered; what he sent before is still under way."""
    alice, bob = acquainted()
    late = bob.send(alice, b"late").envelope
    rows = alice.rows_of(bob)
    assert rows.load().registration_id == bob.device.registration_id
    archived = archive_active(rows.load())
    rows.save(archived.sessions, archived.skipped)
    assert not rows.load().has_active
    assert rows.load().registration_id is None
    with pytest.raises(NoSession):
        encrypt(rows.load(), b"x")
    assert alice.receive(bob, late).plaintext == b"late"
    assert rows.load().has_active


def test_first_message_without_prekeys_has_no_session() -> None:
    """A stranger's later message can't be opened; the reason says what to repair."""
    alice, bob = acquainted()
    later = alice.send(bob, b"x").envelope
    carol = Person("carol")
    assert refused(carol, alice, later) is UndecryptableReason.NO_SESSION


def test_no_message_key_serves_twice_and_envelopes_name_theirs() -> None:
    """I25: the identity of a key must be readable for a checker to watch it."""
    alice, bob = acquainted()
    seen: set[MessageKeyId] = set()
    for turn in range(4):
        sender, receiver = (alice, bob) if turn % 2 else (bob, alice)
        for _ in range(3):
            sealed = sender.send(receiver, b"x")
            assert message_key_id(sealed.envelope) == sealed.message_key
            assert sealed.message_key not in seen
            seen.add(sealed.message_key)
            opened = receiver.receive(sender, sealed.envelope)
            assert opened.message_key == sealed.message_key
    with pytest.raises(Undecryptable):
        message_key_id(b"\x01")


def test_same_seed_gives_the_same_keys() -> None:
    """Simulation traces must repeat in ids and lengths; only ML-KEM's own is free."""
    keys: list[list[MessageKeyId]] = []
    for _ in range(2):
        alice, bob = acquainted()
        keys.append([alice.send(bob, b"x").message_key for _ in range(3)])
    assert keys[0] == keys[1]


@pytest.mark.parametrize("damage", ["truncated", "version", "header", "strange row"])
def test_damaged_state_is_said(damage: str) -> None:
    """A store that lies must stop us, not start a half session."""
    alice, bob = people()
    alice.send(bob, b"x")
    state = alice.rows_of(bob).state
    rows = bob.rows_of(alice)
    bob.receive(alice, alice.send(bob, b"y").envelope)
    strange = tuple(rows.skipped.values())
    assert strange, "the first message was passed by"
    changed = {
        "truncated": state[:-1],
        "version": state[:1] + b"\x63" + state[2:],
        "header": state.replace(
            struct.pack(">H", 1616), struct.pack(">H", 1615), 1
        ).replace(bob.signed_offer.id.to_bytes(4, "big"), b"\x00\x00\x00", 1),
        "strange row": PeerSessions.empty().dump(),
    }[damage]
    with pytest.raises(StateDamaged):
        PeerSessions.load(changed, strange if damage == "strange row" else ())
