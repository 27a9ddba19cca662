"""What a server at work has said so far: load, throughput, cache hits."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from functools import lru_cache
from statistics import median
from typing import Generic, Literal, TypeVar

import msgspec

from tuner_tui.engines.facts import Rank, Running, Where
from tuner_tui.engines.retractions import Retractions
from tuner_tui.engines.timeline import moment

_STALE_S = 12.0
"""An idle server prints nothing, so an older figure of another copy no longer holds.
vLLM prints every ten seconds."""
_MOST_BATCHES = 1024
"""Different numbers of requests for which throughputs are kept."""
_MOST_FIGURES = 100_000
"""Of each throughput; beyond it every other one is dropped, and then every other new one, and so on."""


Number = TypeVar("Number", bound=float)
Kind = Literal["prefill", "decode", "interval"]
Figures = tuple[
    str,  # at
    Rank,
    Kind,
    int | None,  # running
    int | None,  # queued
    float | None,  # token usage
    float | None,  # prefill, tokens per second
    float | None,  # decode
    int | None,  # new tokens
    int | None,  # cached tokens
    float | None,  # cache hit rate
    float | None,  # accept length
    bool | None,  # graphs
    int | None,  # preemptions
]
"""What one line of a server at work says; see `facts.Running`."""


class _Numbers(dict[bytes | None, Number | None], Generic[Number]):
    """Digits → number, for those that come again and again; None → None. Looking one up takes a third of reading it."""

    def __init__(self, read: Callable[[bytes], Number]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, digits: bytes | None) -> Number | None:
        value = None if digits is None else self._read(digits)
        if len(self) < _MOST_KNOWN:
            self[digits] = value
        return value


class _Statuses(dict[bytes, int]):
    def __missing__(self, end: bytes) -> int:
        found = _STATUS.search(end)
        value = int(found[1]) if found else 0
        if len(self) < _MOST_KNOWN and len(end) < 100:
            self[end] = value
        return value


_STATUS = re.compile(rb' HTTP/1\.[01]" (\d{3})')
_MOST_KNOWN = 10_000
COUNTS, SHARES, PERCENTS = _Numbers(int), _Numbers(float), _Numbers(lambda digits: float(digits) / 100)
STATUSES = _Statuses()
"""A line from " HTTP/1." on → the status of an answer; 0 where there is none."""


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
        if self._stride > 1:
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


class _Copies:
    """The latest throughput of every data-parallel copy, added up."""

    def __init__(self) -> None:
        self.figures: dict[int, tuple[str, float]] = {}
        self._at: str | None = None
        self._total = 0.0
        """Of those that hold at that time."""

    def total(self, copy: int, at: str, figure: float) -> float:
        """With one more figure, and of those that still hold."""
        figures = self.figures
        before = figures.get(copy)
        figures[copy] = at, figure
        if at != self._at or before is None or (before[0] != at and not _near(before[0], at)):
            self._at = at
            self._total = sum(each for then, each in figures.values() if then == at or _near(then, at))
        else:
            self._total += figure - before[1]
        return round(self._total, 3)


class Totals:
    """Takes the facts of a server at work. Figures of data-parallel copies are added up, the latest of each."""

    def __init__(self) -> None:
        self.decode, self.prefill = _Series(), _Series()
        self._latest: dict[int, tuple[int, int | None]] = {}
        """Copy → the requests that ran and waited in its last batch or interval."""
        self._running = self._waiting = 0
        """Those of all copies."""
        self.graphs_used: bool | None = None
        self.requests: dict[int, int] = {}
        """HTTP status → number of answers."""
        self._requests_max: int | None = None
        self._queued_max: int | None = None
        self._usage_max: float | None = None
        self._new = self._cached = 0
        self._hit_rates: dict[int, float] = {}
        self._accepted_sum, self._accepted_count = 0.0, 0
        self.retractions = Retractions()
        self._preempted: dict[int, int] = {}
        self._by_requests: dict[int, _Series] = {}
        self._decode_of, self._prefill_of = _Copies(), _Copies()

    def take(
        self,
        at: str,
        rank: Rank,
        kind: Kind,
        running: int | None,
        queued: int | None,
        usage: float | None,
        prefill: float | None,
        decode: float | None,
        new: int | None,
        cached: int | None,
        hits: float | None,
        accepted: float | None,
        graphs: bool | None,
        preempted: int | None,
    ) -> None:
        """The figures of one line: `Figures`, spread out because they come by the thousand."""
        copy = rank.copy
        latest = self._latest
        if running is not None:
            before = latest.get(copy)
            latest[copy] = running, queued
            if len(latest) > 1:
                if before is None:
                    self._running = sum(ran for ran, _ in latest.values())
                    self._waiting = sum(waited or 0 for _, waited in latest.values())
                else:
                    self._running += running - before[0]
                    self._waiting += (queued or 0) - (before[1] or 0)
                running, queued = self._running, self._waiting
            if self._requests_max is None or running > self._requests_max:
                self._requests_max = running
        if queued is not None and (self._queued_max is None or queued > self._queued_max):
            self._queued_max = queued
        if usage is not None and (self._usage_max is None or usage > self._usage_max):
            self._usage_max = usage
        if decode is not None:
            if len(latest) > 1:
                decode = self._decode_of.total(copy, at, decode)
            else:
                self._decode_of.figures[copy] = at, decode
                if running and kind == "decode":
                    series = self._by_requests.get(running)
                    if series is None and len(self._by_requests) < _MOST_BATCHES:
                        series = self._by_requests[running] = _Series()
                    if series is not None:
                        series.add(decode)
            self.decode.add(decode)
        if prefill is not None:
            if len(latest) > 1:
                prefill = self._prefill_of.total(copy, at, prefill)
            else:
                self._prefill_of.figures[copy] = at, prefill
            self.prefill.add(prefill)
        if cached is not None:
            self._cached += cached
            self._new += new or 0
        if hits is not None:
            self._hit_rates[copy] = hits
        if accepted is not None:
            self.accepted(accepted)
        if graphs is not None and not self.graphs_used:
            self.graphs_used = graphs
        if preempted is not None:
            # vLLM counts what happened in the interval.
            self._preempted[copy] = self._preempted.get(copy, 0) + preempted

    @property
    def worked(self) -> bool:
        """Whether tokens were generated, or prompts read."""
        return any((series.max or 0.0) > 0 for series in (self.decode, self.prefill)) or self._new + self._cached > 0

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
            retractions=self.retractions.requests + sum(self._preempted.values()),
        )


def as_fact(figures: Figures, line_number: int) -> Running:
    at, rank, kind, running, queued, usage, prefill, decode, new, cached, hits, accepted, graphs, preempted = figures
    return Running(
        where=Where(line_number, at, rank),
        kind=kind,
        running=running,
        queued=queued,
        token_usage=usage,
        prefill_tokens_per_s=prefill,
        decode_tokens_per_s=decode,
        new_tokens=new,
        cached_tokens=cached,
        cache_hit_rate=hits,
        accept_length=accepted,
        graphs=graphs,
        preemptions=preempted,
    )


def figures(fact: Running) -> Figures:
    return (
        fact.where.at,
        fact.where.rank,
        fact.kind,
        fact.running,
        fact.queued,
        fact.token_usage,
        fact.prefill_tokens_per_s,
        fact.decode_tokens_per_s,
        fact.new_tokens,
        fact.cached_tokens,
        fact.cache_hit_rate,
        fact.accept_length,
        fact.graphs,
        fact.preemptions,
    )


@lru_cache(maxsize=4096)
def _near(then: str, at: str) -> bool:
    before, now = moment(then), moment(at)
    return now is None or before is None or abs((now - before).total_seconds()) < _STALE_S
