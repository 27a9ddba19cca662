"""Which rows and wordings a line could be about, remembered by its shape.

A log repeats itself. Two lines that differ in nothing but digits have one shape and call for the same rows; and many
lines come again as they are, from another process or at another start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from tuner_tui.engines import known_things
from tuner_tui.engines.error_pattern import ErrorPattern
from tuner_tui.engines.error_patterns import PATTERNS
from tuner_tui.engines.facts import AnyFact
from tuner_tui.engines.log_lines import readable
from tuner_tui.engines.log_rows import Row
from tuner_tui.engines.origins import Origin
from tuner_tui.engines.prefixes import Stripped, stripped

DIGITS = b"0123456789"
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
_MOST_BYTES = 4 << 20
"""Of all shapes that are remembered; beyond it they are forgotten and learned anew."""

MOST_READINGS = 64
"""Of one shape. Where always others come it is not tried for ever."""

QUOTES = (b"Received request ", b"Receive: obj=", b"Finish: obj=", b"Added request ")
"""Begin lines that quote a user's prompt, which may hold any words at all."""
DEATHS = (
    # (words, is the server certainly lost at this very line)
    ("Received sigquit from a child process", True),
    ("EngineCore failed to start", False),
    ("WorkerProc failed to start", False),
    ("EngineCore encountered a fatal error", False),
    ("Scheduler hit an exception", False),
    ("DataParallelController hit an exception", False),
    ("Engine core initialization failed", True),
    ("Application startup failed. Exiting", True),
    ("died unexpectedly", False),
    ("scheduler is dead", False),
    ("EngineCore hit an exception", False),
    ("Engine process failed to start", True),
)
STOPS = ("shutdown triggered", "SIGTERM received", "INFO:     Shutting down")
"""After these the server was told to stop, and what its processes complain of then is no error."""
_DEATH_WORDS = (
    *("died", "dead", "sigquit", "terminated with", "startup failed", "crashed", "failed to start", "fatal error"),
    *(words for words, _ in DEATHS),
)
_CIRCUMSTANCES = (
    # Of an error: exceptions, tracebacks, the engine's own level, the end of the server.
    *("Error", "Exception", "Failure", "Traceback", "During handling", '  File "', "ERROR", "hit an exception"),
    *(*STOPS, *_DEATH_WORDS),
)
_WARNINGS = ("WARNING", "Warning:")
_DRAFTS = ("SpecDecoding metrics", "Speculative metrics", "refix cache hit rate: GPU")
_Kind = Literal["row", "error", "telling", "death", "stop", "quote", "warned", "extra"]


class _Words:
    """Every word that makes a line worth a look, and what for: row or error number so and so, or a kind.

    A line with ids in it (requests' names, hashes) has a shape that never comes again, so that this is asked for each
    of them: one pass for three hundred words, where `in` would take three hundred.
    """

    def __init__(self, rows: tuple[Row, ...], *, vllm: bool) -> None:
        self.rows = rows
        meanings: dict[bytes, list[tuple[_Kind, int]]] = {}

        def add(kind: _Kind, words: Iterable[str], at: int = 0) -> None:
            for each in words:
                meanings.setdefault(each.translate(_WITHOUT_DIGITS).encode(), []).append((kind, at))

        for at, row in enumerate(rows):
            add("row", [row.needle], at)
        for at, pattern in enumerate(PATTERNS):
            add("error", pattern.needles, at)
        add("telling", _CIRCUMSTANCES)
        add("death", _DEATH_WORDS)
        add("stop", STOPS)
        add("quote", [words.decode() for words in QUOTES])
        add("warned", _WARNINGS)
        if vllm:
            add("extra", _DRAFTS)
        self._meanings = list(meanings.values())
        self._finder = BytesAhoCorasick(list(meanings))

    def found(self, text: bytes) -> dict[_Kind, set[int]]:
        """`text`: a line without its digits."""
        found: dict[_Kind, set[int]] = {}
        for word, _, _ in self._finder.find_matches_as_indexes(text, overlapping=True):
            for kind, at in self._meanings[word]:
                found.setdefault(kind, set()).add(at)
        return found


@cache
def _words(rows: tuple[Row, ...], vllm: bool) -> _Words:
    return _Words(rows, vllm=vllm)


class Reading(msgspec.Struct):
    """All that a line says. `facts` are placed where it stood when it was read first; `unread`: it speaks of a known
    thing in words that no row has (None: it may, but that was not looked for yet); `line`: its own words, where an
    error may be told in it."""

    facts: list[AnyFact]
    unread: bool | None
    origin: Origin
    line: Stripped | None


