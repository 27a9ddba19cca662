"""The engine's live figures: from its metrics where it has them, what they leave out from its log."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tuner_tui.runner.engine_metrics import Reading
from tuner_tui.runner.log_figures import LogFigures
from tuner_tui.runs.samples import EngineSample

_STALE_S = 5.0
"""After so long without an answer the metrics no longer count."""


def engine_sample(readings: Sequence[Reading], log: LogFigures) -> EngineSample | None:
    """The figures of now; None where neither source says anything."""
    if readings and time.monotonic() - readings[-1].at_s < _STALE_S:
        return _from_metrics(readings, log)
    hits = log.cache_hit_rate
    seen = log.counts.new_tokens + log.counts.cached_tokens
    sample = EngineSample(
        source="log",
        kv_usage=log.kv_usage,
        running=log.running,
        queued=log.queued,
        prefill_tokens_per_s=log.prefill_tokens_per_s,
        decode_tokens_per_s=log.decode_tokens_per_s,
        cached_tokens=log.counts.cached_tokens if seen else None,
        cache_hit_rate=round(log.counts.cached_tokens / seen, 4) if seen else hits,
        accept_length=log.accept_length,
        preemptions=log.counts.preemptions if log.counts.preemptions else None,
    )
    return None if sample == EngineSample(source="log") else sample


def _from_metrics(readings: Sequence[Reading], log: LogFigures) -> EngineSample:
    now = readings[-1].metrics
    decode = _rate(readings, "decoded_tokens")
    if decode is None:
        # SGLang sets its gauge every 40 steps, and to 0 whenever it prefills.
        decode = now.decode_tokens_per_s or (log.decode_tokens_per_s if now.running else now.decode_tokens_per_s)
    prefill = _rate(readings, "prefilled_tokens")
    if prefill is None:
        # Nothing runs, nothing is prefilled: to be said only of an engine that tells of its prefills at all.
        prefill = log.prefill_tokens_per_s if now.running or not log.tells_prefill else 0.0
    looked_up = now.looked_up_tokens
    return EngineSample(
        source="metrics",
        kv_usage=now.kv_usage if now.kv_usage is not None else log.kv_usage,
        running=now.running if now.running is not None else log.running,
        queued=now.queued if now.queued is not None else log.queued,
        prefill_tokens_per_s=prefill,
        decode_tokens_per_s=decode if decode is not None else log.decode_tokens_per_s,
        cached_tokens=None if now.cached_tokens is None else int(now.cached_tokens),
        cache_hit_rate=round(now.cached_tokens / looked_up, 4) if now.cached_tokens is not None and looked_up else None,
        accept_length=now.accept_length or log.accept_length,
        preemptions=log.counts.preemptions if now.preemptions is None else int(now.preemptions),
    )


def _rate(readings: Sequence[Reading], counter: str) -> float | None:
    """Per second between the last two readings; None where the counter is missing or began anew."""
    if len(readings) < 2:
        return None
    before, after = readings[-2:]
    then, now = getattr(before.metrics, counter), getattr(after.metrics, counter)
    if then is None or now is None or now < then or after.at_s <= before.at_s:
        return None
    return round(float(now - then) / (after.at_s - before.at_s), 1)
