"""Space kept back for a full disk, so that acknowledgements and revocations still work.

A file of zeros beside the database. When a commit finds the disk full the file is
deleted, which gives its bytes to the database; it is made anew once there is
space again.
"""

import errno
import os
from pathlib import Path

from wigwag.server.engines._crash import crash_point

# Thousands of acknowledgements, which free more than they take.
RESERVE_BYTES = 16 << 20
_CHUNK = bytes(1 << 20)


class Reserve:
    """The reserve file; with `size` 0 there is none."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size = size

    def fill(self) -> bool:
        """Make the file unless it is there; False when the disk has no room for it.

        Raises:
            OSError: Anything but a full disk.
        """
        if self._size == 0 or (
            self._path.exists() and self._path.stat().st_size == self._size
        ):
            return True
        try:
            with self._path.open("wb") as file:
                for start in range(0, self._size, len(_CHUNK)):
                    file.write(_CHUNK[: self._size - start])
                    crash_point("reserve.half_filled")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the space away."""
        self._path.unlink(missing_ok=True)
