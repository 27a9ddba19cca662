"""The log in SGLang 0.5.2's language: its prefix, its two streams, its progress bars."""

from __future__ import annotations

import sys
import time
from typing import TextIO

SIMULATED = "SIMULATED ENGINE: no model runs here; timing follows a performance model"


class Log:
    """Lines with a time and, where several ranks exist, the rank: `[2025-11-06 12:09:31 TP0] text`.

    The engine and its HTTP server write to standard error, access lines go to standard output. A reader that has
    gone must not stop the engine.
    """

    def __init__(self, rank: str = "") -> None:
        self._rank = f" {rank}" if rank else ""
        self._second = 0
        self._stamp = ""

    def line(self, text: str) -> None:
        """One line of the engine."""
        _write(sys.stderr, f"[{self._time()}{self._rank}] {text}\n")

    def plain(self, text: str) -> None:
        """A line without a prefix."""
        _write(sys.stderr, f"{text}\n")

    def raw(self, text: str) -> None:
        """A piece of a progress bar: as it is."""
        _write(sys.stderr, text)

    def http(self, text: str) -> None:
        """One line of the HTTP server."""
        self.line(f"INFO:     {text}")

    def access(self, peer: str, request: str, status: int, reason: str) -> None:
        """One answered request, `request` being `GET /health HTTP/1.1`."""
        _write(sys.stdout, f'[{self._time()}] INFO:     {peer} - "{request}" {status} {reason}\n')

    def _time(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second, self._stamp = now, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        return self._stamp


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        pass
