"""Bytes in arbitrary chunks → the lines of a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST_BYTES = 32 << 10
"""What is kept of one line; the longest an engine prints, its own arguments, are 8 KB."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # window titles, links
    r"|[ -/]*[0-~])?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Line(NamedTuple):
    """One piece of a log. `number` counts line feeds from 1, as a pager does. `partial`: it ended with a lone
    carriage return, as every state of a progress bar but the last does; several then share a number."""

    text: str
    number: int
    partial: bool


class LineSplitter:
    """Cuts bytes at line feeds and carriage returns. The lines do not depend on how the bytes were chunked.

    Bytes that are not UTF-8 become replacement characters; escape sequences and control characters go.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._number = 1

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that `data` completes. What follows the last line end is kept for the next call."""
        rest = self._rest
        if b"\n" not in data and b"\r" not in data and not rest.endswith(b"\r"):
            rest += data[: max(LONGEST_BYTES - len(rest), 0)]
            return
        rest += data
        # bytes.splitlines knows \n, \r and \r\n, and nothing else (str.splitlines would cut at more).
        pieces = bytes(rest).splitlines(keepends=True)
        rest.clear()
        # A carriage return at the very end may still get its line feed.
        if not pieces[-1].endswith(b"\n"):
            rest += pieces.pop()[: LONGEST_BYTES + 1]
        for piece in pieces:
            yield self._line(piece)

    def close(self) -> Iterator[Line]:
        """What is left after the last byte, as a line."""
        if self._rest:
            piece = bytes(self._rest)
            self._rest.clear()
            yield self._line(piece)

    def _line(self, piece: bytes) -> Line:
        ended = piece.endswith(b"\n")
        line = Line(readable(piece.rstrip(b"\r\n")[:LONGEST_BYTES]), self._number, piece.endswith(b"\r"))
        self._number += ended
        return line


def readable(raw: bytes) -> str:
    """One line's bytes as text without escape sequences and control characters (tabs stay)."""
    text = raw.decode("utf-8", errors="replace")
    if not text.isprintable():
        text = _CONTROL.sub("", _ESCAPES.sub("", text))
    return text
