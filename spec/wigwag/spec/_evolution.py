"""Sizes of messages at every revision, against the limits of their states."""

from __future__ import annotations

from wigwag.spec._ir import Specification
from wigwag.spec._layout import layouts_of
from wigwag.spec._mistakes import Mistakes
from wigwag.spec._model import Model


def check_sizes(model: Model, specification: Specification, mistakes: Mistakes) -> None:
    """Record messages whose smallest frame is above the limit of their state."""
    limits = {
        state.name: specification.limit(state.frame_limit).value
        for state in specification.states
    }
    overhead = specification.protocol.header_bytes - 4
    for message in model.messages:
        for layout in layouts_of(message.item, specification):
            smallest = layout.layout.smallest + overhead
            for state in message.item.states:
                if smallest > limits[state]:
                    mistakes.add(
                        message.table.at("states"),
                        f"{message.item.name} takes {smallest} bytes, {state} "
                        f"allows {limits[state]}",
                        "shorten it or take the state away",
                    )
