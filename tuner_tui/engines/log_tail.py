"""The last lines of a log, as a person would want to see them."""

from __future__ import annotations

from collections import deque

from tuner_tui.engines.log_lines import readable, unwrapped

_LINES = 500


class LogTail:
    """Takes a log's pieces as they come (see `LineSplitter`); keeps the last 500 lines, progress bars in their last
    state only."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque(maxlen=_LINES)
        self._open_bar = False

    def add(self, pieces: list[bytes], *, whole: bool) -> None:
        """`whole`: every one of the pieces ends with a line feed."""
        if whole and not self._open_bar:
            self._pieces.extend(pieces[-_LINES:])
            return
        kept, open_bar = self._pieces, self._open_bar
        for piece in pieces:
            ended = piece.endswith(b"\n")
            if open_bar:
                if ended and not readable(piece).strip():
                    open_bar = False
                    continue
                kept.pop()
            kept.append(piece)
            open_bar = not ended
        self._open_bar = open_bar

    def lines(self, n: int) -> list[str]:
        """The last `n` lines that are not blank, without escape sequences."""
        found: list[str] = []
        for piece in reversed(self._pieces):
            *inner, last = unwrapped(piece)
            for line in (last, *(each for each in reversed(inner) if each.endswith(b"\n"))):
                if len(found) >= n:
                    return found[::-1]
                text = readable(line)
                if text and not text.isspace():
                    found.append(text)
        return found[::-1]
