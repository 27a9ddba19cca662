"""From a launch's measured levels to its score, by the task's objective, and to what its limits are held against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tuner_tui.load.model import Distribution, Level, LevelMetrics, LevelResult
from tuner_tui.search.limits import Measured
from tuner_tui.search.objective import LevelValue, Score, score
from tuner_tui.search.words import GOODPUT
from tuner_tui.task.model import Limit, Objective


def launch_score(
    objective: Objective, levels: Sequence[Level], results: Sequence[LevelResult], gpus: int
) -> Score | None:
    """The score, or None where one of the task's levels gave no value. `gpus`: asked for; at least 1 counts."""
    measured = {r.name: r.metrics for r in results}
    values = {}
    for level in levels:
        metrics = measured.get(level.name)
        values[level.name] = None if metrics is None else level_value(objective, metrics, max(1, gpus))
    return score(objective, values)


def level_value(objective: Objective, metrics: LevelMetrics, gpus: int) -> LevelValue | None:
    """The objective's statistic at one level."""
    if objective.metric == "output_tokens_per_s_per_gpu":
        return throughput(metrics, gpus)
    if objective.metric == GOODPUT:
        return goodput(metrics, gpus)
    return statistic(distribution_of(metrics, objective.metric), objective.statistic)


def throughput(metrics: LevelMetrics, gpus: int) -> LevelValue | None:
    """Output tokens per second and GPU.

    In a closed loop, Little's law (throughput = concurrency × tokens / mean E2E) makes its relative standard error that
    of the mean E2E latency.
    """
    if metrics.e2e_s is None:
        return None
    value = metrics.output_tokens_per_s / gpus
    return LevelValue(value=value, standard_error=value * _relative_error(metrics.e2e_s))


def goodput(metrics: LevelMetrics, gpus: int) -> LevelValue | None:
    """Requests per second and GPU that kept every limit; None where there are no limits.

    It is the rate of all requests times the share of good ones. The share's variance is p(1 − p)/n at p = (good + 2) /
    (n + 4) (A. Agresti and B. A. Coull, The American Statistician 52, 1998), so that none or all being good still
    leaves a doubt; the rate's is that of throughput. Both add up.
    """
    if metrics.good_requests is None or metrics.good_requests_per_s is None:
        return None
    value = metrics.good_requests_per_s / gpus
    if metrics.e2e_s is None:
        return LevelValue(value=value)
    n = metrics.e2e_s.n
    share = (metrics.good_requests + 2) / (n + 4)
    of_share = metrics.requests_per_s / gpus * math.sqrt(share * (1 - share) / n)
    return LevelValue(value=value, standard_error=math.hypot(of_share, value * _relative_error(metrics.e2e_s)))


def distribution_of(metrics: LevelMetrics, metric: str) -> Distribution | None:
    """By `ttft`, `tpot` or `e2e`."""
    return {"e2e": metrics.e2e_s, "ttft": metrics.ttft_s, "tpot": metrics.tpot_s}[metric]


def statistic(distribution: Distribution | None, name: str) -> LevelValue | None:
    """A mean with its standard error std/√n, a percentile with its interval by order statistics, an extreme with
    neither."""
    if distribution is None:
        return None
    value: float = getattr(distribution, name)
    if name == "mean":
        return LevelValue(value=value, standard_error=distribution.std / math.sqrt(distribution.n))
    low, high = distribution.intervals.get(name, (None, None))
    return LevelValue(value=value, low=low, high=high)


def held_against(limits: Sequence[Limit], results: Sequence[LevelResult]) -> tuple[Measured, ...]:
    """What the limits are held against in one launch: each of them at each level.

    A level without any value (no request gave a TPOT, say) has nothing that could break a limit.
    """
    found = []
    for result in results:
        for limit in limits:
            value = statistic(distribution_of(result.metrics, limit.metric), limit.statistic)
            if value is None:
                continue
            reach = value.reach
            found.append(
                Measured(
                    limit=limit,
                    level=result.name,
                    value_s=value.value,
                    low_s=None if reach is None else value.value - reach[0],
                    high_s=None if reach is None else value.value + reach[1],
                )
            )
    return tuple(found)


def request_limits_s(limits: Sequence[Limit]) -> Mapping[str, float]:
    """What a single request may take, by metric: the strictest where there are several on one."""
    found: dict[str, float] = {}
    for limit in limits:
        found[limit.metric] = min(limit.most_s, found.get(limit.metric, math.inf))
    return found


def _relative_error(e2e_s: Distribution) -> float:
    return e2e_s.std / e2e_s.mean / math.sqrt(e2e_s.n) if e2e_s.mean else 0.0
