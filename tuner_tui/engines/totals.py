"""What a server at work has said so far: load, throughput, cache hits."""

from __future__ import annotations

from array import array
from statistics import median

import msgspec

from tuner_tui.engines.facts import Running
from tuner_tui.engines.timeline import moment

_STALE_S = 12.0
"""An idle server prints nothing, so an older figure of another copy no longer holds.
vLLM prints every ten seconds."""
_MOST_BATCHES = 1024
"""Different numbers of requests for which throughputs are kept."""
_MOST_FIGURES = 100_000
"""Of each throughput; beyond it every other one is dropped, and then every other new one, and so on."""


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens per second of the whole server; the median is over the lines in which anything was computed."""

    max: float | None = None
    median: float | None = None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Most requests at once, most that waited, fullest KV cache (0 to 1), share of prompt tokens from the prefix
    cache, mean accepted length of speculative decoding, requests sent back for lack of KV cache."""

    requests_max: int | None = None
    queued_max: int | None = None
    token_usage_max: float | None = None
    cache_hit_rate: float | None = None
    accept_length: float | None = None
    retractions: int = 0


class _Series:
    """A throughput: its greatest value, and enough values for a median."""

    def __init__(self) -> None:
        self.max: float | None = None
        self._values = array("d")
        self._stride = self._skipped = 1

    def add(self, value: float) -> None:
        if self.max is None or value > self.max:
            self.max = value
        if value <= 0:
            return  # idle
        self._skipped += 1
        if self._skipped < self._stride:
            return
        self._skipped = 0
        self._values.append(value)
        if len(self._values) > _MOST_FIGURES:
            self._values = self._values[::2]
            self._stride *= 2

    @property
    def throughput(self) -> Throughput:
        middle = median(self._values) if self._values else self.max
        return Throughput(max=self.max, median=None if middle is None else round(middle, 3))


class Totals:
    """Takes the facts of a server at work. Figures of data-parallel copies are added up, the latest of each."""

    def __init__(self) -> None:
        self.decode, self.prefill = _Series(), _Series()
        self.latest: dict[int, Running] = {}
        """Copy → its last batch or interval."""
        self.graphs_used: bool | None = None
        self.requests: dict[int, int] = {}
        """HTTP status → number of answers."""
        self._requests_max: int | None = None
        self._queued_max: int | None = None
        self._usage_max: float | None = None
        self._new = self._cached = 0
        self._hit_rates: dict[int, float] = {}
        self._accepted_sum, self._accepted_count = 0.0, 0
        self.retracted = 0
        self._preempted: dict[int, int] = {}
        self._by_requests: dict[int, _Series] = {}
        self._decode_of: dict[int, tuple[str, float]] = {}
        self._prefill_of: dict[int, tuple[str, float]] = {}

    def take(self, fact: Running) -> None:
        where = fact.where
        copy = where.rank.copy
        latest = self.latest
        running, queued, usage = fact.running, fact.queued, fact.token_usage
        if running is not None:
            latest[copy] = fact
            if len(latest) > 1:
                running = sum(each.running or 0 for each in latest.values())
                queued = sum(each.queued or 0 for each in latest.values())
            if self._requests_max is None or running > self._requests_max:
                self._requests_max = running
        if queued is not None and (self._queued_max is None or queued > self._queued_max):
            self._queued_max = queued
        if usage is not None and (self._usage_max is None or usage > self._usage_max):
            self._usage_max = usage
        decode, prefill = fact.decode_tokens_per_s, fact.prefill_tokens_per_s
        if decode is not None:
            self._decode_of[copy] = where.at, decode
            if len(latest) > 1:
                decode = _summed(self._decode_of, where.at)
            elif running and fact.kind == "decode":
                series = self._by_requests.get(running)
                if series is None and len(self._by_requests) < _MOST_BATCHES:
                    series = self._by_requests[running] = _Series()
                if series is not None:
                    series.add(decode)
            self.decode.add(decode)
        if prefill is not None:
            self._prefill_of[copy] = where.at, prefill
            self.prefill.add(_summed(self._prefill_of, where.at) if len(latest) > 1 else prefill)
        if fact.cached_tokens is not None:
            self._cached += fact.cached_tokens
            self._new += fact.new_tokens or 0
        if fact.cache_hit_rate is not None:
            self._hit_rates[copy] = fact.cache_hit_rate
        if fact.accept_length is not None:
            self.accepted(fact.accept_length)
        if fact.graphs is not None and not self.graphs_used:
            self.graphs_used = fact.graphs
        if fact.preemptions is not None:
            # vLLM counts what happened in the interval.
            self._preempted[copy] = self._preempted.get(copy, 0) + fact.preemptions

    @property
    def worked(self) -> bool:
        """Whether tokens were generated."""
        return (self.decode.max or 0.0) > 0

    @property
    def decode_by_requests(self) -> dict[int, float]:
        """Requests in the batch → median of the decode throughput, where there is one data-parallel copy."""
        medians = {requests: series.throughput.median for requests, series in sorted(self._by_requests.items())}
        return {requests: value for requests, value in medians.items() if value is not None}

    def accepted(self, length: float) -> None:
        """The mean accepted length of one interval."""
        if length > 0:
            self._accepted_sum += length
            self._accepted_count += 1

    def answered(self, status: int) -> None:
        self.requests[status] = self.requests.get(status, 0) + 1

    @property
    def load(self) -> Load:
        hits: float | None = None
        if self._new + self._cached > 0:
            hits = round(self._cached / (self._new + self._cached), 4)
        elif self._hit_rates:
            hits = round(sum(self._hit_rates.values()) / len(self._hit_rates), 4)
        accepted = round(self._accepted_sum / self._accepted_count, 4) if self._accepted_count else None
        return Load(
            requests_max=self._requests_max,
            queued_max=self._queued_max,
            token_usage_max=None if self._usage_max is None else round(self._usage_max, 6),
            cache_hit_rate=hits,
            accept_length=accepted,
            retractions=self.retracted + sum(self._preempted.values()),
        )


def _summed(figures: dict[int, tuple[str, float]], at: str) -> float:
    """The latest figure of every copy, as far as it still holds."""
    now, total = moment(at), 0.0
    for then, figure in figures.values():
        before = moment(then)
        if now is None or before is None or abs((now - before).total_seconds()) < _STALE_S:
            total += figure
    return round(total, 3)
