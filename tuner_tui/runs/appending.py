"""A line at the end of a file that others read meanwhile: whole, or not there."""

from __future__ import annotations

import errno
import os


def append_line(file: int, line: bytes) -> None:
    """One `write` of `line` and its end to `file`, which is open for appending. Raises OSError, also where a disk that
    is nearly full took a part of it: that is taken back, or the next line would be written on behind it."""
    data = line + b"\n"
    end = os.fstat(file).st_size
    if os.write(file, data) < len(data):
        os.ftruncate(file, end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
