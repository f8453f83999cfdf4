"""After a commit: answers, then what was added to watched inboxes, then events."""

from collections.abc import Callable, Sequence
from typing import assert_never

from wigwag.server.core import (
    Answer,
    Device,
    Displaced,
    Doomed,
    EntryCorrupt,
    Event,
    GapOpened,
    InboxEntry,
    Outcome,
    PrekeysLow,
    ReceiptMoved,
    Request,
    RestoreProven,
    Revoked,
)
from wigwag.server.ports import Listener, Watcher


class Notifier:
    """Calls everybody who waits for a commit.

    A callback that raises is a bug of its session; it must not stop the engine,
    which serves all the others. The listener is told.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._watchers: dict[Device, Watcher] = {}

    def watch(self, device: Device, watcher: Watcher) -> None:
        """Set the one watcher of a device's inbox."""
        self._watchers[device] = watcher

    def unwatch(self, device: Device, watcher: Watcher) -> None:
        """Take a watcher away, unless a newer one has taken its place."""
        if self._watchers.get(device) is watcher:
            del self._watchers[device]

    def answer(
        self, request: Request, answer: Callable[[Answer], None], outcome: Outcome
    ) -> None:
        """Give one answer."""
        if outcome.error is not None:
            self._listener.fold_failed(type(request).__name__, outcome.error)
        try:
            answer(outcome.answer)
        except Exception as error:
            self._listener.fold_failed(type(request).__name__, error)
        for event in outcome.events:
            if isinstance(event, Revoked):
                # Before the group's later answers: some may be for its connection.
                self._listener.revoked(event.device)

    def tell(
        self,
        entries: Sequence[tuple[Device, InboxEntry]],
        outcomes: Sequence[Outcome],
    ) -> None:
        """Tell watchers what was added, then the listener what happened."""
        if self._watchers:
            added: dict[Device, list[InboxEntry]] = {}
            for device, entry in entries:
                if device in self._watchers:
                    added.setdefault(device, []).append(entry)
            for device, news in added.items():
                watcher = self._watchers.get(device)
                if watcher is None:
                    continue  # an earlier callback ended it
                try:
                    watcher.entries(news)
                except Exception as error:
                    self._listener.fold_failed("watcher", error)
        for outcome in outcomes:
            for event in outcome.events:
                self._pass_on(event)

    def _pass_on(self, event: Event) -> None:
        listener = self._listener
        match event:
            case ReceiptMoved():
                listener.receipt(event.to_user, event.chat, event.user, event.mark)
            case GapOpened():
                listener.gap(event.device, event.gap)
            case PrekeysLow():
                listener.prekeys_low(event.device, event.ec_left, event.kem_left)
            case Displaced():
                listener.displaced(event.device, event.generation)
            case Revoked():
                return  # was told with its answer
            case Doomed():
                listener.doomed(event.device)
            case RestoreProven():
                listener.restore_proven(event.device, event.cursor)
            case EntryCorrupt():
                listener.entry_corrupt(event.device, event.position)
            case _:
                assert_never(event)
