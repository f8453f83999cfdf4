"""What a row says and whom it is for; sealing it with the directory's help."""

from typing import NamedTuple

from tests.explorer._names import Ciphertext

from wigwag.client import _compose
from wigwag.server.core import DevicesStale, User
from wigwag.wire import Envelope

Target = tuple[User, int]

Roster = tuple[tuple[User, tuple[tuple[int, int], ...]], ...]
"""By account: the devices that can be reached, and the registration of each."""


class Letter(NamedTuple):
    """A row's content, its addressee, and its newest ciphertexts.

    Attributes:
        id: The row.
        chat: Chat id.
        kind: What its ciphertexts hold.
        message: The message that it is, or stands for.
        user: The account that it goes to.
        number: The one device that it is for; None: all.
        envelopes: The newest attempt's; (): none that count.
    """

    id: bytes
    chat: bytes
    kind: int
    message: int
    user: User
    number: int | None
    envelopes: tuple[Envelope, ...]


class Directory(NamedTuple):
    """What a device knows of others.

    Attributes:
        pins: By account: the devices of its signed list.
        sessions: By device: the registration that the session is of.
    """

    pins: tuple[tuple[User, tuple[int, ...]], ...]
    sessions: tuple[tuple[Target, int], ...]

    def without_sessions(self) -> "Directory":
        """Return it with every session dropped."""
        return self._replace(sessions=())

    def with_session(self, target: Target, registration: int) -> "Directory":
        """Return it with a session begun anew."""
        sessions = {**dict(self.sessions), target: registration}
        return self._replace(sessions=tuple(sorted(sessions.items())))

    def targets(self, letter: Letter) -> tuple[Target, ...]:
        """Return the devices that a letter is for."""
        if letter.number is not None:
            return ((letter.user, letter.number),)
        return tuple((letter.user, number) for number in dict(self.pins)[letter.user])

    def look_up(
        self, letter: Letter, roster: Roster, hint: DevicesStale | None
    ) -> "Directory":
        """Bring list and sessions up to what sealing a letter needs.

        A hint has the list fetched anew, and sessions of an older registration begun
        anew; whatever session lacks is begun.
        """
        listed = dict(dict(roster)[letter.user])
        found = self
        if hint is not None:
            pins = {**dict(self.pins), letter.user: tuple(listed)}
            found = self._replace(pins=tuple(sorted(pins.items())))
            for one in hint.stale:
                if one.device in listed:
                    target = (one.user, one.device)
                    found = found.with_session(target, listed[one.device])
        for target in found.targets(letter):
            if target not in dict(found.sessions) and target[1] in listed:
                found = found.with_session(target, listed[target[1]])
        return found


def seal_letter(
    letter: Letter, directory: Directory, sender: int, registration: int, key: int
) -> Letter | None:
    """Make a letter's next ciphertexts.

    Args:
        letter: The letter.
        directory: Lists and sessions.
        sender: Who seals it.
        registration: His registration.
        key: The message key that closes it.

    Returns:
        The letter with them; None if a session is missing or nothing would change.
    """
    targets = directory.targets(letter)
    sessions = dict(directory.sessions)
    if not all(target in sessions for target in targets):
        return None
    registrations = {target: sessions[target] for target in targets}
    kept = _compose.keep_envelopes(letter.envelopes, registrations)
    if len(kept) == len(targets) == len(letter.envelopes):
        return None
    text = Ciphertext(letter.kind, letter.message, sender, registration, key).pack()
    envelopes = tuple(
        kept.get(target)
        or Envelope(
            user=target[0],
            device=target[1],
            registration_id=registrations[target],
            ciphertext=text,
        )
        for target in targets
    )
    return letter._replace(envelopes=envelopes)
