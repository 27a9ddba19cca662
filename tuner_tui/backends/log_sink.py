"""Where a server's output goes: first to its log file, then in batches to the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

PIECE_BYTES = 256 * 1024
"""At most so much is handed over in one turn of the loop: reading it must not hold the loop for long."""
PAUSE_S = 0.01
"""Between two hand-overs, so that 100,000 lines a second wake the loop 100 times and not 100,000."""
WAITING_BYTES = 32 * 1024 * 1024
"""With more than this not yet taken by the loop, the reading thread waits (and so, in the end, does the server)."""


class LogSink:
    """Takes bytes from one reading thread; writes them to `log` unbuffered, then calls `on_log` on the loop.

    The first bytes after a silence are handed over at once.
    """

    def __init__(self, log: Path, on_log: Callable[[bytes], None], loop: asyncio.AbstractEventLoop) -> None:
        self._file = log.open("ab", buffering=0)
        self._on_log = on_log
        self._loop = loop
        self._pending = bytearray()
        self._scheduled = False
        self._closed = False
        self._file_failed = False
        self._room = threading.Condition()

    def write(self, data: bytes) -> None:
        """Called by the reading thread only."""
        if not data or self._closed:
            return
        data += self._to_file(data)
        with self._room:
            self._pending += data
            due = not self._scheduled
            self._scheduled = True
        if due:
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop is closed: nobody listens any more, the file is still written
                self._closed = True
        with self._room:
            self._room.wait_for(lambda: self._closed or len(self._pending) < WAITING_BYTES)

    async def flush(self) -> None:
        """Hands over everything written so far; returns when `on_log` has had it."""
        while self._pending:
            self._hand_over()
            await asyncio.sleep(0)

    def close(self) -> None:
        """No more is taken; the file is closed. Idempotent."""
        with self._room:
            self._closed = True
            self._room.notify_all()
        self._file.close()

    def _to_file(self, data: bytes) -> bytes:
        """Writes; returns a line for the listener if the file cannot be written (a full disk), once."""
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except (OSError, ValueError) as error:
            if not self._file_failed and not self._closed:
                self._file_failed = True
                return f"\n[tuner-tui] the log file cannot be written: {error}\n".encode()
        return b""

    def _deliver(self) -> None:
        started_s = time.monotonic()
        more = self._pending and not self._closed
        if more:
            try:
                self._hand_over()
            finally:
                if self._pending:
                    spent_s = time.monotonic() - started_s
                    self._loop.call_later(spent_s, self._deliver)  # as long for all others as for this one
                else:
                    self._loop.call_later(PAUSE_S, self._deliver)
            return
        with self._room:
            if not self._pending or self._closed:
                self._scheduled = False
                return
        self._loop.call_soon(self._deliver)

    def _hand_over(self) -> None:
        with self._room:
            piece = bytes(self._pending[:PIECE_BYTES])
            del self._pending[:PIECE_BYTES]
            self._room.notify_all()
        if piece:
            self._on_log(piece)
