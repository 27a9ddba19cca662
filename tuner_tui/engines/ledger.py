"""GPU memory by rank, as one start of a server has told it so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tuner_tui.engines.facts import (
    GraphsCaptured,
    KvCacheAllocated,
    Limits,
    LoadBegan,
    Memory,
    MemoryTold,
    Rank,
    WeightsLoaded,
)

_HOST_POOLS = ("hicache", "host")
_V0_BLOCK_TOKENS = 16
"""Tokens in a block where the log gives blocks alone: the default of the versions that printed blocks."""
_ROUNDED = 0.01
"""Twice the rounding of the concurrency: a block size from it is true to half a token if this share of the context
is less than the number of blocks."""


@dataclass
class _RankMemory:
    """GiB of one rank. `loads` counts weight loads: the second one is that of a draft model. `pools_done` tells that
    the pools of the main model are complete."""

    weights_gib: float | None = None
    draft_weights_gib: float | None = None
    pools_gib: list[float] = field(default_factory=list)
    pools_sum_gib: float | None = None
    """All pools together, where the log says it in one figure."""
    state_gib: float | None = None
    kv_gib: float | None = None
    """The KV cache as a whole, where the engine tells no pools."""
    draft_gib: float | None = None
    draft_tokens: int | None = None
    kv_tokens: int | None = None
    kv_blocks: int | None = None
    token_limit: int | None = None
    graphs_gib: dict[str, float] = field(default_factory=dict)
    activation_gib: float | None = None
    available_gib: float | None = None
    total_gib: float | None = None
    free_at_load_gib: float | None = None
    free_before_gib: float | None = None
    """Before the last load, be it the draft model's."""
    loads: int = 0
    pools_done: bool = False

    @property
    def of_draft(self) -> bool:
        """Whether a pool that is named now is the draft model's.

        SGLang up to 0.5.11 makes the main model's pools before it loads the draft model; later ones load both and
        then make the pools of one after those of the other.
        """
        return self.loads > 1 and self.pools_done

    @property
    def kv_cache_gib(self) -> float | None:
        if self.kv_gib is not None:
            return self.kv_gib
        parts = [self.pools_sum_gib] if self.pools_sum_gib is not None else list(self.pools_gib)
        if self.state_gib is not None:
            parts.append(self.state_gib)
        return round(sum(parts), 4) if parts else None


