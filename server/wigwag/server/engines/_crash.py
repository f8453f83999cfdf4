"""Named places where a test can kill this process, as kill -9 would.

    CRASH_AT=store.after_commit        at the first pass
    CRASH_AT=store.after_commit:25     at the twenty-fifth

Without the variable `crash_point` is an empty function.
"""

import os
import signal

# In the order in which a start, a group, a minute and an end pass them.
CRASH_POINTS = (
    "database.before_recovery",
    "database.after_recovery",
    "store.before_opening",
    "store.after_schema",
    "store.before_epoch",
    "store.after_opening",
    "reserve.half_filled",
    "engine.after_fold",
    "writer.after_registration",
    "writer.after_day_table",
    "writer.before_tick",
    "writer.after_day_drop",
    "store.before_commit",
    "store.after_commit",
    "store.after_mark",
    "engine.before_answers",
    "engine.before_notices",
    "engine.after_answers",
    "store.before_checkpoint",
    "store.while_stamping",
    "store.after_checkpoint",
    "store.before_close",
)


class Countdown:
    """Kills this process when a point is passed for the nth time."""

    def __init__(self, setting: str) -> None:
        self.name, _, passes = setting.partition(":")
        self.passes_left = int(passes or 1)
        if self.name not in CRASH_POINTS:
            raise ValueError(f"CRASH_AT names no crash point: {self.name!r}")

    def __call__(self, name: str) -> None:
        if name == self.name:
            self.passes_left -= 1
            if self.passes_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def go_on(name: str) -> None:
    """Do nothing."""


crash_point = Countdown(os.environ["CRASH_AT"]) if "CRASH_AT" in os.environ else go_on
