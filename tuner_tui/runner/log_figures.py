"""What the engine's log says of its work: the latest figures, and counts since it began."""

from __future__ import annotations

import time
from typing import NamedTuple

from tuner_tui.engines.facts import AnyFact, Retracted, Running, Speculated
from tuner_tui.engines.retractions import Retractions

STALE_S = 12.0
"""An idle server prints nothing; vLLM prints every ten seconds."""


class LogCounts(NamedTuple):
    """Counts since the server began. `batches` are decode batches that say whether a graph ran them."""

    new_tokens: int = 0
    cached_tokens: int = 0
    preemptions: int = 0
    batches: int = 0
    ungraphed: int = 0

    def since(self, before: LogCounts) -> LogCounts:
        return LogCounts(*(now - then for now, then in zip(self, before, strict=True)))


class LogFigures:
    """Fed with every fact, in the order of the log. Data-parallel copies are added up."""

    def __init__(self) -> None:
        self.counts = LogCounts()
        self.accept_length: float | None = None
        self.cache_hit_rate: float | None = None
        self._retractions = Retractions()
        self._latest: dict[int, Running] = {}
        self._prefill: dict[int, tuple[float, float]] = {}
        self._decode: dict[int, tuple[float, float]] = {}
        self._at_s = -STALE_S

    def take(self, fact: AnyFact) -> None:
        """One more fact."""
        if isinstance(fact, Running):
            self._work(fact)
        elif isinstance(fact, Speculated):
            self.accept_length = fact.accept_length
        elif isinstance(fact, Retracted):
            before = self._retractions.requests
            self._retractions.take(fact)
            more = self._retractions.requests - before
            self.counts = self.counts._replace(preemptions=self.counts.preemptions + more)

    @property
    def fresh(self) -> bool:
        """Whether the latest figures still hold."""
        return time.monotonic() - self._at_s < STALE_S

    @property
    def running(self) -> int | None:
        return self._sum("running")

    @property
    def queued(self) -> int | None:
        return self._sum("queued")

    @property
    def kv_usage(self) -> float | None:
        """The fullest copy, 0 to 1."""
        told = [each.token_usage for each in self._latest.values() if each.token_usage is not None]
        return max(told) if self.fresh and told else None

    @property
    def prefill_tokens_per_s(self) -> float | None:
        return self._rate(self._prefill)

    @property
    def tells_prefill(self) -> bool:
        """Whether a line has said how fast the engine prefills: SGLang before 0.5.9 does not."""
        return bool(self._prefill)

    @property
    def decode_tokens_per_s(self) -> float | None:
        return self._rate(self._decode)

    def _work(self, fact: Running) -> None:
        copy, now_s = fact.where.rank.copy, time.monotonic()
        self._at_s = now_s
        if fact.running is not None:
            self._latest[copy] = fact
        if fact.prefill_tokens_per_s is not None:
            self._prefill[copy] = now_s, fact.prefill_tokens_per_s
        if fact.decode_tokens_per_s is not None:
            self._decode[copy] = now_s, fact.decode_tokens_per_s
        if fact.accept_length:
            self.accept_length = fact.accept_length
        if fact.cache_hit_rate is not None:
            self.cache_hit_rate = fact.cache_hit_rate
        counts = self.counts
        judged = fact.kind == "decode" and fact.graphs is not None
        self.counts = LogCounts(
            counts.new_tokens + (fact.new_tokens or 0),
            counts.cached_tokens + (fact.cached_tokens or 0),
            counts.preemptions + (fact.preemptions or 0),
            counts.batches + judged,
            counts.ungraphed + (judged and not fact.graphs),
        )

    def _sum(self, field: str) -> int | None:
        told = [value for each in self._latest.values() if (value := getattr(each, field)) is not None]
        return sum(told) if self.fresh and told else None

    @staticmethod
    def _rate(figures: dict[int, tuple[float, float]]) -> float | None:
        now_s = time.monotonic()
        told = [rate for at_s, rate in figures.values() if now_s - at_s < STALE_S]
        return round(sum(told), 1) if told else None
