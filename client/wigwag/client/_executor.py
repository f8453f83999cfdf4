"""The store's thread (adapter)."""

import threading
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

Result = TypeVar("Result")


class ThreadExecutor:
    """Runs the store's blocking work in a worker thread, one piece at a time."""

    def __init__(self) -> None:
        # asyncio's own cancellation gets past every shield and leaves the thread
        # running: the next piece must still wait for it.
        self._lock = threading.Lock()
        # A limiter must be made inside the event loop.
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(
        self,
        work: Callable[[], Result],
        commit: Callable[[], None],
        rollback: Callable[[], None],
    ) -> Result:
        """Run `work`, then `commit`; `rollback` if either raises."""

        def whole() -> Result:
            with self._lock:
                try:
                    result = work()
                    commit()
                except BaseException:
                    rollback()
                    raise
                return result

        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(1)
        # Not abandoned on cancellation: a cancelled caller must not take a half-run
        # transaction for one that never began.
        return await anyio.to_thread.run_sync(whole, limiter=self._limiter)
