"""People from outside who make trouble beside the honest ones: I14, I16 and I19.

They have no account. What they are sent goes into the history under `RUDE`; what they
send does not, since most of it is no frame.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import trio
from tests.simulation._client_ports import ADDRESS, GivenKey, SimulatedNet
from tests.simulation._disk import ClientExecutor, Disk
from tests.simulation._history import RUDE, FrameCame, FrameLeft
from tests.simulation._network import (
    ConnectionBrokenError,
    End,
    Network,
    NobodyListensError,
)
from tests.simulation._server import HOST
from tests.simulation._tap import Tap
from tests.simulation._world import ClientEntropy, Process, SimulatedClock, World

from wigwag.client import WigwagError
from wigwag.client._dial import Facts, open_handshake
from wigwag.client._ports import Ports, Trust
from wigwag.client.crypto import DeviceKeys
from wigwag.wire import (
    Auth,
    Connection,
    ConnectionConfig,
    LocalProtocolError,
    Ping,
    Role,
)

PAUSE_SECONDS: Final = (0.0, 0.3)
"""Between two connections of one flood."""

SILENCE_SECONDS: Final = 5.0
"""How long one of them holds a connection without a word."""

LISTEN_SECONDS: Final = 2.0
"""How long one of them waits for answers."""

NOISE_BYTES: Final = (1, 600)

PINGS: Final = 300
"""Sent in one piece: beyond the control budget."""


class RudePeople:
    """Makes trouble from one address."""

    def __init__(self, world: World, network: Network) -> None:
        self._world = world
        self._network = network
        self._random = world.random(RUDE)
        self._entropy = ClientEntropy(world.random("rude keys"))
        self._ways: list[Callable[[], Awaitable[None]]] = [
            self._make_noise,
            self._say_nothing,
            self._greet_and_make_noise,
            self._flood_with_pings,
            self._pretend,
        ]

    async def make_trouble(self, seconds: float) -> None:
        """Connect and misbehave, over and over, for a while."""
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                while True:
                    nursery.start_soon(self._visit, self._random.choice(self._ways))
                    await trio.sleep(self._random.uniform(*PAUSE_SECONDS))

    async def _visit(self, way: Callable[[], Awaitable[None]]) -> None:
        try:
            await way()
        except (
            ConnectionBrokenError,
            LocalProtocolError,
            NobodyListensError,
            WigwagError,
        ):
            # Cut off, or turned away: what they deserve.
            return

    async def _make_noise(self) -> None:
        end = await self._network.dial(RUDE, HOST)
        await end.send(self._noise())
        await self._listen(end)

    async def _say_nothing(self) -> None:
        end = await self._network.dial(RUDE, HOST)
        await trio.sleep(SILENCE_SECONDS)
        end.close()

    async def _greet_and_make_noise(self) -> None:
        end, _ = await self._greet()
        await end.send(self._noise())
        await self._listen(end)

    async def _flood_with_pings(self) -> None:
        end, connection = await self._greet()
        connection.receive_data(await end.receive(65_536), trio.current_time())
        connection.next_event()
        for _ in range(PINGS):
            connection.send(Ping(token=self._random.getrandbits(32)))
        await end.send(connection.data_to_send())
        await self._listen(end)

    async def _pretend(self) -> None:
        """Sign in as somebody else, with a key of one's own."""
        victim = self._victim()
        if victim is None:
            return
        process = Process(self._world, RUDE)
        ports = Ports(
            net=SimulatedNet(self._world, self._network, process),
            executor=ClientExecutor(process, Disk(self._random)),
            clock=SimulatedClock(),
            entropy=self._entropy,
            keys=GivenKey(),
            has_handover=False,
        )
        handshake = await open_handshake(ports, ADDRESS, Trust(bytes(32)))
        facts = Facts(
            victim.user,
            victim.device,
            victim.registration_id,
            victim.generation + self._random.randint(1, 1000),
            0,
        )
        try:
            await handshake.sign_in(facts, DeviceKeys.generate(self._entropy))
            with trio.move_on_after(LISTEN_SECONDS):
                while await handshake.stream.receive(65_536):
                    pass
        finally:
            with trio.CancelScope(shield=True):
                await handshake.stream.aclose()

    def _victim(self) -> Auth | None:
        """Find somebody who has signed in; ids and registrations are no secret."""
        for event in self._world.history.of(FrameLeft):
            if event.process != RUDE and isinstance(event.message, Auth):
                return event.message
        return None

    async def _greet(self) -> tuple[End, Connection]:
        end = await self._network.dial(RUDE, HOST)
        config = ConnectionConfig()
        connection = Connection(Role.CLIENT, config, now=trio.current_time())
        connection.send_hello(self._random.randbytes(32))
        await end.send(connection.data_to_send())
        return end, connection

    async def _listen(self, end: End) -> None:
        """Take note of what one is sent."""
        tap = Tap()
        with trio.move_on_after(LISTEN_SECONDS):
            while data := await end.receive(65_536):
                now = trio.current_time()
                for corr, message in tap.feed(data):
                    came = FrameCame(now, RUDE, end.number, corr, message)
                    self._world.record(came)
        end.close()

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.randint(*NOISE_BYTES))
