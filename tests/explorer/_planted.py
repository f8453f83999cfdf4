"""Planted bugs: where each is put in, and the scenario that must find it."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.explorer import _client_bugs as client
from tests.explorer import _server_bugs as server
from tests.explorer import _tables
from tests.explorer._scenario import Scenario
from tests.explorer._scenarios import scenario_of

from wigwag.client import _inbox, _inbox_batch, _outbox, _restored, _store_outbox
from wigwag.server.core import State, _chat_fold, _connect, _fold
from wigwag.server.core._draft import Draft

# Stands for whatever a seam's own function takes and returns.
Patch = tuple[object, str, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted bug.

    Attributes:
        scenario: What must find it.
        violation: What the violation says, among other things.
        patches: Owner, attribute and what takes its place in the real code.
        changes: Of the scenario: bounds, or the bug itself where the model is what
            does the wrong thing (queue, connections, disk).
    """

    scenario: str
    violation: str
    patches: Sequence[Patch] = ()
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @contextmanager
    def planted(self) -> Generator[None, None, None]:
        """Have the bug, for as long as the block lasts."""
        before = [
            (owner, name, getattr(owner, name)) for owner, name, _ in self.patches
        ]
        for owner, name, function in self.patches:
            setattr(owner, name, function)
        try:
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)


def _send(function: Callable[..., Any]) -> Patch:
    return (_fold, "fold_send", function)


_ANY_GENERATION = _send(server.send_of_any_generation)
_NO_RECHAIN = (_outbox, "refuse", client.refuse_without_rechain)
_NO_DEDUPE = (_inbox, "place", client.place_without_dedupe)
_OLD_EPOCH = (_tables, "epoch_at", server.epoch_of_before)
_NEXT_EPOCH = (_tables, "epoch_at", server.epoch_after_last)
_UNJUDGED = (_chat_fold, "judge", server.judge_without_devices)

HOLES: Final[dict[str, Planted]] = {
    "overtaking_sign_in": Planted(
        "profile",
        "message key",
        (_ANY_GENERATION,),
        {"has_barrier": False},
    ),
    "no_rechain_restore": Planted("restore", "not settled", (_NO_RECHAIN,)),
    "no_rechain_profile": Planted("profile", "not settled", (_NO_RECHAIN,)),
    "old_epoch": Planted("restore", "never gets", (_OLD_EPOCH,)),
    "next_epoch": Planted("restore2", "never gets", (_NEXT_EPOCH,)),
    "no_receiver_dedupe_restore": Planted("restore", "stored twice", (_NO_DEDUPE,)),
    "no_receiver_dedupe_resend": Planted("rereg", "stored twice", (_NO_DEDUPE,)),
    "conflict_across_registrations": Planted(
        "profile2", "CONFLICT", (_send(server.send_in_conflict),)
    ),
    "generation_alone": Planted(
        "profile", "message key", ((_store_outbox, "is_old_copy", client.never_old),)
    ),
}
"""What earlier rules of the design lacked, each taken out of the code again."""

MUTANTS: Final[dict[str, Planted]] = {
    "no_dedupe": Planted(
        "pipeline", "not settled", (_send(server.send_without_dedupe),)
    ),
    "no_dedupe_no_after": Planted(
        "pipeline", "two entries", (_send(server.send_without_dedupe_and_after),)
    ),
    "ignore_after": Planted(
        "pipeline", "not the order", (_send(server.send_without_after),)
    ),
    "chain_skips": Planted("pipeline", "not the order", (_send(server.send_skipping),)),
    "refused_before_look_up": Planted(
        "pipeline", "phantom", (_send(server.send_refused_before_look_up),)
    ),
    "reply_early": Planted("pipeline", "not durable", changes={"early_replies": True}),
    "no_fence": Planted(
        "pipeline", "phantom", (_ANY_GENERATION,), {"has_fence": False}
    ),
    "same_attempt": Planted(
        "stale",
        "CONFLICT",
        ((_outbox, "seal", client.seal_as_before), _ANY_GENERATION),
        {"has_fence": False},
    ),
    "devices_unjudged": Planted("stale", "no envelope", (_UNJUDGED,)),
    "sent_index_unwritten": Planted(
        "ckpt", "not settled", ((Draft, "apply", server.apply_without_sent_index),)
    ),
    "memory_taken_for_all": Planted(
        "receive", "in memory", ((State, "covers", server.covers_everything),)
    ),
    "delete_before_ack": Planted(
        "receive",
        "ALREADY_ACKED",
        ((_fold, "fold_inbox_read", server.read_and_delete),),
    ),
    "deliver_early": Planted("receive", "in no log", changes={"early_delivery": True}),
    "no_cursor_check": Planted(
        "receive",
        "stored twice",
        (
            _NO_DEDUPE,
            (_fold, "fold_connect", server.connect_without_cursor),
            (_inbox_batch, "judge", client.judge_without_cursor),
        ),
    ),
    "ack_early": Planted("receive", "never gets", changes={"early_acks": True}),
    "no_epoch": Planted(
        "restore",
        "never gets",
        (_OLD_EPOCH, (_connect, "must_move", server.must_never_move)),
    ),
    "restore_unnoticed": Planted(
        "restore",
        "lost for good",
        ((_restored, "has_server_lost", client.server_never_lost),),
    ),
    "mark_not_durable": Planted(
        "mixed", "phantom", ((_outbox, "offer", client.offer_without_mark),)
    ),
    "refusal_of_any_copy": Planted(
        "late", "phantom", ((_outbox, "refuse", client.refuse_any_copy),)
    ),
    "last_without_attempt": Planted(
        "profile2",
        "message key",
        ((_store_outbox, "is_old_copy", client.old_whatever_the_attempt),),
    ),
    "last_per_device": Planted(
        "profile",
        "no old copy",
        ((_fold, "fold_re_register", server.re_register_with_old_mark),),
    ),
}
"""Rules taken away."""

PLANTED: Final = {**HOLES, **MUTANTS}

SECOND_LINES: Final[dict[str, Planted]] = {
    "unfenced": Planted(
        "pipeline",
        "",
        changes={
            "has_fence": False,
            "chats": (0, 0),
            "budget": {"drop": 2, "block": 2},
        },
    ),
    "overtaken": Planted("profile", "", changes={"has_barrier": False}),
    "unjudged": Planted(
        "copy",
        "",
        (_UNJUDGED,),
        {"may_miss": True, "chats": (0,), "budget": {"receiver_drop": 1, "drop": 1}},
    ),
    "cursor_ignored": Planted(
        "receive", "", ((_fold, "fold_connect", server.connect_without_cursor),)
    ),
}
"""The first of two lines taken away: the second one must hold by itself."""


def scenario_with(planted: Planted, *, is_deep: bool = False) -> Scenario:
    """Return the scenario of a planted bug, with its changes."""
    scenario = scenario_of(planted.scenario, is_deep=is_deep)
    return replace(scenario, **planted.changes)
