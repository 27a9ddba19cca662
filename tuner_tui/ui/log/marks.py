"""What is worth a mark in the margin: facts of the engine's log, its warnings and errors."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tuner_tui.engines.facts import (
    AnyFact,
    EngineError,
    Entered,
    Failed,
    GraphsCaptured,
    KvCacheAllocated,
    Limits,
    Retracted,
    Started,
    Warned,
    WeightsLoaded,
)
from tuner_tui.engines.log import LogReader

MOST = 2_000
"""How many marks are kept: a log that complains without end repeats itself."""

Kind = Literal["fact", "warning", "error"]

_LANGUAGES: dict[str, Literal["sglang", "vllm"]] = {"sglang": "sglang", "vllm": "vllm"}
_RUNNING = (b"Decode batch", b"Prefill batch", b" throughput: ", b" HTTP/1.")
_VARYING = re.compile(r"\d+|0x[0-9a-f]+")


class Mark(NamedTuple):
    """`line` counts from 0. `decides`: the error that explains the failure best."""

    line: int
    kind: Kind
    text: str
    at: str = ""
    decides: bool = False


class MarkReader:
    """Fed with the log from its first line; for one thread at a time."""

    def __init__(self, language: str) -> None:
        self._reader = LogReader(_LANGUAGES.get(language, ""), self._take)
        self._starts = 0
        self._seen: set[object] = set()
        self._marks: dict[int, Mark] = {}

    def feed(self, lines: bytes) -> None:
        """The next whole lines, of any number."""
        if any(words in lines for words in _RUNNING):
            # A server at work prints little else, and nothing that gets a mark: six times faster.
            lines = b"\n".join(
                [line if not any(map(line.__contains__, _RUNNING)) else b"" for line in lines.split(b"\n")]
            )
        self._reader.feed(lines)

    def marks(self) -> tuple[Mark, ...]:
        """In the order of the lines, one a line."""
        marks = dict(self._marks)
        for error in reversed(self._reader.errors()):
            line = error.line_number - 1
            at = marks[line].at if line in marks else ""
            marks[line] = Mark(line, "error", error.reason, at)
        if deciding := self._reader.errors()[:1]:
            line = deciding[0].line_number - 1
            marks[line] = marks[line]._replace(decides=True)
        return tuple(marks[line] for line in sorted(marks))

    def _take(self, fact: AnyFact) -> None:
        if isinstance(fact, Started):
            self._starts += 1
        said = _said(fact)
        if said is None or len(self._marks) >= MOST:
            return
        kind, text, once = said
        # Each rank says the same; of what is repeated the first is enough.
        if (self._starts, kind, once) in self._seen:
            return
        self._seen.add((self._starts, kind, once))
        line = fact.where.line_number - 1
        there = self._marks.get(line)
        if there is None or there.kind == "fact":
            text = f"{there.text}, {text}" if there and kind == "fact" else text
            self._marks[line] = Mark(line, kind, text, fact.where.at)


def _said(fact: AnyFact) -> tuple[Kind, str, object] | None:
    """Kind, words, and what makes two of them the same; None for what gets no mark."""
    match fact:
        case Started():
            return "fact", "server starts", "start"
        case WeightsLoaded():
            return "fact", f"weights loaded{_gib(fact.weights_gib)}{_seconds(fact.elapsed_s)}", "weights"
        case KvCacheAllocated() if fact.pool != "sum":
            tokens = "" if fact.tokens is None else f" {fact.tokens:,} tokens"
            both = None if fact.k_gib is None or fact.v_gib is None else fact.k_gib + fact.v_gib
            return "fact", f"KV cache{tokens}{_gib(fact.total_gib or both)}", ("kv", fact.pool)
        case GraphsCaptured():
            return "fact", f"graphs captured{_gib(fact.graphs_gib)}{_seconds(fact.elapsed_s)}", ("graphs", fact.name)
        case Limits() if fact.max_total_tokens is not None:
            return "fact", f"room for {fact.max_total_tokens:,} tokens", "limits"
        case Entered(phase="ready"):
            return "fact", "ready", "ready"
        case Retracted():
            return "warning", "KV cache full: requests sent back to the queue", "retracted"
        case Warned():
            return "warning", fact.text, _VARYING.sub("0", fact.text)[-160:]
        case Failed():
            return "error", _words(fact.error), _VARYING.sub("0", fact.error.line)[-160:]
        case _:
            return None


def _words(error: EngineError) -> str:
    return error.reason or error.line


def _gib(value: float | None) -> str:
    return "" if value is None else f" {value:,.2f} GiB"


def _seconds(value: float | None) -> str:
    return "" if value is None else f" in {value:,.1f} s"
