"""The times that engines print, and the times that are asked for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal

from tuner_tui.engines.timeline import moment

_FIRST_CHARACTERS = 120

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_TIMES = re.compile(
    rf"(?:(?<=\[)|(?<=\s)|^)(?:(?:\d{{4}}-)?\d\d-\d\d[T ]{_CLOCK}|\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?)(?=[\s\],]|$)"
)
_CLOCK_OF = re.compile(r"\d\d:\d\d:\d\d")

Times = Literal["clock", "none", "whole"]
"""How much of a line's times is shown: hours to seconds of the engine's own, nothing, or all as it was printed. A line
has little room, and the day is the same all along."""


def time_spans(line: str) -> list[tuple[int, int]]:
    """Where times stand near a line's beginning, at most two of them (the container's and the engine's)."""
    spans = [match.span() for match in _TIMES.finditer(line, 0, _FIRST_CHARACTERS)]
    return spans[:2]


def shortened(line: str, spans: list[tuple[int, int]], times: Times) -> list[tuple[int, int]]:
    """The parts of a line that stay when its times are hidden, or cut: the hidden ones grow over the space behind them
    and over brackets that held nothing else."""
    if times == "whole":
        return [(0, len(line))]
    kept, at = [], 0
    for start, end in spans:
        clock = _CLOCK_OF.search(line, start, end) if times == "clock" and (start, end) == spans[-1] else None
        if clock is not None:
            kept += [(at, start), clock.span()]
            at = end
            continue
        if line[start - 1 : start] == "[" and line[end : end + 1] == "]":
            start, end = start - 1, end + 1
        end += line[end : end + 1] == " "
        if start > at:
            kept.append((at, start))
        at = max(at, end)
    kept.append((at, len(line)))
    return kept


def time_of(line: str) -> datetime | None:
    """The last time near a line's beginning, which is the engine's own; to be compared only within one log."""
    spans = time_spans(line)
    if not spans:
        return None
    start, end = spans[-1]
    at = moment(re.sub(r"(?:Z|[+-]\d\d:?\d\d)$", "", line[start:end].replace(",", ".")))
    return at.replace(tzinfo=None) if at else None


_OFFSET = re.compile(r"(?P<sign>[+−-])\s*(?P<n>\d+(?:\.\d+)?)\s*(?P<unit>s|m|min|h)?", re.IGNORECASE)
_ASKED = re.compile(
    r"(?:(?:(?P<year>\d{4})-)?(?P<month>\d\d?)-(?P<day>\d\d?)[T ]+)?(?P<h>\d\d?):(?P<m>\d\d)(?::(?P<s>\d\d))?"
)
EXAMPLES = "14:03, 11-23 14:03:20, -5m (before end), +30s (after start), line 523"
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def asked_time(text: str, first: datetime, last: datetime) -> datetime:
    """`14:03`, `14:03:20`, `11-23 14:03`; `-5m`: five minutes before `last`; `+30s`: behind `first`.

    Without a date the first such time that is not before `first` is meant. Raises ValueError with a sentence.
    """
    text = text.strip()
    if offset := _OFFSET.fullmatch(text):
        seconds = float(offset["n"]) * _SECONDS[(offset["unit"] or "m").lower()]
        span = timedelta(seconds=min(seconds, 1e8))
        return first + span if offset["sign"] == "+" else last - span
    asked = _ASKED.fullmatch(text)
    if asked is None:
        raise ValueError(f"{text!r} is not a time: try {EXAMPLES}")
    try:
        at = first.replace(hour=int(asked["h"]), minute=int(asked["m"]), second=int(asked["s"] or 0), microsecond=0)
        if asked["month"]:
            return at.replace(
                year=int(asked["year"]) if asked["year"] and first.year != 1904 else first.year,
                month=int(asked["month"]),
                day=int(asked["day"]),
            )
    except ValueError:
        raise ValueError(f"{text!r} is not a time of any day") from None
    return at if at + timedelta(seconds=60) > first else at + timedelta(days=1)
