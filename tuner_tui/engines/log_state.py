"""What the log of one server has said so far: phase, readiness, and memory by rank."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tuner_tui.engines.facts import Memory

Stage = Literal["start", "distributed", "weights", "kv", "compile", "graphs", "http", "warm-up", "ready"]
_WORDS: dict[Stage, str] = {
    "start": "starting",
    "distributed": "connecting the ranks",
    "weights": "loading weights",
    "kv": "allocating KV cache",
    "compile": "compiling",
    "graphs": "capturing graphs",
    "http": "starting HTTP",
    "warm-up": "warming up",
    "ready": "ready",
}


class Rank(NamedTuple):
    """Which process of a server a line comes from. `copy` numbers the data-parallel copy (DP rank)."""

    copy: int
    name: str


@dataclass
class RankMemory:
    """GiB of one rank; `pools` are KV pools by kind. `loads` counts weight loads: the second one and what
    follows it belong to a draft model, whose pool is not the server's KV cache."""

    weights_gib: float | None = None
    pools_gib: dict[str, float] = field(default_factory=dict)
    kv_tokens: int | None = None
    token_limit: int | None = None
    available_gib: float | None = None
    total_gib: float | None = None
    free_at_load_gib: float | None = None
    loads: int = 0

    @property
    def kv_cache_gib(self) -> float | None:
        """All pools together. A sliding-window total is the sum of the pools printed before it."""
        pools = dict(self.pools_gib)
        if len(pools.keys() - {"sliding window", "state"}) > 0:
            pools.pop("sliding window", None)
        return round(sum(pools.values()), 4) if pools else None


@dataclass
class LogState:
    """Filled by the rows of an engine's table."""

    ready: bool = False
    stage: Stage | None = None
    progress: str = ""
    on_cpu: bool = False
    ranks: dict[Rank, RankMemory] = field(default_factory=dict)

    def enter(self, stage: Stage, progress: str = "") -> None:
        """A server that is ready stays ready, whatever it prints about later work."""
        if self.ready:
            return
        self.stage, self.progress = stage, progress
        self.ready = stage == "ready"

    @property
    def phase(self) -> str | None:
        if self.stage is None:
            return None
        return f"{_WORDS[self.stage]} {self.progress}".rstrip()

    def rank(self, rank: Rank) -> RankMemory:
        return self.ranks.setdefault(rank, RankMemory())

    @property
    def memory(self) -> Memory:
        """Worst rank: most used, least available. Tokens: one figure per data-parallel copy, added up."""
        ranks = self.ranks.values()
        total = _least(rank.total_gib for rank in ranks)
        if total is None and not self.on_cpu:
            total = _least(rank.free_at_load_gib for rank in ranks)
        tokens: dict[int, int] = {}
        for name, rank in self.ranks.items():
            count = rank.token_limit if rank.token_limit is not None else rank.kv_tokens
            if count is not None:
                tokens[name.copy] = min(count, tokens.get(name.copy, count))
        return Memory(
            weights_gib=_most(rank.weights_gib for rank in ranks),
            kv_cache_gib=_most(rank.kv_cache_gib for rank in ranks),
            kv_cache_tokens=sum(tokens.values()) if tokens else None,
            available_gib=_least(rank.available_gib for rank in ranks),
            total_gib=total,
        )


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
