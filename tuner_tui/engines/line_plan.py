"""Which rows and wordings a line could be about, remembered by its shape.

A log repeats itself: two lines that differ in nothing but digits call for the same rows. What is remembered is only
where to look, never what was read.
"""

from __future__ import annotations

from typing import NamedTuple

from tuner_tui.engines import known_things
from tuner_tui.engines.error_pattern import ErrorPattern
from tuner_tui.engines.error_patterns import PATTERNS
from tuner_tui.engines.log_rows import Row

_DIGITS = b"0123456789"
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
_MOST_BYTES = 4 << 20
"""Of all shapes that are remembered; beyond it they are forgotten and learned anew."""

_NEEDLES = tuple((each, tuple(needle.translate(_WITHOUT_DIGITS) for needle in each.needles)) for each in PATTERNS)
_QUOTES = ("Received request ", "Receive: obj=", "Finish: obj=", "Added request ")
"""Begin lines that quote a user's prompt, which may hold any words at all."""
_DEATHS = ("died", "dead", "sigquit", "terminated with", "startup failed", "crashed", "failed to start", "fatal error")
_CIRCUMSTANCES = (
    # Of an error: exceptions, tracebacks, the engine's own level, the end of the server.
    *("Error", "Exception", "Failure", "Traceback", "During handling", '  File "', "ERROR", "hit an exception"),
    *("hut", "SIGTERM", *_DEATHS),
)
_DRAFTS = ("SpecDecoding metrics", "Speculative metrics", "refix cache hit rate: GPU")


class Plan(NamedTuple):
    """Where to look in lines of one shape.

    `errors`: wordings that may stand in them, in their order. `telling`: of an error or of its circumstances; `death`:
    of something that died. `thing`: a known thing may be named. `extra`: see `vllm_running.extra`. `dull`: none
    of all that, or a prompt that is only quoted. `placed`: there may be a time or a process in it.
    """

    rows: tuple[Row, ...]
    errors: tuple[ErrorPattern, ...]
    telling: bool
    death: bool
    thing: bool
    warned: bool
    extra: bool
    dull: bool
    placed: bool


class Planner:
    """For one log."""

    def __init__(self, rows: tuple[Row, ...], *, things: bool, vllm: bool) -> None:
        self._rows = tuple((row.needle.translate(_WITHOUT_DIGITS), row) for row in rows)
        self._things = things
        self._vllm = vllm
        self._plans: dict[bytes, Plan] = {}
        self._bytes = 0

    def plan(self, piece: bytes) -> Plan:
        """For a line without escape sequences."""
        shape = piece.translate(None, _DIGITS)
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plan(shape.decode("utf-8", errors="replace"))
            self._bytes += len(shape) + 200
            if self._bytes > _MOST_BYTES:
                self._plans.clear()
                self._bytes = 0
            self._plans[shape] = plan
        return plan

    def _plan(self, text: str) -> Plan:
        # What is left of a time without its digits, and the word before a process's number.
        placed = "::" in text or "pid=" in text
        if any(words in text for words in _QUOTES):
            return Plan((), (), False, False, False, False, False, True, placed)
        rows = tuple(row for needle, row in self._rows if needle in text)
        for row in rows:
            if row.settings and row.pattern.search(text):
                return Plan((row,), (), False, False, False, False, False, False, placed)
        errors = tuple(each for each, needles in _NEEDLES if any(needle in text for needle in needles))
        telling = bool(errors) or text.startswith("  ") or any(words in text for words in _CIRCUMSTANCES)
        death = telling and any(words in text for words in _DEATHS)
        thing = self._things and known_things.shape(text)
        warned = "WARNING" in text or "Warning:" in text
        extra = self._vllm and any(words in text for words in _DRAFTS)
        dull = not (rows or telling or thing or warned or extra)
        return Plan(rows, errors, telling, death, thing, warned, extra, dull, placed)
