"""What goes wrong, and what people do: each as often as the budget allows."""

from tests.explorer import _client_steps as client
from tests.explorer import _senders as rules
from tests.explorer import _server_steps as server
from tests.explorer._explorer import Explorer, Steps
from tests.explorer._names import index_of
from tests.explorer._world import Copied, World


def steps(explorer: Explorer, world: World) -> Steps:
    """Return what may go wrong now."""
    for number in range(len(explorer.writers)):
        yield from _of_sender(explorer, world, number)
        yield from _of_person(explorer, world, number)
        yield from _of_profile(explorer, world, number)
    for number in range(len(explorer.writers), len(world.nodes)):
        node = world.nodes[number]
        if node.line is not None and world.left("receiver_drop"):
            lost = world.spend("receiver_drop")
            yield (
                f"{explorer.who(number)} loses its connection (or crashes)",
                True,
                lost.with_node(number, client.without_line(explorer, node)),
            )
    yield from _of_server(explorer, world)
    if world.left("block"):
        text = "accepts again" if world.is_blocked else "starts to refuse"
        blocked = world.spend("block")._replace(is_blocked=not world.is_blocked)
        yield f"the recipient {text}", True, blocked
    if world.changes:
        change = explorer.changes[len(explorer.changes) - world.changes]
        queue = (*world.queue, *((request, -1, 0) for request in change.requests))
        changed = world._replace(queue=queue, changes=world.changes - 1)
        yield f"the recipient's devices change: {change.name}", True, changed


def _of_sender(explorer: Explorer, world: World, number: int) -> Steps:
    """Return how a sender may lose its connection or its process."""
    node = world.nodes[number]
    line = node.line
    who = explorer.who(number)
    if line is not None and (world.left("drop") or not line.is_alive):
        lost = world.spend("drop") if line.is_alive else world
        old = node.old + line.up if line.is_alive else node.old
        queue = tuple(
            (one[0], one[1], 0) if one[1] == number else one for one in lost.queue
        )
        replies = tuple(one for one in lost.replies if one[0] != number)
        lost = lost._replace(queue=queue, replies=replies)
        gone = client.without_line(explorer, node)._replace(old=old)
        yield f"{who} loses its connection", True, lost.with_node(number, gone)
        crashed = gone._replace(outbox=explorer.outboxes.move(gone.outbox, rules.crash))
        if crashed.outbox != gone.outbox:
            yield f"{who} crashes", True, lost.with_node(number, crashed)
    if node.old:
        text = f"the rest of {who}'s old connection is lost"
        yield text, True, world.with_node(number, node._replace(old=()))
    if line is None and world.left("failed_connect"):
        lost = world.spend("failed_connect")
        bumped = node._replace(generation=node.generation + 1)
        yield (
            f"{who} bumps its generation, the connect fails",
            True,
            lost.with_node(number, bumped),
        )
    if line is not None and line.is_alive and world.left("late"):
        late = world.spend("late")
        for text, _, after in client.offering_again(explorer, late, number):
            yield text, True, after


def _of_person(explorer: Explorer, world: World, number: int) -> Steps:
    """Return what a person may take back."""
    if not world.left("cancel"):
        return
    node = world.nodes[number]
    writer = explorer.writers[number]
    for id_ in explorer.outboxes.states[node.outbox].outbox.rows:
        outbox, told = explorer.outboxes.act(node.outbox, rules.cancel, writer, id_)
        if told.dead:
            after = world.spend("cancel")._replace(dead=world.dead | told.dead)
            yield (
                f"a person cancels {index_of(id_)}",
                True,
                after.with_node(number, node._replace(outbox=outbox)),
            )


def _of_profile(explorer: Explorer, world: World, number: int) -> Steps:
    """Return how a profile may be copied and put back."""
    node = world.nodes[number]
    who = explorer.who(number)
    state = explorer.outboxes.states[node.outbox]
    if world.left("copy") and (state.outbox.rows or state.known):
        outbox = explorer.outboxes.move(node.outbox, rules.crash)
        taken = Copied(number, outbox, node.registration, node.generation)
        copying = world.spend("copy")._replace(copied=taken)
        yield f"a copy of {who}'s profile is taken", True, copying
    copied = world.copied
    if copied is not None and copied.node == number:
        back = world.spend("put_back")
        line = node.line
        old = node.old
        if line is not None and line.is_alive:
            old += line.up
            queue = tuple(
                (one[0], one[1], 0) if one[1] == number else one for one in back.queue
            )
            replies = tuple(one for one in back.replies if one[0] != number)
            back = back._replace(queue=queue, replies=replies)
        outbox = explorer.outboxes.move(copied.outbox, rules.put_back, state.made)
        rows = explorer.outboxes.states[outbox].outbox.rows
        living = sum(1 << index_of(id_) for id_ in rows)
        restored = node._replace(
            outbox=outbox,
            registration=copied.registration,
            generation=copied.generation,
            line=None,
            old=old,
        )
        back = back._replace(dead=back.dead & ~living, copied=None)
        text = f"{who}'s profile is put back from the copy"
        yield text, True, back.with_node(number, restored)


def _of_server(explorer: Explorer, world: World) -> Steps:
    """Return how the server may crash or be put back."""
    if world.left("crash"):
        after = server.restart(explorer, world.spend("crash"), world.state)
        yield "SERVER CRASH and restart", True, after
    if world.left("backup"):
        saved = world.spend("backup")._replace(backup=world.state)
        yield "BACKUP of the data folder", True, saved
    if world.left("restore") and world.backup >= 0:
        facts = explorer.server.facts
        kept = facts[world.backup].stored
        lost = (facts[world.state].stored | world.acked) & ~kept
        after = server.restart(explorer, world.spend("restore"), world.backup)
        exempt = world.exempt | lost
        text = "the server is RESTORED from the backup"
        yield text, True, after._replace(exempt=exempt, backup=-1)