@dataclass(slots=True, eq=False, kw_only=True)
class Plan:
    """Where to look in lines of one shape.

    `errors`: wordings that may stand in them, in their order. `telling`: of an error or of its circumstances; `death`:
    of something that died; `stop`: of an order to stop. `thing`: the wordings in which a known thing may be
    named. `extra`: see `vllm_running.extra`. `dull`: none
    of all that, or a prompt that is only quoted. `placed`: there may be a time or a process in them. `clean`: they are
    text without control characters. `glued`: they may hold more than one line. `bar`: a state of a progress bar that
    will be drawn over. `readings`: lines (without what stands before them, where that is usual) and what they say.
    """

    rows: tuple[Row, ...] = ()
    errors: tuple[ErrorPattern, ...] = ()
    telling: bool = False
    death: bool = False
    stop: bool = False
    thing: tuple[int, ...] = ()
    warned: bool = False
    extra: bool = False
    dull: bool = False
    placed: bool
    clean: bool
    glued: bool
    bar: bool
    readings: dict[bytes, Reading] = field(default_factory=dict)

    def text(self, piece: bytes) -> str:
        """See `log_lines.readable`, at a fourth of its price where the lines are clean."""
        if self.clean:
            try:
                return piece.rstrip(b"\r\n").decode()
            except UnicodeDecodeError:
                pass  # broken by digits that the shape does not have
        return readable(piece)


@cache
def _dull(*, placed: bool, clean: bool, glued: bool, bar: bool) -> Plan:
    return Plan(dull=True, placed=placed, clean=clean, glued=glued, bar=bar)


class Planner:
    """For one log."""

    def __init__(self, rows: tuple[Row, ...], *, things: bool, vllm: bool) -> None:
        self._words = _words(rows, vllm)
        self._things = things
        self.plans: dict[bytes, Plan] = {}
        """Shape (a piece without its `DIGITS`) → plan, of all that were seen."""
        self._bytes = 0

    def learn(self, piece: bytes, shape: bytes) -> Plan:
        """For a piece (see `LineSplitter`) without escape sequences whose shape is new."""
        plan = self._plan(piece, shape)
        self._count(len(shape) + 400)
        self.plans[shape] = plan
        return plan

    def keep(self, plan: Plan, line: bytes, reading: Reading) -> None:
        """Remembers a reading, for lines that come again."""
        plan.readings[line] = reading
        self._count(len(line) + 600)

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > _MOST_BYTES:
            self.plans.clear()
            self._bytes = size

    def _plan(self, piece: bytes, shape: bytes) -> Plan:
        found = self._words.found(shape)
        bar = not piece.endswith(b"\n") and b"%" in shape
        if "quote" in found:
            return _dull(placed=True, clean=False, glued=shape.find(b"[-- ::", 1) > 0, bar=bar)
        try:
            text = shape.rstrip(b"\r\n").decode()
            clean = text.isprintable()
        except UnicodeDecodeError:
            clean = False
        if not clean:
            text = readable(piece).translate(_WITHOUT_DIGITS)
            found = self._words.found(text.encode(errors="replace"))
        # "::" is what is left of a time without its digits. What a log collector puts in front is none that counts.
        placed = "pid=" in text or "[::" in text or text.find("- ::", 2) > 0
        glued = text.find("[-- ::", 1) > 0
        # A traceback's line may have nothing else than that it is indented, behind whatever a collector put in front.
        indented = "  " in text and stripped(readable(piece)).message.startswith("  ")
        telling = "telling" in found or "error" in found or indented
        quote = "quote" in found  # where control characters had hidden it
        thing = known_things.shape(text) if self._things and not quote else ()
        if quote or not (found or telling or thing):
            return _dull(placed=placed, clean=clean, glued=glued, bar=bar)
        rows = tuple(self._words.rows[at] for at in sorted(found.get("row", ())))
        for row in rows:
            if row.settings and row.pattern.search(readable(piece)):
                return Plan(rows=(row,), placed=placed, clean=clean, glued=glued, bar=bar)
        return Plan(
            rows=rows,
            errors=tuple(PATTERNS[at] for at in sorted(found.get("error", ()))),
            telling=telling,
            death="death" in found,
            stop="stop" in found,
            thing=thing,
            warned="warned" in found,
            extra="extra" in found,
            placed=placed,
            clean=clean,
            glued=glued,
            bar=bar,
        )
