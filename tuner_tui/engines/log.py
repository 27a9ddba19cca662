"""Reads an engine's log as it grows: facts, memory, phase, readiness, and why it failed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from tuner_tui.engines import known_things, origins, sglang, sglang_running, vllm, vllm_running
from tuner_tui.engines.cause import CauseFinder
from tuner_tui.engines.facts import (
    AnyFact,
    EngineError,
    Memory,
    Request,
    Unread,
    Warned,
    Where,
)
from tuner_tui.engines.line_heads import LETTERS as HEAD_LETTERS
from tuner_tui.engines.line_heads import LONGEST_BYTES as LONGEST_HEAD_BYTES
from tuner_tui.engines.line_heads import Heads
from tuner_tui.engines.line_plan import DIGITS, MOST_READINGS, QUOTES, Plan, Planner, Reading
from tuner_tui.engines.log_lines import LONGEST_BYTES, LineSplitter, line_end, readable, unwrapped
from tuner_tui.engines.log_rows import COMMON
from tuner_tui.engines.log_tail import LogTail
from tuner_tui.engines.origins import NO_RANK, NOWHERE, Origin
from tuner_tui.engines.prefixes import stripped
from tuner_tui.engines.progress_bars import LETTERS as BAR_LETTERS
from tuner_tui.engines.progress_bars import progress
from tuner_tui.engines.server_state import ServerState
from tuner_tui.engines.totals import STATUSES, as_fact

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:?\d\d)? (?=[\s\S])")
"""The time that Docker, or a log collector, put in front."""
_OWN_CLOCK = re.compile(rb"\[20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?(?: [A-Z_]+\d+)*\] ")
_LINE_FEED, _BRACE, _ZERO, _NINE = b"\n{09"


class LogReader:
    """Fed with a log's bytes in chunks of any size; never raises on any of them. Not for several threads.

    What it says depends on the bytes alone, not on how they were cut (a piece without its line end is read
    with the next chunk, or at `close`). `on_fact` is called with every fact, in the order of the log. The language
    "" is that of an unknown engine: only what all of them share is read.
    """

    def __init__(
        self, log_language: Literal["sglang", "vllm", ""], on_fact: Callable[[AnyFact], None] | None = None
    ) -> None:
        self._language = log_language
        self._on_fact = on_fact
        if log_language == "vllm":
            self._planner = Planner(vllm.ROWS, things=True, vllm=True)
        elif log_language == "sglang":
            self._planner = Planner(sglang.ROWS, things=True, vllm=False)
        else:
            self._planner = Planner(COMMON, things=False, vllm=False)
        self._origin_of = origins.vllm if log_language == "vllm" else origins.sglang
        self._batches = vllm_running.BatchReader() if log_language == "vllm" else sglang_running.BatchReader()
        self._heads = Heads(log_language)
        self._splitter = LineSplitter()
        self._number = 1
        self._at = ""
        self._own_clock = False
        self._causes = CauseFinder(log_language)
        self._tail = LogTail()
        self.state = ServerState()
        """All that was said, of the last start."""

    def feed(self, data: bytes) -> None:
        """The next bytes of the log."""
        pieces = self._splitter.feed(data)
        if pieces:
            first = pieces[0]  # it may begin with what came before `data`
            self._tail.add(pieces, whole=b"\r" not in data and b"\r" not in first)
            self._take(pieces, escapes=b"\x1b" in data or b"\x1b" in first)

    def close(self) -> None:
        """The log has ended: its last line is read even without a line end."""
        pieces = self._splitter.close()
        self._tail.add(pieces, whole=False)
        self._take(pieces, escapes=True)

    @property
    def memory(self) -> Memory:
        """As far as the log says it by now."""
        return self.state.memory

    @property
    def phase(self) -> str | None:
        """What the server is doing, in words ("loading weights 3/4", "ready"); None before its first word."""
        return self.state.phase

    @property
    def ready(self) -> bool:
        """Whether the log says that the server takes requests. (The HTTP probe decides.)"""
        return self.state.ready

    @property
    def fatal(self) -> EngineError | None:
        """The cause, once something was said after which no engine recovers; else None."""
        return self._causes.cause() if self._causes.doomed else None

    def cause(self) -> EngineError | None:
        """The error that decided, to be asked once the server has ended and the log is complete; None where the
        log names none. Not its last line: that is seldom the cause."""
        return self._causes.cause()

    def errors(self) -> tuple[EngineError, ...]:
        """Every different error of the last start, the deciding one first."""
        return self._causes.errors()

    def tail(self, n: int) -> list[str]:
        """The last `n` lines that are not blank, progress bars in their last state, without escape sequences."""
        return self._tail.lines(n)

    def _take(self, pieces: list[bytes], *, escapes: bool) -> None:
        """Reads pieces. `escapes`: there may be escape sequences in them."""
        # What a server at work prints by the thousand is read here without detours, all else by `_read`.
        read_batch, batch_word = self._batches.read, self._batches.word
        on_fact = self._on_fact
        for piece in pieces:
            number = self._number
            if piece[-1] == _LINE_FEED:
                self._number = number + 1
            if piece[0] == _BRACE and (inner := unwrapped(piece)) != (piece,):
                self._take_inner(inner, number)
                continue
            if escapes and b"\x1b" in piece:
                piece = readable(piece).encode() + line_end(piece)
                if not piece:
                    continue
            if piece[0] in BAR_LETTERS and (step := progress(piece, number, self._at)) and not self._causes.listening:
                self._tell(step)
                continue
            if (found := piece.find(batch_word)) >= 0:
                figures = read_batch(piece, found, self._at)
                if figures is not None:
                    state = self.state
                    state.totals.take(*figures)
                    rank = figures[1]
                    if rank is not NO_RANK and rank.name not in state.members:
                        state.members.add(rank.name)
                    if on_fact is not None:
                        on_fact(as_fact(figures, number))
                    continue
            elif (found := piece.find(b" HTTP/1.")) >= 0 and (status := STATUSES[piece[found:]]):
                self.state.totals.answered(status)
                if on_fact is not None:
                    on_fact(Request(where=Where(number, self._at, NO_RANK), status=status))
                continue
            self._read(piece, number)

    def _take_inner(self, pieces: tuple[bytes, ...], number: int) -> None:
        """Those that stood in one line of JSON, the `number`th: all of them have that number."""
        after = self._number
        for piece in pieces:
            self._number = number
            self._take([piece], escapes=True)
        self._number = after

    def _read(self, piece: bytes, number: int) -> None:
        begin = 0
        if _ZERO <= piece[0] <= _NINE and (stamp := _STAMP.match(piece)):
            if not self._own_clock:
                self._at = stamp[1].decode()
            begin = stamp.end()
            if _OWN_CLOCK.match(piece, begin):
                piece, begin = piece[begin:], 0
        if len(piece) > LONGEST_BYTES:
            piece = readable(piece).encode() + line_end(piece)
        listening = self._causes.listening
        origin, end = None, begin
        if piece[begin] in HEAD_LETTERS:
            end = piece.find(b"] ", begin, begin + LONGEST_HEAD_BYTES) + 2
            origin = self._heads[piece[begin:end]]
            if origin is not None and piece.startswith(QUOTES, end) and not listening and piece.find(b"[20", end) < 0:
                self._pass(origin)  # without its shape, which is like no other
                return
        shape = piece.translate(None, DIGITS)
        plan = self._planner.plans.get(shape) or self._planner.learn(piece, shape)
        if (plan.glued or (origin is None and plan.placed)) and len(parts := origins.segments(plan.text(piece))) > 1:
            for part in parts:
                self._read(part.encode() + line_end(piece), number)
            return
        if plan.dull and not listening:
            if origin is not None:
                self._pass(origin)
            elif plan.placed:
                self._pass(self._origin_of(plan.text(piece)))
            return
        line = piece[begin if origin is None else end :]
        reading = plan.readings.get(line)
        if reading is None:
            text = plan.text(piece)
            if not text or text.isspace():
                return
            if origin is None:
                origin = self._origin_of(text) if plan.placed else NOWHERE
            if origin.at:
                self._at, self._own_clock = origin.at, True
            where = Where(number, self._at, origin.rank)
            reading = _first_reading(text, plan, origin, where)
            facts = reading.facts
            if len(plan.readings) < MOST_READINGS and not plan.dull:
                self._planner.keep(plan, line, reading)
        else:
            # It differs from an earlier one at most in when and where it was said.
            if origin is None:
                origin = reading.origin
            if origin.at:
                self._at, self._own_clock = origin.at, True
            where = Where(number, self._at, origin.rank)
            facts = [replace(fact, where=where) for fact in reading.facts]
        if facts:
            self._take_facts(facts)
        if origin.member is not None:
            self.state.members.add(origin.member)
        if (plan.telling or plan.thing or plan.warned or self._causes.listening) and not plan.bar:
            self._judge(piece, plan, reading, where)

    def _pass(self, origin: Origin) -> None:
        """A line that says nothing but who spoke, and when."""
        if origin.at:
            self._at, self._own_clock = origin.at, True
        if origin.member is not None:
            self.state.members.add(origin.member)

    def _take_facts(self, facts: list[AnyFact]) -> None:
        state, on_fact = self.state, self._on_fact
        was_ready, starts = state.ready, state.starts
        for fact in facts:
            state.take(fact)
            if on_fact is not None:
                on_fact(fact)
        if state.ready and not was_ready:
            self._causes.became_ready()
        elif state.starts != starts and starts:
            self._causes = CauseFinder(self._language)  # the container started once more

    def _judge(self, piece: bytes, plan: Plan, reading: Reading, where: Where) -> None:
        """Whether a line tells of an error, or else gives a figure in new words, or else is a warning."""
        causes = self._causes
        if plan.telling or causes.listening:
            failed = causes.read(piece, reading.line or stripped(plan.text(piece)), where, self.state, plan)
            if failed is not None:
                if self._on_fact is not None:
                    self._on_fact(failed)
                return
        if reading.unread is None:  # dear, and seldom asked for
            reading.unread = known_things.wording(stripped(plan.text(piece)).message, plan.thing)
        if reading.unread:
            self._tell(Unread(where=where, text=plan.text(piece)[:400]))
        elif plan.warned:
            self._tell(Warned(where=where, text=plan.text(piece)[:400]))

    def _tell(self, fact: AnyFact) -> None:
        self.state.take(fact)
        if self._on_fact is not None:
            self._on_fact(fact)


def _first_reading(text: str, plan: Plan, origin: Origin, where: Where) -> Reading:
    """Of a line that was not read before."""
    facts: list[AnyFact] = []
    known = False
    for row in plan.rows:
        if match := row.pattern.search(text):
            known = True
            facts += row.read(match, where)
    if plan.extra and (more := vllm_running.extra(text, where)):
        facts.append(more)
        known = True
    return Reading(facts, False if known or not plan.thing else None, origin, stripped(text) if plan.telling else None)
