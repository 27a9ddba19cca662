"""From what was measured at each level to one score a launch."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from tuner_tui.task.model import Objective


class LevelValue(msgspec.Struct, frozen=True, kw_only=True):
    """The objective's statistic at one level, in the metric's own unit, with its standard error.

    `standard_error` is None where no formula for it is at hand (percentiles).
    """

    value: float
    standard_error: float | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A launch's score: lower is better, whatever the objective. `low` and `high` are the within-launch 95 %
    interval (None where the statistic has no standard error)."""

    value: float
    low: float | None = None
    high: float | None = None


# Two-sided 95 % of the normal distribution: levels hold dozens of requests, so no t quantile is needed.
_Z95 = 1.959964


def score(objective: Objective, levels: Mapping[str, LevelValue | None]) -> Score | None:
    """The mean over levels of the objective's statistic; throughput (a `maximize` objective) negated.

    Levels are independent, so the variance of the mean is the sum of squared standard errors over L². None where
    a level has no value: a launch that did not pass every level has no score, it is not judged on the rest.
    """
    wanted = {objective.level: levels.get(objective.level)} if objective.level is not None else levels
    values = [value for value in wanted.values() if value is not None]
    if not values or len(values) != len(wanted):
        return None
    sign = 1.0 if objective.direction == "minimize" else -1.0
    mean = sign * math.fsum(value.value for value in values) / len(values)
    errors = [value.standard_error for value in values]
    if any(error is None for error in errors):
        return Score(value=mean)
    half = _Z95 * math.sqrt(math.fsum(error * error for error in errors if error is not None)) / len(values)
    return Score(value=mean, low=mean - half, high=mean + half)
