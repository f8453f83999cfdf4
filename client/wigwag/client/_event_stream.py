"""What happens in a session, one event after the other, from a durable cursor."""

from collections import deque
from functools import partial
from typing import Final, Self

from wigwag.client._device import Device
from wigwag.client._events import AnyEvent
from wigwag.client._public_events import public_events_txn
from wigwag.client._store_events import consumer_done_txn, consumer_seq_txn

EVENTS_READ: Final = 128
"""Events read from the store at once."""


class EventStream:
    """An endless iterator over a consumer's events.

    Not a generator: one that a program leaves with `break` would have to be closed.

    Args:
        device: This device.
        consumer: Whose durable cursor to go on from.
    """

    def __init__(self, device: Device, consumer: str) -> None:
        self._device = device
        self._consumer = consumer
        self._seq: int | None = None
        self._events: deque[AnyEvent] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        while not self._events:
            added = self._device.events_added
            self._events += await self._read()
            if not self._events:
                self._device.check_not_ended()
                await added.wait()
        return self._events.popleft()

    async def _read(self) -> list[AnyEvent]:
        store = self._device.store
        if self._seq is None:
            self._seq = await store.run(
                lambda txn: consumer_seq_txn(txn, self._consumer)
            )
        events = await store.run(
            partial(
                public_events_txn,
                above=self._seq,
                count_max=EVENTS_READ,
                acknowledge=self._acknowledge,
            )
        )
        if events:
            self._seq = events[-1].seq
        return events

    async def _acknowledge(self, seq: int) -> None:
        await self._device.store.run(
            lambda txn: consumer_done_txn(txn, self._consumer, seq)
        )
