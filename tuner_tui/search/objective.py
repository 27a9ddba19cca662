"""From what was measured at each level to one score a launch."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from tuner_tui.task.model import Objective

Z95 = 1.959964
"""Two-sided 95 % of the normal distribution: levels hold dozens of requests, so no t quantile is needed."""


class LevelValue(msgspec.Struct, frozen=True, kw_only=True):
    """The objective's statistic at one level, in the metric's own unit.

    How well it is known within the launch: by its `standard_error`, or by the 95 % interval `low` to `high` (of a
    percentile, lopsided); neither where there is no formula (extremes).
    """

    value: float
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def reach(self) -> tuple[float, float] | None:
        """How far the 95 % interval goes down and up from the value."""
        if self.standard_error is not None:
            return Z95 * self.standard_error, Z95 * self.standard_error
        if self.low is None or self.high is None:
            return None
        return self.value - self.low, self.high - self.value


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A launch's score: lower is better, whatever the objective. `low` and `high` are the within-launch 95 %
    interval (None where the statistic has no standard error)."""

    value: float
    low: float | None = None
    high: float | None = None


def score(objective: Objective, levels: Mapping[str, LevelValue | None]) -> Score | None:
    """The mean over levels of the objective's statistic; throughput (a `maximize` objective) negated.

    Levels are independent, so what their intervals reach adds up in squares, down and up apart. None where a level has
    no value: a launch that did not pass every level has no score, it is not judged on the rest.
    """
    wanted = {objective.level: levels.get(objective.level)} if objective.level is not None else levels
    values = [value for value in wanted.values() if value is not None]
    if not values or len(values) != len(wanted):
        return None
    sign = 1.0 if objective.direction == "minimize" else -1.0
    mean = math.fsum(value.value for value in values) / len(values)
    figure = sign * mean + 0.0  # the sum makes a goodput of zero 0, not −0
    reaches = [value.reach for value in values]
    if any(reach is None for reach in reaches):
        return Score(value=figure)
    down, up = (math.hypot(*(reach[side] for reach in reaches if reach is not None)) / len(values) for side in (0, 1))
    low, high = sorted((sign * (mean - down), sign * (mean + up)))
    return Score(value=figure, low=low, high=high)
