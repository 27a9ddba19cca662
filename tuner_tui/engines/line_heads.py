"""What stands before most lines of a log, read once for all lines that begin alike.

The clock moves once a second, but a server prints many lines in one; and lines of different moments and processes often
say the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tuner_tui.engines.facts import AnyFact
from tuner_tui.engines.line_plan import Plan
from tuner_tui.engines.origins import Origin
from tuner_tui.engines.prefixes import Stripped

LONGEST_HEAD_BYTES = 160

_USUAL = {
    "sglang": re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: (?:DP|PP|ATTN_CP|MOE_DP|TP|EP)\d{1,6})*\] "),
    "vllm": re.compile(
        rb"(?:\([A-Za-z][\w-]*(?: rank=\d{1,6})? pid=\d{1,9}(?:, ip=[\d.]+)?\) )*"
        rb"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d \[?[\w./-]+:\d+\] "
    ),
}
_DIGITS = b"0123456789"
_MOST_HEADS, _MOST_KINDS = 4096, 1024
_MOST_BYTES = 1 << 20
"""Of all lines that are remembered; beyond it everything is forgotten and learned anew."""


class Reading(NamedTuple):
    """All that a line says, and how it was found. `facts` are placed where the line stood when it was read first;
    `known`: a row read it; `bar`: a state of a progress bar that will be drawn over; `line`: its own words, where
    an error may be told in it."""

    plan: Plan
    facts: tuple[AnyFact, ...]
    known: bool
    bar: bool
    origin: Origin
    line: Stripped | None


class Head(NamedTuple):
    """What stands before a line's own words. `origin` is None where it is unusual: then it has to be looked for in
    the whole line, and `readings` are those of whole lines. Else `readings` are shared by all heads that differ in
    digits alone."""

    origin: Origin | None
    readings: dict[bytes, Reading]


class Heads:
    """Those of one log, or of that part of it that begins with a collector's time."""

    def __init__(self, language: str, origin_of: Callable[[str], Origin]) -> None:
        self._usual = _USUAL["vllm" if language == "vllm" else "sglang"]
        self._origin_of = origin_of
        self._bytes = 0
        self.known: dict[bytes, Head] = {}
        """What a line begins with → what that means."""
        self.unusual = Head(None, {})
        self._readings: dict[bytes, dict[bytes, Reading]] = {}

    def learn(self, begin: bytes) -> Head:
        """`begin`: a line up to its first "] ", that included; or anything else, which is no usual head."""
        if len(self.known) >= _MOST_HEADS or len(self._readings) >= _MOST_KINDS:
            self.known.clear()
            self._readings.clear()
        head = self.unusual
        if self._usual.fullmatch(begin):
            readings = self._readings.setdefault(begin.translate(None, _DIGITS), {})
            head = Head(self._origin_of(begin.decode()), readings)
        self.known[begin] = head
        return head

    def keep(self, head: Head, line: bytes, reading: Reading) -> None:
        """`line` without its head."""
        self._bytes += len(line) + 500
        if self._bytes > _MOST_BYTES:
            self._bytes = len(line)
            for readings in (self.unusual.readings, *self._readings.values()):
                readings.clear()
        head.readings[line] = reading
