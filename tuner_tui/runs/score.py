"""From a launch's measured levels to its score, by the task's objective."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuner_tui.load.model import Distribution, Level, LevelMetrics, LevelResult
from tuner_tui.search.objective import LevelValue, Score, score
from tuner_tui.task.model import Objective


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
    """The objective's statistic at one level.

    The standard error of a mean is std/√n. For throughput in a closed loop, Little's law (throughput =
    concurrency × tokens / mean E2E) makes its relative standard error that of the mean E2E latency.
    """
    if objective.metric == "output_tokens_per_s_per_gpu":
        if metrics.e2e_s is None:
            return None
        value = metrics.output_tokens_per_s / gpus
        relative = metrics.e2e_s.std / metrics.e2e_s.mean / math.sqrt(metrics.e2e_s.n) if metrics.e2e_s.mean else 0.0
        return LevelValue(value=value, standard_error=value * relative)
    distribution: Distribution | None = {"e2e": metrics.e2e_s, "ttft": metrics.ttft_s, "tpot": metrics.tpot_s}[
        objective.metric
    ]
    if distribution is None:
        return None
    value = getattr(distribution, objective.statistic)
    if objective.statistic == "mean":
        return LevelValue(value=value, standard_error=distribution.std / math.sqrt(distribution.n))
    return LevelValue(value=value)
