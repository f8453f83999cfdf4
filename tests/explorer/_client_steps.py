"""What a device does: connect, send, seal, take what comes, acknowledge, ask again."""

from tests.explorer import _senders as rules
from tests.explorer._explorer import Explorer, Steps
from tests.explorer._names import INDEX_STEP, RESEND, index_of, name_of, signal_id
from tests.explorer._setup import SENDER_REGISTRATION
from tests.explorer._violation import Violation
from tests.explorer._world import ANSWER, ENTRY, GAP, Line, Node, World

from wigwag.server.core import Connected, RolledBack, Send


def receiving(explorer: Explorer, world: World, number: int) -> Steps:
    """Return what a device may take from its connection now."""
    line = world.nodes[number].line
    if line is not None and line.down:
        yield _describe(explorer, number, line), False, _take(explorer, world, number)


def acknowledging(explorer: Explorer, world: World, number: int) -> Steps:
    """Return what a device may acknowledge now; the server reads it at once."""
    node = world.nodes[number]
    line = node.line
    if line is None or not line.is_alive or node.inbox < 0:
        return
    due = explorer.inboxes.acknowledge(node.inbox)
    if due is not None:
        position, inbox = due
        request = explorer.ack_request(number, node.registration, position)
        queue = (*world.queue, (request, -1, 0))
        after = world._replace(queue=queue)
        yield (
            f"{explorer.who(number)} acknowledges {_place(position)}",
            False,
            after.with_node(number, node._replace(inbox=inbox)),
        )
    if explorer.scenario.early_acks and line.down and line.down[-1][0] == ENTRY:
        acked = explorer.ack_request(number, node.registration, line.sent)
        waiting = (acked, -1, 0)
        if waiting not in world.queue and _is_ahead(explorer, world, number):
            yield (
                f"{explorer.who(number)} acknowledges {_place(line.sent)} before"
                " it is stored",
                False,
                world._replace(queue=(*world.queue, waiting)),
            )


def asking(explorer: Explorer, world: World, number: int) -> Steps:
    """Return what a device may ask senders for again."""
    node = world.nodes[number]
    if node.inbox < 0 or number < len(explorer.writers):
        return
    device = explorer.devices[number]
    for kept in explorer.inboxes.states[node.inbox].kept:
        if kept.is_readable:
            continue
        sender = kept.message // INDEX_STEP
        writer = explorer.writers[sender]
        chat, _ = writer.chat_of(kept.message)
        other = world.nodes[sender]
        state = explorer.outboxes.states[other.outbox]
        facts = (RESEND, kept.message, device[-1], node.registration)
        id_ = signal_id(*facts)
        if id_ in state.outbox.rows or not any(
            index_of(one) == kept.message for one in state.sent
        ):
            continue
        if explorer.server.is_sent(world.state, writer.device, id_, chat):
            continue
        outbox = explorer.outboxes.move(
            other.outbox, rules.send_again, writer, other.registration, *facts
        )
        yield (
            f"{explorer.who(number)} asks sender {sender} for {kept.message} again",
            False,
            world.with_node(sender, other._replace(outbox=outbox)),
        )


def sending(explorer: Explorer, world: World, number: int) -> Steps:
    """Return what an outbox may do now."""
    node = world.nodes[number]
    writer = explorer.writers[number]
    line = node.line
    if line is not None and line.is_alive:
        yield from _offering(explorer, world, number, is_again=False)
        for id_ in explorer.outboxes.ask(node.outbox, rules.to_seal):
            roster = explorer.roster(world.state, writer)
            outbox = explorer.outboxes.move(
                node.outbox, rules.seal, writer, node.registration, id_, roster
            )
            yield (
                f"sender {number} seals {name_of(id_)}",
                False,
                world.with_node(number, node._replace(outbox=outbox)),
            )
    state = explorer.outboxes.states[node.outbox]
    if explorer.scenario.is_lazy and state.made < len(explorer.scenario.chats):
        outbox = explorer.outboxes.move(
            node.outbox, rules.compose, writer, node.registration
        )
        yield (
            f"sender {number} writes {number * INDEX_STEP + state.made + 1}",
            False,
            world.with_node(number, node._replace(outbox=outbox)),
        )
    if explorer.outboxes.ask(node.outbox, rules.is_waiting):
        outbox = explorer.outboxes.move(node.outbox, rules.stop_waiting)
        yield (
            f"a wait of sender {number} is over",
            False,
            world.with_node(number, node._replace(outbox=outbox)),
        )


