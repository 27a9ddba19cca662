"""Reads an engine's log as it grows: memory, phase, readiness, and why it failed."""

from __future__ import annotations

import re
from collections import deque
from typing import Literal

from tuner_tui.engines import sglang, vllm
from tuner_tui.engines.cause import CauseFinder
from tuner_tui.engines.facts import EngineError, Memory
from tuner_tui.engines.log_lines import Line, LineSplitter
from tuner_tui.engines.log_state import LogState

TAIL_LINES = 500
"""How many of the last lines are kept for `tail`."""

_TOTAL = re.compile(
    r"total capacity of (?P<total>\d{1,9}(?:\.\d+)?) GiB of which (?P<free>\d{1,9}(?:\.\d+)?) (?P<unit>[KMG]iB) is free"
)
_GIB = {"KiB": 2**-20, "MiB": 2**-10, "GiB": 1.0}


class LogReader:
    """Fed with a log's bytes in chunks of any size; never raises on any of them. Not for several threads.

    What it says depends on the bytes alone, not on how they were cut (a piece without its line end is read
    with the next chunk, or at `close`).
    """

    def __init__(self, log_language: Literal["sglang", "vllm"]) -> None:
        self._language = log_language
        table = sglang if log_language == "sglang" else vllm
        self._rows, self._rank_of = table.ROWS, table.rank_of
        self._lines = LineSplitter()
        self._state = LogState()
        self._causes = CauseFinder(log_language)
        self._tail: deque[Line] = deque(maxlen=TAIL_LINES)

    def feed(self, data: bytes) -> None:
        """The next bytes of the log."""
        for line in self._lines.feed(data):
            self._read(line)

    def close(self) -> None:
        """The log has ended: its last line is read even without a line end."""
        for line in self._lines.close():
            self._read(line)

    @property
    def memory(self) -> Memory:
        """As far as the log says it by now."""
        return self._state.memory

    @property
    def phase(self) -> str | None:
        """What the server is doing, in words ("loading weights 3/4", "ready"); None before its first word."""
        return self._state.phase

    @property
    def ready(self) -> bool:
        """Whether the log says that the server takes requests. (The HTTP probe decides.)"""
        return self._state.ready

    @property
    def fatal(self) -> EngineError | None:
        """The cause, once something was said after which no engine recovers; else None."""
        return self._causes.cause() if self._causes.doomed else None

    def cause(self) -> EngineError | None:
        """The error that decided, to be asked once the server has ended and the log is complete; None where the
        log names none. Not its last line: that is seldom the cause."""
        return self._causes.cause()

    def tail(self, n: int) -> list[str]:
        """The last `n` lines that are not blank, progress bars in their last state, without escape sequences."""
        return [line.text for line in list(self._tail)[-n:]] if n > 0 else []

    def _read(self, line: Line) -> None:
        text = line.text
        if not text or text.isspace():
            return
        self._keep(line)
        # Lines that a server under load prints by the thousand; they say nothing that is read here.
        if ", #running-req: " in text or " #new-seq: " in text or ' HTTP/1.1" ' in text:
            return
        state = self._state
        was_ready, was_stage = state.ready, state.stage
        for row in self._rows:
            if row.needle in text and (match := row.pattern.search(text)):
                row.apply(state, self._rank_of(text), match)
        if state.ready and not was_ready:
            self._causes.became_ready()
        elif state.stage == "start" and was_stage not in (None, "start"):
            self._causes = CauseFinder(self._language)  # the container started once more
        self._causes.read(text, line.number, state)
        if "total capacity of" in text and (match := _TOTAL.search(text)):
            memory = state.rank(self._rank_of(text))
            memory.total_gib = float(match["total"])
            memory.available_gib = round(float(match["free"]) * _GIB[match["unit"]], 3)

    def _keep(self, line: Line) -> None:
        last = self._tail[-1] if self._tail else None
        if last is not None and last.partial and last.number == line.number:
            self._tail.pop()
        self._tail.append(line)
