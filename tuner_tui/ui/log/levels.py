"""How bad a line is, in the engine's own words."""

from __future__ import annotations

import re
from typing import Literal

Level = Literal["error", "warning", "debug", ""]

_FIRST_CHARACTERS = 160
"""Level words stand near a line's beginning; further on they are part of what is said."""

_LEVELS = re.compile(
    r"(?P<error>\b(?:ERROR|CRITICAL|FATAL)\b|(?:^|\[)[EF]\d{4} \d\d:|Traceback \(most recent call last\)"
    r"|^[\w.]*(?:Error|Exception)(?::|$))"
    r"|(?P<warning>\bWARN(?:ING)?\b|(?:^|\[)W\d{4} \d\d:|\b\w*Warning: )"
    r"|(?P<debug>\bDEBUG\b)"
)


_HINTS = ("ERR", "Err", "WARN", "Warn", "CRIT", "FATAL", "DEBUG", "Exception", "Traceback")
_GLOG = re.compile(r"\[?[EFW]\d{4} |\[rank")


def level_of(line: str) -> Level:
    start = line[:_FIRST_CHARACTERS]
    if not any(hint in start for hint in _HINTS) and not _GLOG.match(start):
        return ""  # nearly all lines, and much cheaper
    match = _LEVELS.search(line, 0, _FIRST_CHARACTERS)
    if match is None:
        return ""
    return "error" if match["error"] is not None else "warning" if match["warning"] is not None else "debug"


def inside_block(line: str) -> bool:
    """Whether a line can only be understood with those above it: a frame of a traceback, code of a warning."""
    return line[:2] == "  "