def offering_again(explorer: Explorer, world: World, number: int) -> Steps:
    """Return the copies that a sender sends when no answer came for too long."""
    yield from _offering(explorer, world, number, is_again=True)


def connecting(explorer: Explorer, world: World, number: int) -> Steps:
    """Return a device's sign-in, if it has reason for one."""
    node = world.nodes[number]
    if node.line is not None:
        return
    device = explorer.devices[number]
    if number < len(explorer.writers):
        rows = explorer.outboxes.states[node.outbox].outbox.rows
        stored = explorer.server.facts[world.state].stored
        # A real client connects without a reason, too; here only if it matters.
        has_reason = rows or world.acked & ~stored
        if not has_reason and not _has_mail(explorer, world, number):
            return
        if explorer.scenario.has_barrier and any(
            one[1] == number for one in world.queue
        ):
            return
    else:
        roster = dict(explorer.server.roster(world.state, device[:-1]))
        if device[-1] not in roster:
            return
    yield from _connect(explorer, world, number)


def without_line(explorer: Explorer, node: Node) -> Node:
    """Return a device whose connection is gone."""
    if node.line is None:
        return node
    if node.outbox >= 0:
        node = node._replace(
            outbox=explorer.outboxes.move(node.outbox, rules.disconnect)
        )
    return node._replace(line=None)


# The doing


def _offering(
    explorer: Explorer, world: World, number: int, *, is_again: bool
) -> Steps:
    node = world.nodes[number]
    line = node.line
    assert line is not None
    underway: tuple[tuple[bytes, int], ...] = ()
    if explorer.scenario.budget.get("late"):
        underway = _underway(explorer, world, number, line)
    step = rules.offer_again if is_again else rules.offer
    outbox, copies = explorer.outboxes.act(
        node.outbox, step, explorer.writers[number], node.registration, underway
    )
    if not copies:
        return
    up = tuple(
        (explorer.server.request_of(one.send), one.copy, node.generation)
        for one in copies
    )
    names = ", ".join(explorer.name(one[0]) for one in up)
    after = node._replace(outbox=outbox, line=line._replace(up=line.up + up))
    again = " again, no answer came" if is_again else ""
    yield f"sender {number} sends {names}{again}", False, world.with_node(number, after)


def _underway(
    explorer: Explorer, world: World, number: int, line: Line
) -> tuple[tuple[bytes, int], ...]:
    """Return the copies that an answer may still come for."""
    copies = [(sent[0], sent[1]) for sent in line.up]
    copies += [(one[0], one[2]) for one in world.queue if one[1] == number and one[2]]
    copies += [(one[1], one[2]) for one in world.replies if one[0] == number]
    copies += [(one[1], one[2]) for one in line.down if one[0] == ANSWER]
    found: list[tuple[bytes, int]] = []
    for request, copy in copies:
        send = explorer.server.requests[request]
        assert isinstance(send, Send)
        found.append((send.client_msg_id, copy))
    return tuple(sorted(found))


