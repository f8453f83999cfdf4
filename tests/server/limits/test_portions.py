"""Bounds of what one record of the log may look at, drop or move."""

import pytest
from tests.server.core.world import (
    ALICE_1,
    BOB_1,
    DAY_MS,
    EPOCH,
    World,
    envelope,
    register,
)

from wigwag.server.core import (
    Connected,
    Failed,
    Refusal,
    Tick,
    Ticked,
    device_of,
)
from wigwag.server.core import _limits as bounds
from wigwag.wire import suite1

AROUND = (-1, 0, 1)
MONTH_MS = bounds.RETENTION_DAYS * DAY_MS


def full(count: int) -> World:
    """Return a world in which so many messages wait for Bob."""
    world = World()
    world.register(ALICE_1)
    world.register(BOB_1)
    for _ in range(count):
        world.sent()
    return world


def set_bound(monkeypatch: pytest.MonkeyPatch, name: str, *modules: str) -> int:
    """Make a bound of the folds small enough to be met; return it."""
    for module in modules:
        path = f"wigwag.server.core.{module}.{name}"
        assert getattr(bounds, name) > 4
        monkeypatch.setattr(path, 4)
    return 4


@pytest.mark.parametrize("beside", AROUND)
def test_drop_entries_max(beside: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No group's folds hold the others up: the rest waits for the next tick."""
    most = set_bound(monkeypatch, "DROP_ENTRIES_MAX", "_inbox_drop", "_wanted")
    world = full(most + beside)
    world.now_ms += MONTH_MS + 1
    world.expect(Ticked, Tick())
    assert len(world.inboxes[BOB_1]) == max(0, beside)


@pytest.mark.parametrize("beside", AROUND)
def test_tick_devices_max(beside: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One record looks at so many inboxes, and says where the next begins."""
    most = set_bound(monkeypatch, "TICK_DEVICES_MAX", "_inbox_drop")
    world = full(0)
    devices = [
        device_of(bytes((0x60 + number,)) * 16, 1) for number in range(most + beside)
    ]
    for device in devices:
        world.register(device)
        chat = suite1.direct_chat_id(ALICE_1[:16], device[:16])
        world.sent(envelope(device), chat=chat, users=(device[:16],))
    world.now_ms += MONTH_MS + 1
    for device in devices:
        world.connect(device, 0)
    ticked = world.expect(Ticked, Tick())
    assert (ticked.after is not None) is (beside > 0)


@pytest.mark.parametrize("beside", AROUND)
def test_move_entries_max(beside: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restored inbox is renumbered as far as memory allows; the rest is said."""
    most = set_bound(monkeypatch, "MOVE_ENTRIES_MAX", "_connect", "_wanted")
    world = full(most + beside)
    world.connect(BOB_1, EPOCH << 32 | 99)
    assert len(world.read(BOB_1)) == min(most, most + beside)
    assert (world.head(BOB_1).doomed != 0) is (beside > 0)


@pytest.mark.parametrize("beside", AROUND)
def test_epoch_ahead_seconds_max(beside: int) -> None:
    """A forged cursor must not use the epochs up."""
    world = full(1)
    cursor = (EPOCH + bounds.EPOCH_AHEAD_SECONDS_MAX + beside) << 32
    answer = world.ask(world.sign_in(BOB_1, cursor))
    if beside > 0:
        assert answer == Failed(Refusal.PROTOCOL_ERROR)
    else:
        assert isinstance(answer, Connected)


def test_a_registration_is_no_portion() -> None:
    """The helper's accounts are real ones."""
    assert isinstance(World().ask(register(BOB_1)), Connected)
