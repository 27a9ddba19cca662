"""Reads an engine's log as it grows: facts, memory, phase, readiness, and why it failed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Literal

from tuner_tui.engines import origins, sglang, sglang_running, vllm, vllm_running
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
from tuner_tui.engines.line_plan import Plan, Planner
from tuner_tui.engines.log_lines import LONGEST_BYTES, LineSplitter, readable, unwrapped
from tuner_tui.engines.log_rows import COMMON
from tuner_tui.engines.server_state import ServerState

TAIL_LINES = 500
"""How many of the last lines are kept for `tail`."""

_STATUS = re.compile(rb'HTTP/1\.[01]" (\d{3})')


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
            self._planner = Planner(vllm.ROWS, vllm.KNOWN_THINGS, vllm=True)
        elif log_language == "sglang":
            self._planner = Planner(sglang.ROWS, sglang.KNOWN_THINGS, vllm=False)
        else:
            self._planner = Planner(COMMON, (), vllm=False)
        self._origin_of = origins.vllm if log_language == "vllm" else origins.sglang
        self._batches = vllm_running.BatchReader() if log_language == "vllm" else sglang_running.BatchReader()
        self._splitter = LineSplitter()
        self._number = 1
        self._at = ""
        self._own_clock = False
        self._causes = CauseFinder(log_language)
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._open_bar = False
        self.state = ServerState()
        """All that was said, of the last start."""

    def feed(self, data: bytes) -> None:
        """The next bytes of the log."""
        read = self._read
        for piece in self._splitter.feed(data):
            read(piece)

    def close(self) -> None:
        """The log has ended: its last line is read even without a line end."""
        for piece in self._splitter.close():
            self._read(piece)

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
        lines: list[str] = []
        for piece in reversed(self._tail):
            if len(lines) >= n:
                break
            text = readable(piece)
            if text and not text.isspace():
                lines.append(text)
        return lines[::-1]

    def _read(self, piece: bytes) -> None:
        number = self._number
        ended = piece.endswith(b"\n")
        if ended:
            self._number = number + 1
        if piece.startswith(b'{"') and piece.rstrip().endswith(b"}"):
            piece = unwrapped(piece)
        if b"\x1b" in piece:
            piece = readable(piece).encode() + (b"\n" if ended else b"\r" if piece.endswith(b"\r") else b"")
        if self._open_bar or not ended:
            self._keep_bar(piece, ended)
        else:
            self._tail.append(piece)
        if b" batch" in piece or b" throughput: " in piece:
            batch = self._batches.read(piece, number, self._at)
            if batch is not None:
                # Lines that come by the thousand: no detours.
                self.state.totals.take(batch)
                if (rank := batch.where.rank) is not origins.NO_RANK and rank.name not in self.state.members:
                    self.state.members.add(rank.name)
                if self._on_fact is not None:
                    self._on_fact(batch)
                return
        elif b" HTTP/1." in piece:
            status = _STATUS.search(piece)
            if status is not None:
                self._tell(Request(where=Where(number, self._at, origins.NO_RANK), status=int(status[1])))
                return
        plain = piece.rstrip(b"\r\n")
        if len(plain) <= LONGEST_BYTES and plain.isascii():
            text = plain.decode()
            clean = text.isprintable()
        else:
            clean = False
        if not clean:
            text = readable(piece)
            plain = text.encode(errors="replace")
        if not plain or plain.isspace():
            return
        plan = self._planner.plan(plain)
        bar = not ended and b"%" in plain
        if plain.find(b"[20", 1) > 0 and len(segments := origins.segments(text)) > 1:
            for segment in segments:
                self._read_text(segment, number, bar, self._planner.plan(segment.encode()))
        else:
            self._read_text(text, number, bar, plan)

    def _read_text(self, text: str, number: int, bar: bool, plan: Plan) -> None:
        """`bar`: a state of a progress bar that will be drawn over."""
        origin = self._origin_of(text)
        if origin.at:
            self._at, self._own_clock = origin.at, True
        elif not self._own_clock and text[:2] == "20":
            self._at = origins.docker_time(text) or self._at
        state = self.state
        member = origin.member
        if plan.dull and not self._causes.listening:
            if member is not None:
                state.members.add(member)
            return
        where = Where(number, self._at, origin.rank)
        known = False
        if plan.rows:
            was_ready, starts = state.ready, state.starts
            for row in plan.rows:
                if match := row.pattern.search(text):
                    known = True
                    for fact in row.read(match, where):
                        self._tell(fact)
            if state.ready and not was_ready:
                self._causes.became_ready()
            elif state.starts != starts and starts:
                self._causes = CauseFinder(self._language)  # the container started once more
        if plan.extra:
            more = vllm_running.extra(text, where)
            if more is not None:
                self._tell(more)
        if member is not None:
            state.members.add(member)
        if bar:
            return
        failed = None
        if plan.telling or self._causes.listening:
            failed = self._causes.read(text, where, state, plan)
        if failed is not None:
            if self._on_fact is not None:
                self._on_fact(failed)
        elif plan.thing and not known:
            self._tell(Unread(where=where, text=text[:400]))
        elif plan.warned:
            self._tell(Warned(where=where, text=text[:400]))

    def _tell(self, fact: AnyFact) -> None:
        self.state.take(fact)
        if self._on_fact is not None:
            self._on_fact(fact)

    def _keep_bar(self, piece: bytes, ended: bool) -> None:
        """For `tail`: a progress bar in its last state only."""
        if self._open_bar:
            if ended and piece.isspace():
                self._open_bar = False
                return
            self._tail.pop()
        self._tail.append(piece)
        self._open_bar = not ended
