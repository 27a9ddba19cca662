"""Request records turned into metrics; docs/metrics.md has the definitions for people.

All times are seconds. For one successful request, with n its output tokens by the server's usage:

- TTFT = first − sent
- TPOT = (last − first) / (n − 1); missing for n = 1, and where all text came in one chunk
- E2E  = end − sent
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from tuner_tui.load.backlog import growth
from tuner_tui.load.model import Distribution, Level, LevelDone, LevelMetrics, LevelResult, RequestRecord
from tuner_tui.load.quantiles import quantile_interval
from tuner_tui.load.records import read_records

__all__ = ["distribution", "level_result", "percentile", "read_records", "too_few_samples"]

_MAX_ERROR = 100
_MAX_ERRORS = 20
_OTHER_ERRORS = "other errors"
# n ≥ 1/(1 − p): under that, a percentile is the largest value, or close to it.
SAMPLES_NEEDED = {"p50": 2, "p90": 10, "p99": 100}
_SHARES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


def level_result(
    level: Level,
    records: Sequence[RequestRecord],
    limits_s: Mapping[str, float] | None = None,
    done: LevelDone | None = None,
) -> LevelResult:
    """What came of one level, from the records of that level alone, in any order.

    Failed requests are counted, and are in no distribution and no token count. `limits_s`: what a single request may
    take, by `ttft`, `tpot`, `e2e`; with any, goodput is computed. `done`: what the generator said of itself.
    """
    good = [record for record in records if record.error is None]
    return LevelResult(
        scenario=level.scenario,
        concurrency=level.concurrency,
        request_rate=level.request_rate,
        arrivals=level.arrivals,
        requests=len(records),
        succeeded=len(good),
        failed=len(records) - len(good),
        wrong_length=sum(record.output_tokens != record.asked_output_tokens > 0 for record in good),
        prompt_tokens=sum(record.prompt_tokens or 0 for record in good),
        cached_tokens=sum(record.cached_tokens or 0 for record in good),
        asked_prompt_tokens=sum(record.asked_prompt_tokens for record in good if record.prompt_tokens is not None),
        output_tokens=sum(record.output_tokens or 0 for record in good),
        metrics=_level_metrics(level, records, good, limits_s or {}),
        errors=_errors(records),
        client_lag_mean_s=done.client_lag_mean_s if done else None,
        client_lag_p99_s=done.client_lag_p99_s if done else None,
        client_busy=done.client_busy if done else None,
        template_tokens=done.template_tokens if done else 0,
        prompts_repeat=done is not None and done.prompts_repeat,
    )


def distribution(values: Sequence[float]) -> Distribution | None:
    """Mean, sample standard deviation (n − 1; 0 for one value), percentiles and extremes; None for no values."""
    n = len(values)
    if not n:
        return None
    ordered = sorted(values)
    mean = min(max(math.fsum(ordered) / n, ordered[0]), ordered[-1])
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / (n - 1)) if n > 1 else 0.0
    return Distribution(
        n=n,
        mean=mean,
        std=std,
        p50=percentile(ordered, 0.50),
        p90=percentile(ordered, 0.90),
        p99=percentile(ordered, 0.99),
        min=ordered[0],
        max=ordered[-1],
        too_few_samples=too_few_samples(n),
        intervals={name: quantile_interval(ordered, share) for name, share in _SHARES.items()},
    )


def too_few_samples(n: int) -> tuple[str, ...]:
    """The percentiles that rest on too few of `n` values."""
    return tuple(name for name, needed in SAMPLES_NEEDED.items() if n < needed)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest ranks: rank share × (n − 1), from 0, of values in order."""
    rank = share * (len(ordered) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (rank - below) * (ordered[above] - ordered[below])


def _level_metrics(
    level: Level, records: Sequence[RequestRecord], good: Sequence[RequestRecord], limits_s: Mapping[str, float]
) -> LevelMetrics:
    duration_s = _duration_s(records, good)
    scheduled = [record for record in records if record.scheduled_s is not None]
    within = sum(keeps(record, limits_s) for record in good) if limits_s else None
    output_tokens = sum(record.output_tokens or 0 for record in good)
    prompt_tokens = sum(record.prompt_tokens or 0 for record in good)
    return LevelMetrics(
        ttft_s=distribution([record.first_s - record.sent_s for record in good if record.first_s is not None]),
        tpot_s=distribution([tpot for record in good if (tpot := _tpot_s(record)) is not None]),
        e2e_s=distribution([record.end_s - record.sent_s for record in good]),
        output_tokens_per_s=_rate(output_tokens, duration_s),
        input_tokens_per_s=_rate(prompt_tokens, duration_s),
        total_tokens_per_s=_rate(output_tokens + prompt_tokens, duration_s),
        requests_per_s=_rate(len(good), duration_s),
        steady_output_tokens_per_s=_steady_output_tokens_per_s(level, records, good),
        duration_s=duration_s,
        good_requests=within,
        good_requests_per_s=None if within is None else _rate(within, duration_s),
        itl_s=distribution([gap_us * 1e-6 for record in good for gap_us in record.gaps_us]),
        delay_s=distribution([record.sent_s - (record.scheduled_s or 0.0) for record in scheduled]),
        achieved_rate=_achieved_rate(scheduled),
        e2e_growth=growth(scheduled),
    )


def keeps(record: RequestRecord, limits_s: Mapping[str, float]) -> bool:
    """Whether a request succeeded and kept every limit (seconds, by `ttft`, `tpot`, `e2e`).

    A single token has no TPOT and keeps a limit on it; else what was not told (no usage, a whole answer at once) keeps
    none."""
    if record.error is not None:
        return False
    ttft_s = math.inf if record.first_s is None else record.first_s - record.sent_s
    tpot_s = 0.0 if record.output_tokens == 1 else _tpot_s(record)
    took_s = {
        "ttft": ttft_s,
        "tpot": math.inf if tpot_s is None else tpot_s,
        "e2e": record.end_s - record.sent_s,
    }
    return all(took_s[metric] <= most_s for metric, most_s in limits_s.items())


def _tpot_s(record: RequestRecord) -> float | None:
    n = record.output_tokens or 0
    if n < 2 or record.first_s is None or record.last_s is None or record.last_s <= record.first_s:
        return None
    return (record.last_s - record.first_s) / (n - 1)


def _duration_s(records: Sequence[RequestRecord], good: Sequence[RequestRecord]) -> float:
    """First send of any request → last token of a successful one; 0 where none succeeded."""
    if not good:
        return 0.0
    last_s = max(record.end_s if record.last_s is None else record.last_s for record in good)
    return max(0.0, last_s - min(record.sent_s for record in records))


def _steady_output_tokens_per_s(
    level: Level, records: Sequence[RequestRecord], good: Sequence[RequestRecord]
) -> float | None:
    """Output tokens per second in the steady window, without ramp-up and drain; None where there is none.

    A request's first token counts at its first chunk, the others evenly until its last.
    """
    window = _steady_window_s(level, records)
    if window is None or not good:
        return None
    opens_s, closes_s = window
    return _rate(math.fsum(_tokens_within(record, opens_s, closes_s) for record in good), closes_s - opens_s)


def _steady_window_s(level: Level, records: Sequence[RequestRecord]) -> tuple[float, float] | None:
    """Concurrency: while as many requests were in flight. Opens when the `concurrency`-th request is sent and closes
    when, for want of new ones, their number falls below that for good: at the `concurrency`-th end from the last.
    (The moment between an end and the next send in between belongs to a closed loop.) None under 2 × concurrency
    requests: then hardly any request lies in the window as a whole.

    Rate: from the first end of a request, when about as many end as begin, to the last send. None where fewer than
    half of the requests were sent in it.
    """
    if not records:
        return None
    if level.concurrency is None:
        opens_s = min(record.end_s for record in records)
        closes_s = max(record.sent_s for record in records)
        enough = 2 * sum(record.sent_s >= opens_s for record in records) >= len(records)
    else:
        enough = len(records) >= 2 * level.concurrency
        opens_s = sorted(record.sent_s for record in records)[min(level.concurrency, len(records)) - 1]
        closes_s = sorted(record.end_s for record in records)[-min(level.concurrency, len(records))]
    return (opens_s, closes_s) if enough and closes_s > opens_s else None


def _achieved_rate(scheduled: Sequence[RequestRecord]) -> float | None:
    """Sends after the first, per second from the first to the last; None under two."""
    if len(scheduled) < 2:
        return None
    sends_s = [record.sent_s for record in scheduled]
    return _rate(len(scheduled) - 1, max(sends_s) - min(sends_s))


def _tokens_within(record: RequestRecord, opens_s: float, closes_s: float) -> float:
    n = record.output_tokens or 0
    if n == 0 or record.first_s is None or record.last_s is None:
        return 0.0
    first = 1.0 if opens_s <= record.first_s <= closes_s else 0.0
    span_s = record.last_s - record.first_s
    if span_s <= 0:
        return first * n
    within_s = max(0.0, min(record.last_s, closes_s) - max(record.first_s, opens_s))
    return first + (n - 1) * min(1.0, within_s / span_s)


def _rate(amount: float, duration_s: float) -> float:
    """Per second; 0 over no time, and never infinite."""
    rate = amount / duration_s if duration_s > 0 else 0.0
    return rate if math.isfinite(rate) else 0.0


def _errors(records: Sequence[RequestRecord]) -> dict[str, int]:
    """Each error's first words → how many had it, the most frequent first; the rare ones of very many as one."""
    counts = Counter(record.error[:_MAX_ERROR] for record in records if record.error is not None)
    errors = dict(counts.most_common(_MAX_ERRORS))
    others = counts.total() - sum(errors.values())
    return errors | {_OTHER_ERRORS: others} if others else errors
