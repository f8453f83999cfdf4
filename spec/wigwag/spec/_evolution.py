"""What a whole specification must keep: sizes within limits, a build for each draft."""

from __future__ import annotations

from wigwag.spec._ir import Specification, digest
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


def check_draft(model: Model, specification: Specification, mistakes: Mistakes) -> None:
    """Record that the draft changed and its build did not.

    Two builds of one number would agree on a revision and mean different bytes.
    """
    if model.tables.draft is None:
        return
    draft, table = model.tables.draft
    present = digest(specification)
    if draft.digest not in ("", present):
        mistakes.add(
            table.at("digest"),
            f"the specification is not that of build {draft.build} any more",
            f'write build = {draft.build + 1} and digest = "{present}"',
        )
