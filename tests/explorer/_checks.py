"""What must hold in every world, and what must have come of it in the end."""

from tests.explorer._client_steps import held_messages
from tests.explorer._explorer import Explorer
from tests.explorer._violation import Violation
from tests.explorer._world import World


def check(explorer: Explorer, world: World) -> None:
    """Judge a world.

    Raises:
        Violation: Something that may never be, is.
    """
    stored = explorer.server.facts[world.state].stored
    lost = world.acked & ~world.exempt & ~stored
    if lost:
        raise Violation(f"message {_first(lost)} is answered and not durable")
    phantom = world.dead & stored
    if phantom:
        raise Violation(
            f"phantom: message {_first(phantom)} was refused for good, or cancelled,"
            " and is in the log"
        )
    for number, node in enumerate(world.nodes):
        if node.inbox >= 0:
            _check_inbox(explorer, world, number)


def _check_inbox(explorer: Explorer, world: World, number: int) -> None:
    node = world.nodes[number]
    state = explorer.inboxes.states[node.inbox]
    cursor = state.inbox.cursor
    if not cursor:
        return
    facts = explorer.server.facts[world.state]
    who = explorer.who(number)
    have = 0
    for kept in state.kept:
        have |= 1 << kept.message
    phantom = have & ~facts.stored & ~world.exempt
    if phantom:
        raise Violation(f"{who} holds {_first(phantom)}, which is in no log")
    for given in facts.given.get(explorer.devices[number], ()):
        if given.position > cursor or have >> given.message & 1:
            continue
        if not any(first <= given.position <= last for first, last in state.gaps):
            raise Violation(
                f"{who} never stored message {given.message}, which is at or below its"
                " cursor, and no GAP speaks of it"
            )


def unfinished(explorer: Explorer, world: World) -> str:
    """Say what is not settled in a world where nothing happens any more; "": all is."""
    if world.queue or world.replies:
        return "requests are left"
    stored = explorer.server.facts[world.state].stored
    lost = world.acked & ~stored & ~held_messages(explorer, world)
    if lost:
        return f"message {_first(lost)} is answered and lost for good"
    for number, node in enumerate(world.nodes):
        who = explorer.who(number)
        if node.outbox >= 0:
            left = explorer.outboxes.states[node.outbox].outbox.rows
            if left:
                return f"{who} still has {len(left)} messages in the outbox"
        if node.inbox < 0 or number < len(explorer.writers):
            continue
        device = explorer.devices[number]
        if device[-1] not in dict(explorer.server.roster(world.state, device[:-1])):
            continue
        have = 0
        for kept in explorer.inboxes.states[node.inbox].kept:
            have |= kept.is_readable << kept.message
        owed = explorer.server.facts[world.state].owed.get(device, 0) & ~have
        if owed:
            return f"{who} never gets message {_first(owed)}"
    return ""


def _first(bits: int) -> int:
    return (bits & -bits).bit_length() - 1