def _connect(explorer: Explorer, world: World, number: int) -> Steps:
    """Sign in: the generation is raised, AUTH and its answer are one step."""
    node = world.nodes[number]
    server = explorer.server
    inbox, cursor = node.inbox, 0
    if inbox >= 0:
        inbox, cursor = explorer.inboxes.connect(inbox)
    generation = node.generation + 1
    old = () if explorer.scenario.has_fence else node.old
    node = node._replace(generation=generation, inbox=inbox, old=old)
    request = explorer.connect_request(number, node.registration, generation, cursor)
    group = server.fold(world.state, (request,))
    answer = server.answers[group.answers[0]]
    who = explorer.who(number)
    if isinstance(answer, Connected) and not _is_old_copy(explorer, node, answer):
        after = world._replace(state=group.state)
        yield f"{who} connects", False, _welcome(explorer, after, number, node, answer)
        if node.outbox < 0 or not explorer.outboxes.ask(
            node.outbox, rules.has_server_lost, answer
        ):
            return
        # Receipts aren't explored; what a device holds may be known to be delivered.
        held = held_messages(explorer, world)
        told = explorer.outboxes.move(node.outbox, rules.note_delivered, held)
        if told != node.outbox:
            node = node._replace(outbox=told)
            after = _welcome(explorer, after, number, node, answer)
            yield f"{who}, told what is delivered, connects", False, after
        return
    if not isinstance(answer, Connected | RolledBack):
        raise Violation(f"{who} is refused: {answer!r}")
    if any(one[1] == number for one in world.queue):
        return  # the new registration waits for the older requests
    renewals = node.registration - SENDER_REGISTRATION
    put_back = explorer.scenario.budget.get("put_back", 0) - world.left("put_back")
    if renewals >= put_back:
        raise Violation(f"{who}, no old copy, is told that its store is one")
    registration = node.registration + 1
    request = explorer.renewal_request(number, registration, generation)
    group = server.fold(group.state, (request,))
    answer = server.answers[group.answers[0]]
    assert isinstance(answer, Connected)
    outbox = explorer.outboxes.move(node.outbox, rules.re_register)
    node = node._replace(outbox=outbox, registration=registration)
    changed = _welcome(
        explorer, world._replace(state=group.state), number, node, answer
    )
    yield f"{who} connects: an old copy, it registers anew", False, changed


def held_messages(explorer: Explorer, world: World) -> int:
    """Return the messages that some device can read, as a set of bits."""
    held = 0
    for node in world.nodes[len(explorer.writers) :]:
        for kept in explorer.inboxes.states[node.inbox].kept:
            held |= kept.is_readable << kept.message
    return held


def _is_old_copy(explorer: Explorer, node: Node, answer: Connected) -> bool:
    return node.outbox >= 0 and explorer.outboxes.ask(
        node.outbox, rules.is_old_copy, answer
    )


def _welcome(
    explorer: Explorer, world: World, number: int, node: Node, answer: Connected
) -> World:
    """Take AUTH_OK; the gaps it speaks of come first."""
    if world.copied is None:
        # Nothing of an older generation is left that could tell them apart.
        device = explorer.devices[number]
        state = explorer.server.with_first_generation(world.state, device)
        old = tuple((one[0], one[1], 0) for one in node.old)
        queue = tuple(
            (
                explorer.server.admit(
                    one[0], 0, is_refused=_is_marked(explorer, one[0])
                ),
                number,
                0,
            )
            if one[1] == number
            else one
            for one in world.queue
        )
        replies = tuple(one for one in world.replies if one[0] != number)
        world = world._replace(state=state, queue=queue, replies=replies)
        node = node._replace(generation=1, old=old)
    if node.outbox >= 0:
        if explorer.outboxes.ask(node.outbox, rules.has_server_lost, answer):
            writer = explorer.writers[number]
            outbox = explorer.outboxes.move(node.outbox, rules.offer_lost, writer)
            node = node._replace(outbox=outbox)
        window = explorer.scenario.window
        node = node._replace(
            outbox=explorer.outboxes.move(node.outbox, rules.connect, window)
        )
    down: tuple[tuple[int, ...], ...] = ()
    if node.inbox >= 0:
        down = tuple((GAP, explorer.gap_of(gap)) for gap in answer.gaps)
    line = Line(is_alive=True, up=(), down=down, sent=answer.acked)
    return world.with_node(number, node._replace(line=line))


