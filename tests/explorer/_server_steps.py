"""What the server does: read a frame, commit a group, answer, deliver, start."""

from tests.explorer import _client_steps as client
from tests.explorer._explorer import Explorer, Steps
from tests.explorer._world import ANSWER, ENTRY, Line, Sent, World

from wigwag.server.core import Displaced, Dropped, Revoked, rows


def steps(explorer: Explorer, world: World) -> Steps:
    """Return what the server may do now."""
    if world.replies:
        yield "the server answers the group", False, _answer(world)
    elif world.queue:
        count = len(world.queue)
        yield f"the server commits a group of {count}", False, commit(explorer, world)
    for number, node in enumerate(world.nodes):
        if node.old:
            sent = node.old[0]
            text = f"the server reads {explorer.name(sent[0])} of an OLD connection"
            left = world.with_node(number, node._replace(old=node.old[1:]))
            yield text, False, _admit(explorer, left, number, sent, is_current=False)
        line = node.line
        if line is not None and line.up:
            sent = line.up[0]
            text = (
                f"the server reads {explorer.name(sent[0])} of {explorer.who(number)}"
            )
            left = world.with_node(
                number, node._replace(line=line._replace(up=line.up[1:]))
            )
            yield text, False, _admit(explorer, left, number, sent, is_current=True)


def deliveries(explorer: Explorer, world: World, number: int) -> Steps:
    """Return what the server may deliver to a device now."""
    node = world.nodes[number]
    line = node.line
    if line is None or not line.is_alive or node.inbox < 0:
        return
    device = explorer.devices[number]
    state = world.state
    if explorer.scenario.early_delivery and world.queue:
        requests = tuple(one[0] for one in world.queue)
        state = explorer.server.fold(state, requests).state
    inbox = explorer.server.tables(state).inboxes.get(device, ())
    if not inbox or inbox[-1].position <= line.sent:
        return
    if (
        sum(one.position <= line.sent for one in inbox)
        >= explorer.scenario.inbox_window
    ):
        return
    after, entry = explorer.server.read_next(state, device, line.sent)
    if entry is None:
        return
    found = explorer.inboxes.entry_of(entry)
    line = line._replace(down=(*line.down, (ENTRY, found)), sent=entry.position)
    text = (
        f"the server sends {explorer.inboxes.describe(found)} to {explorer.who(number)}"
    )
    changed = world.with_node(number, node._replace(line=line))
    if state == world.state:
        changed = changed._replace(state=after)
    yield text, False, changed


def commit(explorer: Explorer, world: World) -> World:
    """Fold and commit everything that waits."""
    queue = world.queue
    group = explorer.server.fold(world.state, tuple(one[0] for one in queue))
    replies = tuple(
        (node, request, copy, answer)
        for (request, node, copy), answer in zip(queue, group.answers, strict=True)
        if copy and not isinstance(explorer.server.answers[answer], Dropped)
    )
    world = world._replace(state=group.state, queue=(), replies=replies)
    for event in group.events:
        if not isinstance(event, Displaced | Revoked):
            continue
        number = explorer.nodes.get(event.device)
        if number is not None:
            world = _displace(explorer, world, number, isinstance(event, Revoked))
    return world


def restart(explorer: Explorer, world: World, state: int) -> World:
    """Start from what is on a disk: everything else is gone."""
    state = explorer.server.start(state, explorer.start_ms(world.starts))
    world = world._replace(state=state, queue=(), replies=(), starts=world.starts + 1)
    for number, node in enumerate(world.nodes):
        line = node.line
        node = node._replace(old=())
        if line is not None:
            line = Line(is_alive=False, up=(), down=line.down, sent=line.sent)
            node = node._replace(line=line)
            if not line.down:
                node = client.without_line(explorer, node)
        world = world.with_node(number, node)
    return world


def _answer(world: World) -> World:
    """Give the answers of the group that is durable now."""
    replies = world.replies
    world = world._replace(replies=())
    for number, request, copy, answer in replies:
        world = _tell(world, number, request, copy, answer)
    return world


def _tell(world: World, number: int, request: int, copy: int, answer: int) -> World:
    node = world.nodes[number]
    line = node.line
    if line is None or not line.is_alive:
        return world
    line = line._replace(down=(*line.down, (ANSWER, request, copy, answer)))
    return world.with_node(number, node._replace(line=line))


def _admit(
    explorer: Explorer, world: World, number: int, sent: Sent, *, is_current: bool
) -> World:
    """Read a SEND: the session appends it, with a mark if it is to be refused."""
    request, copy, generation = sent
    admitted = explorer.server.admit(request, generation, is_refused=world.is_blocked)
    if not is_current:
        copy = 0
    if copy and explorer.scenario.early_replies:
        requests = (*(one[0] for one in world.queue), admitted)
        group = explorer.server.fold(world.state, requests)
        world = _tell(world, number, admitted, copy, group.answers[-1])
        copy = 0
    return world._replace(queue=(*world.queue, (admitted, number, copy)))


def _displace(explorer: Explorer, world: World, number: int, is_revoked: bool) -> World:
    """End the connection of a device that registered anew or was removed."""
    node = world.nodes[number]
    node = client.without_line(explorer, node)
    server = explorer.server
    device = explorer.devices[number]
    if not is_revoked:
        tables = server.tables(world.state)
        row = tables.must_have(rows.SENDERS, device)
        head = tables.must_have(rows.HEADS, device)
        state = server.with_first_generation(world.state, device)
        world = world._replace(state=state)
        inbox = explorer.inboxes.excuse(node.inbox, head.acked)
        node = node._replace(registration=row.registration_id, inbox=inbox)
    return world.with_node(number, node._replace(old=()))
