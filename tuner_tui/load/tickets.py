"""The numbers of a level's requests, dealt out to all worker processes one by one."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

_COUNT = struct.Struct("@q")
_OVER = 2**62


class Tickets:
    """A counter in a file, locked for each draw; the kernel releases the lock of a process that dies.

    So a worker whose requests end sooner sends more of them, and all end together.
    """

    def __init__(self, path: Path | str, limit: int | None) -> None:
        """`limit`: how many there are; None: no end. Raises OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._limit = _OVER if limit is None else limit

    @staticmethod
    def issue(path: Path) -> None:
        """Begins anew at 0. Raises OSError."""
        path.write_bytes(_COUNT.pack(0))

    def draw(self) -> int | None:
        """The next number, from 0; None when they are used up or withdrawn."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            number = self._next()
            if number >= self._limit:
                return None
            os.pwrite(self._file, _COUNT.pack(number + 1), 0)
            return number
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def withdraw(self) -> None:
        """There are no more for anybody: the level is given up."""
        os.pwrite(self._file, _COUNT.pack(_OVER), 0)

    @property
    def withdrawn(self) -> bool:
        return self._next() >= _OVER

    def close(self) -> None:
        os.close(self._file)

    def _next(self) -> int:
        number: int = _COUNT.unpack(os.pread(self._file, _COUNT.size, 0))[0]
        return number