def _is_marked(explorer: Explorer, request: int) -> bool:
    send = explorer.server.requests[request]
    return isinstance(send, Send) and send.marked is not None


def _take(explorer: Explorer, world: World, number: int) -> World:
    """Take the next frame of a connection."""
    node = world.nodes[number]
    line = node.line
    assert line is not None
    frame = line.down[0]
    node = node._replace(line=line._replace(down=line.down[1:]))
    if frame[0] == ANSWER:
        world, node = _take_answer(explorer, world, number, node, frame)
    elif frame[0] == ENTRY:
        node = _take_entry(explorer, world, number, node, frame[1])
    else:
        inbox = _take_gap(explorer, world, number, frame[1])
        node = node._replace(inbox=inbox)
    if not line.is_alive and len(line.down) == 1:
        node = without_line(explorer, node)
    return world.with_node(number, node)


def _take_answer(
    explorer: Explorer, world: World, number: int, node: Node, frame: tuple[int, ...]
) -> tuple[World, Node]:
    _, request, copy, answer = frame
    send = explorer.server.requests[request]
    assert isinstance(send, Send)
    outbox, told = explorer.outboxes.act(
        node.outbox,
        rules.take,
        explorer.writers[number],
        node.registration,
        send.client_msg_id,
        copy,
        explorer.server.answers[answer],
    )
    world = world._replace(acked=world.acked | told.acked, dead=world.dead | told.dead)
    return world, node._replace(outbox=outbox)


def _take_entry(
    explorer: Explorer, world: World, number: int, node: Node, entry: int
) -> Node:
    inbox, lost = explorer.inboxes.take(node.inbox, entry)
    node = node._replace(inbox=inbox)
    if lost is None or node.outbox < 0:
        return node
    listed = dict(explorer.server.roster(world.state, lost.user))
    if lost.number not in listed:
        return node
    outbox = explorer.outboxes.move(
        node.outbox,
        rules.send_again,
        explorer.writers[number],
        node.registration,
        RESEND,
        lost.message,
        lost.number,
        listed[lost.number],
    )
    return node._replace(outbox=outbox)


def _take_gap(explorer: Explorer, world: World, number: int, gap: int) -> int:
    node = world.nodes[number]
    have = explorer.inboxes.states[node.inbox].kept
    given = explorer.server.facts[world.state].given
    missing = tuple(
        one.position
        for one in given.get(explorer.devices[number], ())
        if not any(kept.message == one.message for kept in have)
    )
    return explorer.inboxes.take_gap(node.inbox, explorer.gaps[gap], missing)


def _has_mail(explorer: Explorer, world: World, number: int) -> bool:
    if world.nodes[number].inbox < 0:
        return False
    device = explorer.devices[number]
    return bool(explorer.server.tables(world.state).inboxes.get(device))


def _is_ahead(explorer: Explorer, world: World, number: int) -> bool:
    line = world.nodes[number].line
    assert line is not None
    device = explorer.devices[number]
    inbox = explorer.server.tables(world.state).inboxes.get(device, ())
    return any(one.position == line.sent for one in inbox)


def _describe(explorer: Explorer, number: int, line: Line) -> str:
    frame = line.down[0]
    who = explorer.who(number)
    if frame[0] == ANSWER:
        request = explorer.name(frame[1])
        return f"{who} gets {explorer.name_answer(frame[3])} for {request}"
    if frame[0] == ENTRY:
        return f"{who} gets {explorer.inboxes.describe(frame[1])} and commits"
    gap = explorer.gaps[frame[1]]
    return f"{who} gets a GAP from {_place(gap.first)} to {_place(gap.last)}"


def _place(position: int) -> str:
    return f"{position >> 32}:{position & 0xFFFF_FFFF}"
