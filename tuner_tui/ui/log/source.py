"""One log file on disk, which may appear late, grow, shrink, be replaced or deleted."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

NO_LOG_YET = "no log yet"


class Source:
    """An open file, read at any offset from any thread. After `close` it reads as empty."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()  # else a thread might read a descriptor that is another file's by then
        stat = os.fstat(file.fileno())
        self.identity = (stat.st_dev, stat.st_ino)

    @classmethod
    def open(cls, path: Path) -> Source:
        """Raises OSError. Not for pipes and devices, which have no offsets."""
        if not path.is_file() and path.exists():
            raise OSError("it is not a file")
        return cls(path.open("rb", buffering=0))

    def read(self, start: int, size_bytes: int) -> bytes:
        """As many as there are; empty on a read error, which the next look at the file will tell."""
        with self._lock:
            if self._file.closed or size_bytes <= 0:
                return b""
            try:
                return os.pread(self._file.fileno(), size_bytes, start)
            except OSError:
                return b""

    def size_bytes(self) -> int:
        with self._lock:
            return 0 if self._file.closed else os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        with self._lock:
            self._file.close()


class Look:
    """What a look at a path found: `source` (None: there is nothing to read), its size, and `trouble`."""

    def __init__(self, path: Path, source: Source | None) -> None:
        """Looks at `path`; `source` is what was open before. Blocks as long as the file system does."""
        self.source = source
        self.trouble = ""
        try:
            stat = path.stat()
            if source is None or source.identity != (stat.st_dev, stat.st_ino):
                self.source = Source.open(path)
        except FileNotFoundError:
            self.trouble = "the file is gone" if source else NO_LOG_YET
        except OSError as error:
            self.trouble = f"cannot be read: {error.strerror or error}"
        try:
            self.size_bytes = self.source.size_bytes() if self.source else 0
        except OSError as error:  # the file system is gone, say
            self.trouble, self.size_bytes = f"cannot be read: {error.strerror}", 0
