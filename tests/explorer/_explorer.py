"""One scenario: who is there, and the memory of every decision made so far."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.explorer import _senders as sending
from tests.explorer._letters import Directory, Roster
from tests.explorer._names import (
    FIRST_NUMBER,
    FIRST_START_MS,
    PEERS,
    SECOND_NUMBER,
    START_STEP_MS,
    chat_of,
    name_of,
    peer_device,
    sender_device,
    sender_user,
)
from tests.explorer._outboxes import Outboxes
from tests.explorer._receivers import Receiver, Receivers
from tests.explorer._scenario import FAULTS, Scenario
from tests.explorer._sender import Writer
from tests.explorer._server import Server
from tests.explorer._setup import (
    first_registration,
    first_tables,
    removal,
    renewal,
    upload,
    with_second_device,
)
from tests.explorer._world import Node, World

from wigwag.server.core import (
    Ack,
    Connect,
    Device,
    DeviceListPublish,
    Gap,
    PrekeysUpload,
    Request,
    Send,
    User,
)

Step = tuple[str, bool, World]
"""What happens, whether it is a fault, and what is then."""


class Change(NamedTuple):
    """Something that happens to devices: its name, the requests that do it."""

    name: str
    requests: tuple[int, ...]


class Explorer:
    """A scenario and what was worked out of it.

    Attributes:
        scenario: What there is.
        server: The server's states.
        outboxes: The senders' states.
        inboxes: The receivers' states.
        writers: By node: who writes.
        devices: By node.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.server = Server(is_frugal=scenario.is_lazy, may_miss=scenario.may_miss)
        self.outboxes = Outboxes()
        self.inboxes = Receivers()
        self._rosters: dict[tuple[int, int], Roster] = {}
        self._gaps: dict[Gap, int] = {}
        self.gaps: list[Gap] = []
        self._peers: tuple[User, ...] = PEERS[: 1 + max(scenario.chats)]
        senders = range(scenario.senders)
        self.writers = tuple(self._writer(sender) for sender in senders)
        numbers = (FIRST_NUMBER, SECOND_NUMBER)[: scenario.receivers]
        self.devices: tuple[Device, ...] = (
            *(sender_device(sender) for sender in senders),
            *(peer_device(number) for number in numbers),
        )
        self.nodes = {device: node for node, device in enumerate(self.devices)}
        self.changes: tuple[Change, ...] = ()

    # The beginning

    def first(self) -> World:
        """Return the world before anything has happened."""
        server = self.server
        users = [writer.device[:-1] for writer in self.writers]
        if self.scenario.senders == 1:
            users += self._peers
        state = first_tables(server, users)
        if "add" in self.scenario.changes:
            for user in self._peers:
                state = with_second_device(server, state, user)
        self.changes = tuple(
            self._change(name, self.scenario.changes[:place].count(name))
            for place, name in enumerate(self.scenario.changes)
        )
        nodes: list[Node] = []
        for node, device in enumerate(self.devices):
            outbox, inbox = -1, -1
            if node < len(self.writers):
                outbox = self._first_outbox(node, state)
            if node >= len(self.writers) or self.scenario.has_own_inbox:
                inbox = self.inboxes.number_of(Receiver())
            registration = first_registration(device)
            nodes.append(Node(outbox, inbox, registration, 1, None, ()))
        budget = tuple(self.scenario.budget.get(name, 0) for name in FAULTS)
        assert set(self.scenario.budget) <= set(FAULTS)
        left = len(self.changes)
        return World(
            *(tuple(nodes), state, (), (), False, budget, left, 0, 0, 0, -1, 1, None),
        )

    def _writer(self, sender: int) -> Writer:
        device = sender_device(sender)
        if self.scenario.senders > 1:
            other = sender_user(1 - sender)
            peers = (other,) * len(self.scenario.chats)
        else:
            peers = tuple(self._peers[chat] for chat in self.scenario.chats)
        chats = tuple((chat_of(device[:-1], user), user) for user in peers)
        return Writer(sender, device, chats, self.scenario.is_lazy)

    def _first_outbox(self, node: int, state: int) -> int:
        writer = self.writers[node]
        users = sorted({user for _, user in writer.chats})
        roster = self.roster(state, writer)
        pins = tuple(
            (user, tuple(number for number, _ in dict(roster)[user])) for user in users
        )
        sessions = tuple(
            ((user, number), registration)
            for user in users
            for number, registration in dict(roster)[user]
        )
        outbox = sending.first(writer, Directory(pins, sessions))
        if not self.scenario.is_lazy:
            for _ in self.scenario.chats:
                outbox = sending.compose(
                    outbox, writer, first_registration(writer.device)
                )
        return self.outboxes.number_of(outbox)

    def _change(self, name: str, before: int) -> Change:
        requests: list[Request] = []
        match name:
            case "add":
                for peer, _ in enumerate(self._peers):
                    device = peer_device(SECOND_NUMBER, peer)
                    requests.append(upload(device, first_registration(device)))
            case "remove":
                for peer, _ in enumerate(self._peers):
                    requests.append(removal(peer_device(SECOND_NUMBER, peer)))
            case _:
                device = peer_device(FIRST_NUMBER)
                registration = first_registration(device) + before + 1
                requests.append(renewal(device, registration, 2))
        numbers = tuple(self.server.request_of(request) for request in requests)
        return Change(name, numbers)

    # What the world asks

    def roster(self, state: int, writer: Writer) -> Roster:
        """Return the reachable devices of everybody that a writer writes to."""
        key = (state, writer.sender)
        found = self._rosters.get(key)
        if found is None:
            users = sorted({user for _, user in writer.chats})
            found = tuple((user, self.server.roster(state, user)) for user in users)
            self._rosters[key] = found
        return found

    # Requests

    def connect_request(
        self, node: int, registration: int, generation: int, cursor: int
    ) -> int:
        """Return a device's sign-in."""
        device = self.devices[node]
        return self.server.request_of(Connect(device, registration, generation, cursor))

    def renewal_request(self, node: int, registration: int, generation: int) -> int:
        """Return a device's new registration."""
        device = self.devices[node]
        return self.server.request_of(renewal(device, registration, generation))

    def ack_request(self, node: int, registration: int, position: int) -> int:
        """Return a device's acknowledgement."""
        return self.server.request_of(Ack(self.devices[node], registration, position))

    def gap_of(self, gap: Gap) -> int:
        """Number a gap."""
        number = self._gaps.setdefault(gap, len(self.gaps))
        if number == len(self.gaps):
            self.gaps.append(gap)
        return number

    def start_ms(self, starts: int) -> int:
        """Return when the server starts for the n-th time."""
        return FIRST_START_MS + starts * START_STEP_MS

    # Names

    def name(self, request: int) -> str:
        """Name a request in a story."""
        match self.server.requests[request]:
            case Send() as send:
                after = name_of(send.after) if any(send.after) else "nothing"
                text = f"SEND {name_of(send.client_msg_id)}"
                return f"{text} (attempt {send.attempt}, after {after})"
            case PrekeysUpload():
                return "an upload that lists a device"
            case DeviceListPublish():
                return "a list that leaves a device out"
            case other:
                return type(other).__name__

    def name_answer(self, answer: int) -> str:
        """Name an answer in a story."""
        told = self.server.answers[answer]
        code = getattr(told, "code", None)
        return type(told).__name__ if code is None else f"{code}"

    def is_send(self, request: int) -> bool:
        """Say whether a request is a SEND."""
        return isinstance(self.server.requests[request], Send)

    def who(self, node: int) -> str:
        """Name a device in a story."""
        senders = len(self.writers)
        if node < senders:
            return f"sender {node}"
        return f"device {node - senders + 1}"


Steps = Iterator[Step]
