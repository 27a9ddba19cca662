"""The line of a log that has a number, or was printed at a time."""

from __future__ import annotations

import re
from datetime import datetime

from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.lines import plain
from tuner_tui.ui.log.times import asked_time, time_of

_UNTIMED_LINES = 400
"""How many lines without a time may lie between two that have one (a traceback, a progress bar)."""
_AT_ONCE = 40
"""How many lines are read at once."""
_NUMBER = re.compile(r"(?:line\s*|[:#])?(?P<n>\d{1,12})", re.IGNORECASE)


def seek_line(document: LogDocument | None, asked: str) -> int:
    """The line (from 0) that is asked for: by its number from 1, or the first one that is not older than what
    `times.asked_time` makes of `asked`.

    Some twenty short reads, by bisection: times are taken to grow. Raises ValueError with a sentence.
    """
    if number := _NUMBER.fullmatch(asked.strip()):
        lines, line = len(document.index) if document else 0, int(number["n"])
        if not 1 <= line <= lines:
            raise ValueError(f"There is no line {line:,}: the log has {lines:,}")
        return line - 1
    lines = len(document.index) if document else 0
    first = _timed(document, range(lines)) if document else None
    last = _timed(document, range(lines - 1, -1, -1)) if document else None
    if document is None or first is None or last is None:
        raise ValueError("No times in this log")
    at = asked_time(asked, first[1], last[1])
    low, high = first[0], last[0] + 1
    while low < high:
        middle = (low + high) // 2
        timed = _timed(document, range(middle, high))
        if timed is None or timed[1] >= at:
            high = middle
        else:
            low = timed[0] + 1
    found = _timed(document, range(low, lines))
    return found[0] if found else lines - 1


def _timed(document: LogDocument, lines: range) -> tuple[int, datetime] | None:
    """The first of the lines that has a time, if it is not far."""
    lines = lines[:_UNTIMED_LINES]
    for begin in range(0, len(lines), _AT_ONCE):
        some = lines[begin : begin + _AT_ONCE]
        first = min(some[0], some[-1])
        texts = document.raws(first, first + len(some))
        for line in some:
            at = time_of(plain(texts[line - first]))
            if at is not None:
                return line, at
    return None
