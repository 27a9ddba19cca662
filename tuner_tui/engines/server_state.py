"""What the log of one server has said so far, of its last start: phase, environment, memory, load."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from tuner_tui.engines.facts import (
    AnyFact,
    Assigned,
    Entered,
    GraphsCaptured,
    KvCacheAllocated,
    Limits,
    LoadBegan,
    Memory,
    MemoryTold,
    Phase,
    Request,
    Retracted,
    Running,
    Speculated,
    Started,
    Told,
    Took,
    Unread,
    Value,
    Warned,
    WeightsLoaded,
)
from tuner_tui.engines.ledger import Ledger
from tuner_tui.engines.timeline import Timeline
from tuner_tui.engines.totals import Totals, figures

_WORDS: dict[Phase, str] = {
    "start": "starting",
    "distributed": "connecting the ranks",
    "weights": "loading weights",
    "draft": "loading the draft model",
    "kv": "allocating KV cache",
    "compile": "compiling",
    "graphs": "capturing graphs",
    "http": "starting HTTP",
    "warm-up": "warming up",
    "ready": "ready",
}
_MOST_SAMPLES = 20


class ServerState:
    """Takes facts in the order of the log."""

    def __init__(self) -> None:
        self.starts = 0
        self._begin()

    def _begin(self) -> None:
        self.ready = False
        self.stage: Phase | None = None
        self.progress: tuple[int, int] | None = None
        """Steps of the phase that are done, and how many there are."""
        self.arguments: dict[str, Value] = {}
        self.told: dict[str, str | bool | int] = {}
        self.limit: dict[str, int | float] = {}
        self.concurrency: dict[int, float] = {}
        self.members: set[Hashable] = set()
        """Who printed the lines, by their prefixes."""
        self.assigned: set[tuple[int, int]] = set()
        """Data-parallel copy and number of each process that named them."""
        self.ledger = Ledger()
        self.timeline = Timeline()
        self.totals = Totals()
        self.warnings = 0
        self.unread = 0
        self.unread_samples: list[Unread] = []

    def take(self, fact: AnyFact) -> None:
        """One more fact. A new start forgets the one before."""
        _TAKE[type(fact)](self, fact)

    @property
    def activity(self) -> str | None:
        """What the server is doing, in words; None before its first word."""
        return None if self.stage is None else _WORDS[self.stage]

    @property
    def phase(self) -> str | None:
        """The same with its progress: "loading weights 3/4"."""
        if self.progress is None:
            return self.activity
        done, of = self.progress
        return f"{self.activity} {done}/{of}"

    @property
    def memory(self) -> Memory:
        return self.ledger.memory

    @property
    def was_ready(self) -> bool:
        """Whether the server took requests: it said so, or is seen at work in a log without the lines that say so."""
        if self.ready:
            return True
        if self.stage is None:
            return self.totals.worked or any(200 <= status < 300 for status in self.totals.requests)
        # SGLang sends itself a request between its HTTP server's start and its being ready.
        return self.totals.worked and self.stage not in ("http", "warm-up")

    @property
    def graphs_enabled(self) -> bool | None:
        """Whether graphs are used; None where nothing was said of them."""
        if self.totals.graphs_used:
            return True
        told = self.told.get("graphs")
        if isinstance(told, bool):
            return told
        if self.told.get("device") == "cpu":
            return False
        if self.arguments.get("disable_cuda_graph") is False:
            return True
        return self.totals.graphs_used

    def _started(self, fact: Started) -> None:
        # vLLM names itself and then its arguments: one start, as long as nothing has happened in between.
        if self.stage not in (None, "start") or self.ledger.told:
            self._begin()
        if self.stage is None:
            self.starts += 1
        if fact.arguments is not None:
            self.arguments = fact.arguments
        self._enter("start", fact.where.at)

    def _entered(self, fact: Entered) -> None:
        if fact.bar and self.stage != "graphs":
            return
        if self.ready and fact.phase == "distributed":
            self._begin()  # a new start whose first lines are missing
        phase = fact.phase
        if phase == "weights" and self.stage == "draft":
            phase = "draft"
        begins = phase != self.stage
        if phase == "graphs" and fact.done is not None:
            self.told["graphs"] = True
        if fact.done is not None:
            self._enter(phase, fact.where.at, fact.of, None if fact.of is None else (fact.done, fact.of))
        elif begins:
            self._enter(phase, fact.where.at)

    def _enter(self, phase: Phase, at: str, of: int | None = None, progress: tuple[int, int] | None = None) -> None:
        """A server that is ready stays ready, whatever it prints about later work."""
        if self.ready:
            return
        self.stage, self.progress = phase, progress
        self.timeline.enter(phase, at, of)
        self.ready = phase == "ready"

    def _told(self, fact: Told) -> None:
        if fact.about == "graphs" and fact.value is False and self.told.get("graphs") is True:
            # Some kinds of graphs are off, others were captured.
            return
        if fact.about == "model_type" and "model_type" in self.told:
            return  # a draft model's, which is named after the one that serves
        if fact.about == "attention_backend" and self.stage == "draft":
            return
        self.told[fact.about] = fact.value
        if fact.about == "device":
            self.ledger.on_cpu = fact.value == "cpu"
        elif fact.about == "block_tokens":
            self.ledger.block_tokens = int(fact.value)

    def _took(self, fact: Took) -> None:
        phase: Phase = "draft" if fact.phase == "weights" and self.stage == "draft" else fact.phase
        # A draft model is compiled after the main one.
        part = str(fact.where.line_number) if phase == "compile" else ""
        self.timeline.took(phase, fact.elapsed_s, fact.where.rank, part)

    def _load_began(self, fact: LoadBegan) -> None:
        if not self.ready:
            draft = self.ledger.load_began(fact)
            self._enter("draft" if draft else "weights", fact.where.at)

    def _weights_loaded(self, fact: WeightsLoaded) -> None:
        draft = self.ledger.weights_loaded(fact)
        phase: Phase = "draft" if draft else "weights"
        if not draft:
            for about, value in (("model_type", fact.model_type), ("dtype", fact.dtype)):
                if value is not None:
                    self.told[about] = value
        if fact.elapsed_s is not None:
            self.timeline.took(phase, fact.elapsed_s, fact.where.rank)

    def _graphs_captured(self, fact: GraphsCaptured) -> None:
        self.ledger.graphs_captured(fact)
        if fact.elapsed_s is not None:
            self.timeline.took("graphs", fact.elapsed_s, fact.where.rank, fact.name)

    def _limits(self, fact: Limits) -> None:
        self.ledger.limits(fact)
        for name in (
            "max_total_tokens",
            "chunked_prefill_tokens",
            "max_prefill_tokens",
            "max_running_requests",
            "context_tokens",
        ):
            if (value := getattr(fact, name)) is not None:
                self.limit[name] = value
        if fact.max_concurrency is not None:
            copy, told = fact.where.rank.copy, fact.max_concurrency
            self.concurrency[copy] = min(told, self.concurrency.get(copy, told))

    def _unread(self, fact: Unread) -> None:
        self.unread += 1
        if len(self.unread_samples) < _MOST_SAMPLES:
            self.unread_samples.append(fact)

    def _retracted(self, fact: Retracted) -> None:
        self.totals.retractions.take(fact)

    def _warned(self, fact: Warned) -> None:
        self.warnings += 1


_TAKE: dict[type, Callable[[ServerState, Any], None]] = {
    Started: ServerState._started,
    Told: ServerState._told,
    Entered: ServerState._entered,
    Took: ServerState._took,
    LoadBegan: ServerState._load_began,
    WeightsLoaded: ServerState._weights_loaded,
    KvCacheAllocated: lambda state, fact: state.ledger.kv_cache_allocated(fact),
    MemoryTold: lambda state, fact: state.ledger.memory_told(fact),
    GraphsCaptured: ServerState._graphs_captured,
    Limits: ServerState._limits,
    Running: lambda state, fact: state.totals.take(*figures(fact)),
    Speculated: lambda state, fact: state.totals.accepted(fact.accept_length),
    Retracted: ServerState._retracted,
    Assigned: lambda state, fact: state.assigned.add((fact.copy, fact.number)),
    Request: lambda state, fact: state.totals.answered(fact.status),
    Warned: ServerState._warned,
    Unread: ServerState._unread,
}
