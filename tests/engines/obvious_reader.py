"""Reads a log the slow and obvious way: every line by itself, nothing remembered, every table tried."""

from __future__ import annotations

import re
from typing import Literal

from tuner_tui.engines import known_things, origins, sglang, vllm, vllm_running
from tuner_tui.engines.cause import CauseFinder
from tuner_tui.engines.facts import AnyFact, Request, Running, Unread, Warned, Where
from tuner_tui.engines.line_plan import DIGITS, Planner
from tuner_tui.engines.log_lines import LineSplitter, readable, unwrapped
from tuner_tui.engines.prefixes import stripped
from tuner_tui.engines.server_state import ServerState
from tuner_tui.engines.totals import as_fact

_STATUS = re.compile(r' HTTP/1\.[01]" (\d{3})')
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:?\d\d)? ")
_BATCH = re.compile(r"(Prefill|Decode) batch(?: \[\d+\])?[.,] (?=#)")


class ObviousReader:
    """`facts` are all that a log says, in order; `state` and `causes` what came of them."""

    def __init__(self, language: Literal["sglang", "vllm"], log: bytes) -> None:
        self._language = language
        self._planner = Planner(vllm.ROWS if language == "vllm" else sglang.ROWS, things=True, vllm=language == "vllm")
        self._at, self._own_clock, self._number = "", False, 1
        self.facts: list[AnyFact] = []
        self.state = ServerState()
        self.causes = CauseFinder(language)
        splitter = LineSplitter()
        for piece in (*splitter.feed(log), *splitter.close()):
            for line in unwrapped(piece):
                self._read(line)
            self._number += piece.endswith(b"\n")

    def _tell(self, fact: AnyFact) -> None:
        self.state.take(fact)
        self.facts.append(fact)

    def _read(self, piece: bytes) -> None:
        text = readable(piece)
        running = _sglang_batch(text, self._number, self._at) if self._language == "sglang" else None
        if self._language == "vllm" and " throughput: " in text:
            figures = vllm_running.BatchReader().read(text.encode(), 0, self._at)
            running = None if figures is None else as_fact(figures, self._number)
        if running is not None:
            self._tell(running)
            if running.where.rank != origins.NO_RANK:
                self.state.members.add(running.where.rank.name)
            return
        word = " throughput: " if self._language == "vllm" else " batch"
        if word not in text and (status := _STATUS.search(text)):
            self._tell(Request(where=Where(self._number, self._at, origins.NO_RANK), status=int(status[1])))
            return
        if not text or text.isspace():
            return
        for segment in origins.segments(text):
            self._read_text(segment, not piece.endswith(b"\n") and "%" in segment)

    def _read_text(self, text: str, bar: bool) -> None:
        origin = (origins.vllm if self._language == "vllm" else origins.sglang)(text)
        if origin.at:
            self._at, self._own_clock = origin.at, True
        elif not self._own_clock and (stamp := _STAMP.match(text)):
            self._at = stamp[1]
        self._planner.plans.clear()
        line = text.encode()
        plan = self._planner.learn(line, line.translate(None, DIGITS))
        where = Where(self._number, self._at, origin.rank)
        was_ready, starts, known = self.state.ready, self.state.starts, False
        for row in plan.rows:
            if match := row.pattern.search(text):
                known = True
                for fact in row.read(match, where):
                    self._tell(fact)
        if self.state.ready and not was_ready:
            self.causes.became_ready()
        elif self.state.starts != starts and starts:
            self.causes = CauseFinder(self._language)
        if plan.extra and (more := vllm_running.extra(text, where)):
            self._tell(more)
            known = True
        if origin.member is not None:  # after the facts: the first of a start forgets those before
            self.state.members.add(origin.member)
        if bar:
            return
        failed = None
        if plan.telling or self.causes.listening:
            failed = self.causes.read(line, stripped(text), where, self.state, plan)
        if failed is not None:
            self.facts.append(failed)
        elif plan.thing and not known and known_things.wording(stripped(text).message, plan.thing):
            self._tell(Unread(where=where, text=text[:400]))
        elif plan.warned:
            self._tell(Warned(where=where, text=text[:400]))


def _sglang_batch(text: str, number: int, at: str) -> Running | None:
    """A batch line by its `key: value` pairs."""
    begin = _BATCH.search(text)
    if begin is None:
        return None
    values: dict[str, str] = {}
    for part in text[begin.end() :].rstrip(", ").split(", "):
        key, colon, value = part.partition(": ")
        key = {"full token usage": "token usage", "gpu token usage": "token usage"}.get(key, key)
        key = "graph" if key in ("cuda graph", "cpu graph", "npu graph", "xpu graph") else key
        form = r"True|False" if key == "graph" else r"\d{1,15}" if key[0:1] == "#" else r"-?\d{1,15}(\.\d{1,15})?"
        if colon and key not in values and re.fullmatch(form, value):
            values[key] = value
    origin = origins.sglang(text[: begin.start()])

    def count(key: str) -> int | None:
        return int(values[key]) if key in values else None

    def figure(key: str) -> float | None:
        return float(values[key]) if key in values else None

    return Running(
        where=Where(number, origin.at or at, origin.rank),
        kind="prefill" if {"input throughput (token/s)", "#new-token"} & values.keys() else "decode",
        running=count("#running-req"),
        queued=count("#queue-req"),
        token_usage=figure("token usage"),
        prefill_tokens_per_s=figure("input throughput (token/s)"),
        decode_tokens_per_s=figure("gen throughput (token/s)"),
        new_tokens=count("#new-token"),
        cached_tokens=count("#cached-token"),
        accept_length=figure("accept len"),
        graphs=values["graph"] == "True" if "graph" in values else None,
    )
