"""What a seed decides before its run begins: who there is, and what goes wrong.

Not every seed has every kind of fault (swarm testing, Groce et al., ISSTA 2012): with
all of them on, the frequent ones hide what the rare ones would show.
"""

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

from tests.simulation._world import World


class FaultKind(Enum):
    """What can be made worse."""

    SERVER_CRASH = "server crash"
    CLIENT_CRASH = "client crash"
    CLIENT_OFFLINE = "client offline"
    RESET = "reset"
    TEAR = "torn connection"
    TEAR_SIGN_IN = "torn sign-in"
    CUT_UP = "cut towards the server"
    CUT_DOWN = "cut towards the client"
    CUT_BOTH = "cut both ways"
    SLOW_NETWORK = "slow network"
    SLOW_SERVER_DISK = "slow server disk"
    SLOW_CLIENT_DISK = "slow client disk"
    SERVER_DISK_FULL = "full server disk"
    CLIENT_DISK_FULL = "full client disk"
    SERVER_DISK_ERROR = "server disk error"
    CLIENT_DISK_ERROR = "client disk error"
    SERVER_POWER_CUT = "server power cut"
    SERVER_CLOCK_STEP = "server clock step"
    CLIENT_CLOCK_STEP = "client clock step"
    SERVER_RESTORED = "server put back from a copy"
    CLIENT_RESTORED = "client put back from a copy"
    FLOOD = "flood"
    DEVICE_REMOVED = "device removed"
    ACCOUNT_DELETED = "account deleted"


LEAVING: Final = (FaultKind.DEVICE_REMOVED, FaultKind.ACCOUNT_DELETED)
"""Drawn apart from the others: they happen to one client of a seed, once, for good."""

LEAVING_SHARE: Final = 0.3
"""Seeds in which somebody leaves; not those in which the server is put back, which may
bring him back, with a profile that is gone."""

LEAVING_SECONDS: Final = (40.0, 200.0)
"""When he leaves: after his first messages, early enough for others to notice."""

CLIENTS: Final = (4, 12)
"""Fewest and most clients of a world."""

KINDS_MIN: Final = 4
"""Fewest kinds of fault of a seed, so that at least three of them happen in it."""

FAULT_GAPS_SECONDS: Final = (5.0, 30.0)
"""Range of the mean time between two faults of a seed: 120 to 700 an hour."""

MESSAGES_PER_SECOND: Final = (0.315, 0.34)
"""Range of what is sent in the whole world: 1,130 to 1,220 an hour, a little more
than an hour needs to count; what is sent beyond that costs other hours."""

PEERS_MAX: Final = 3
"""With how many others a client writes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A seed's decisions.

    Attributes:
        names: The clients.
        peers: With whom each of them writes; mutual.
        kinds: The faults that happen.
        fault_gap_seconds: Mean time between two faults.
        messages_per_second: Mean rate of messages in the whole world.
        burst_share: Share of the sendings that are bursts.
        send_burst: SENDs that the server takes at once from a device.
        send_per_second: SENDs that it takes in the long run.
        dribbling: Clients whose connections begin with segments of one byte.
        skews_ms: How far each client's clock is off.
        leaver: Who leaves for good; "": nobody.
        leaving: How.
        leaving_seconds: When.
    """

    names: tuple[str, ...]
    peers: dict[str, tuple[str, ...]]
    kinds: tuple[FaultKind, ...]
    fault_gap_seconds: float
    messages_per_second: float
    burst_share: float
    send_burst: int
    send_per_second: float
    dribbling: frozenset[str]
    skews_ms: dict[str, int]
    leaver: str = ""
    leaving: FaultKind = FaultKind.DEVICE_REMOVED
    leaving_seconds: float = 0.0

    def __str__(self) -> str:
        happening = (*self.kinds, self.leaving) if self.leaver else self.kinds
        kinds = ", ".join(kind.value for kind in happening)
        return f"{len(self.names)} clients; {kinds}"


def draw_plan(world: World) -> Plan:
    """Draw the plan of a world's seed."""
    random = world.random("plan")
    names = tuple(f"client{n:02}" for n in range(random.randint(*CLIENTS)))
    kinds = [kind for kind in FaultKind if kind not in LEAVING]
    count = random.randint(KINDS_MIN, len(kinds))
    drawn = random.sample(kinds, len(kinds))
    chosen = set(drawn[:count])
    if FaultKind.SERVER_RESTORED in drawn[: count + 1]:
        # One more, in place of the one that doesn't go with it.
        chosen = set(drawn[: count + 1])
        # A clock that is wrong after a restore, too, is the operator's to notice: the
        # new epoch could be one that was used (ARCHITECTURE.md, after a rollback).
        chosen.discard(FaultKind.SERVER_CLOCK_STEP)
    leaving = world.random("leaving")
    is_left = leaving.random() < LEAVING_SHARE
    is_left &= FaultKind.SERVER_RESTORED not in chosen
    return Plan(
        names=names,
        peers=_draw_peers(random, names),
        kinds=tuple(kind for kind in kinds if kind in chosen),
        fault_gap_seconds=random.uniform(*FAULT_GAPS_SECONDS),
        messages_per_second=random.uniform(*MESSAGES_PER_SECOND),
        burst_share=random.choice((0.0, 0.2, 0.5)),
        send_burst=random.choice((4, 60)),
        send_per_second=random.choice((2.0, 10.0)),
        dribbling=frozenset(name for name in names if random.random() < 0.1),
        skews_ms={name: random.randint(-20_000, 20_000) for name in names},
        leaver=leaving.choice(names) if is_left else "",
        leaving=leaving.choice(LEAVING),
        leaving_seconds=leaving.uniform(*LEAVING_SECONDS),
    )


def _draw_peers(random: Random, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Pair the clients up, then add some more chats."""
    pairs: set[tuple[str, str]] = set()
    shuffled = random.sample(names, len(names))
    pairs |= {
        (one, two)
        for one, two in zip(shuffled, shuffled[1:] + shuffled[:1], strict=True)
        if random.random() < 0.8
    }
    pairs |= set(zip(shuffled[::2], shuffled[1::2], strict=False))
    if len(names) % 2:
        pairs.add((shuffled[-1], shuffled[0]))
    peers: dict[str, list[str]] = {name: [] for name in names}
    for one, two in sorted(pairs):
        if (
            two not in peers[one]
            and max(map(len, (peers[one], peers[two]))) < PEERS_MAX
        ):
            peers[one].append(two)
            peers[two].append(one)
    return {name: tuple(others) for name, others in peers.items()}