class Ledger:
    """Takes facts in the order of the log."""

    def __init__(self) -> None:
        self._ranks: dict[Rank, _RankMemory] = {}
        self.block_tokens = _V0_BLOCK_TOKENS
        self.on_cpu = False

    @property
    def told(self) -> bool:
        """Whether anything about memory was said."""
        return bool(self._ranks)

    def load_began(self, fact: LoadBegan) -> bool:
        """Returns whether this is the load of a draft model."""
        memory = self._rank(fact.where.rank)
        memory.loads += 1
        memory.pools_done = memory.pools_done or memory.kv_cache_gib is not None
        if fact.available_gib is not None:
            memory.available_gib = memory.free_before_gib = fact.available_gib
            if memory.loads == 1:
                memory.free_at_load_gib = fact.available_gib
        return memory.loads > 1

    def weights_loaded(self, fact: WeightsLoaded) -> bool:
        """Returns whether they are those of a draft model."""
        memory = self._rank(fact.where.rank)
        weights, before = fact.weights_gib, memory.free_before_gib
        first_engine = fact.elapsed_s is None and fact.available_gib is None  # vLLM's, which says it once a model
        if first_engine and memory.loads < 2 and memory.weights_gib not in (None, weights):
            memory.loads = 2  # its beginning is not in the log
        if weights is None and before is not None and fact.available_gib is not None:
            # SGLang before 0.4.3 does not say how much the weights took.
            weights = round(before - fact.available_gib, 2)
        if fact.available_gib is not None:
            memory.available_gib = fact.available_gib
        if memory.loads > 1:
            # Multi-token prediction may have a model for each token.
            memory.draft_weights_gib = round((memory.draft_weights_gib or 0.0) + (weights or 0.0), 4)
        else:
            memory.weights_gib = weights
        return memory.loads > 1

    def kv_cache_allocated(self, fact: KvCacheAllocated) -> None:
        memory, label = self._rank(fact.where.rank), fact.pool.lower()
        if any(word in label for word in _HOST_POOLS):
            return
        if "draft" in label or (memory.of_draft and label != "final"):
            before = 0.0 if label == "sum" or memory.draft_gib is None else memory.draft_gib
            memory.draft_gib = round(before + (fact.total_gib or 0.0), 4)
            memory.draft_tokens = fact.tokens
        elif label == "final":
            memory.pools_gib, memory.pools_sum_gib = [fact.total_gib or 0.0], None
            memory.kv_tokens = fact.tokens
        elif label == "sum":
            memory.pools_sum_gib = fact.total_gib
            memory.kv_tokens = fact.tokens if memory.kv_tokens is None else memory.kv_tokens
        elif label == "state":
            memory.state_gib = fact.total_gib
        else:
            memory.pools_gib.append(fact.total_gib or 0.0)
            if fact.tokens is not None:
                memory.kv_tokens = max(fact.tokens, memory.kv_tokens or 0)

    def memory_told(self, fact: MemoryTold) -> None:
        memory = self._rank(fact.where.rank)
        draft = memory.of_draft
        memory.pools_done = memory.pools_done or fact.pools_done
        if fact.weights_gib is not None:
            memory.weights_gib = fact.weights_gib
        if fact.kv_cache_gib is not None:
            memory.kv_gib = fact.kv_cache_gib
        if fact.kv_cache_tokens is not None and not draft:
            # Said once for each worker, the smallest is what all of them can hold.
            memory.kv_tokens = min(fact.kv_cache_tokens, memory.kv_tokens or fact.kv_cache_tokens)
        if fact.kv_blocks is not None:
            memory.kv_blocks = fact.kv_blocks
        if fact.graphs_gib is not None:
            memory.graphs_gib = {"": fact.graphs_gib}
        if fact.activation_gib is not None:
            memory.activation_gib = fact.activation_gib
        if fact.available_gib is not None:
            memory.available_gib = fact.available_gib
        if fact.total_gib is not None:
            memory.total_gib = fact.total_gib

    def graphs_captured(self, fact: GraphsCaptured) -> None:
        memory = self._rank(fact.where.rank)
        if fact.available_gib is not None:
            memory.available_gib = fact.available_gib
        if fact.graphs_gib is not None and "draft" not in fact.name.lower():
            memory.graphs_gib[fact.name] = fact.graphs_gib

    def limits(self, fact: Limits) -> None:
        if fact.max_total_tokens is not None:
            self._rank(fact.where.rank).token_limit = fact.max_total_tokens
        if fact.available_gib is not None:
            self._rank(fact.where.rank).available_gib = fact.available_gib
        told = self._ranks.get(fact.where.rank)
        if told and told.kv_blocks and fact.max_concurrency is not None and fact.context_tokens is not None:
            requests_tokens = fact.max_concurrency * fact.context_tokens
            if requests_tokens > 0 and _ROUNDED * fact.context_tokens < told.kv_blocks:
                # What fits in all blocks, in two decimals: an own block size seldom stands in the log.
                self.block_tokens = round(requests_tokens / told.kv_blocks)

    @property
    def memory(self) -> Memory:
        """Worst rank: most used, least available. Tokens: one figure per data-parallel copy, added up."""
        ranks = self._ranks.values()
        total = _least(rank.total_gib for rank in ranks)
        if total is None and not self.on_cpu:
            total = _least(rank.free_at_load_gib for rank in ranks)
        graphs = [round(sum(rank.graphs_gib.values()), 4) for rank in ranks if rank.graphs_gib]
        return Memory(
            weights_gib=_most(rank.weights_gib for rank in ranks),
            kv_cache_gib=_most(rank.kv_cache_gib for rank in ranks),
            kv_cache_tokens=self._tokens(),
            available_gib=_least(rank.available_gib for rank in ranks),
            total_gib=total,
            graphs_gib=max(graphs, default=None),
            activation_gib=_most(rank.activation_gib for rank in ranks),
        )

    @property
    def draft(self) -> Memory | None:
        """Weights and pool of a draft model, worst rank; None where there is none."""
        ranks = [rank for rank in self._ranks.values() if rank.loads > 1 or rank.draft_gib is not None]
        if not ranks:
            return None
        return Memory(
            weights_gib=_most(rank.draft_weights_gib for rank in ranks),
            kv_cache_gib=_most(rank.draft_gib for rank in ranks),
            kv_cache_tokens=min((rank.draft_tokens for rank in ranks if rank.draft_tokens is not None), default=None),
        )

    def _tokens(self) -> int | None:
        tokens: dict[int, int] = {}
        for name, rank in self._ranks.items():
            told = rank.token_limit if rank.token_limit is not None else rank.kv_tokens
            if told is None and rank.kv_blocks is not None:
                told = rank.kv_blocks * self.block_tokens
            if told is not None:
                tokens[name.copy] = min(told, tokens.get(name.copy, told))
        return sum(tokens.values()) if tokens else None

    def _rank(self, rank: Rank) -> _RankMemory:
        return self._ranks.setdefault(rank, _RankMemory())


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
