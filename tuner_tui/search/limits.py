"""Whether a configuration keeps the limits (service-level objectives), breaks them, or cannot be told.

A limit holds for every level. A statistic of which there is only one launch has the interval from within that launch
(a mean by its standard error, a percentile by order statistics); with several, the interval of their geometric mean
from the scatter between launches, by Student's t. The limit is *kept* where the whole interval lies within it,
*broken* where none of it does, and *borderline* else. So nothing falls off a cliff where 501 ms were measured
instead of 499.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from tuner_tui.search.spending import ERROR
from tuner_tui.search.student import critical_value
from tuner_tui.search.welch import sample
from tuner_tui.search.words import seconds
from tuner_tui.task.model import Limit, Objective

Standing = Literal["keeps", "borderline", "breaks"]
_ORDER: tuple[Standing, ...] = ("keeps", "borderline", "breaks")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a limit is held against in one launch at one level, in seconds; `low` and `high`: within that launch."""

    limit: Limit
    level: str
    value_s: float
    low_s: float | None = None
    high_s: float | None = None


class LimitCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One limit at one level over all launches of a configuration. Without an interval the value alone decides."""

    limit: str
    level: str
    most_s: float
    value_s: float
    low_s: float | None = None
    high_s: float | None = None
    standing: Standing

    @property
    def excess(self) -> float:
        """How far the value is from the limit: 0.1 is 10 % over it, −0.1 under."""
        return self.value_s / self.most_s - 1

    def __str__(self) -> str:
        """`ttft.p99 612 ms [580, 644] of 500 ms at D(100,100) × 4`."""
        interval = ""
        if self.low_s is not None and self.high_s is not None:
            interval = f" [{seconds(self.low_s)}, {seconds(self.high_s)}]"
        return f"{self.limit} {seconds(self.value_s)}{interval} of {seconds(self.most_s)} at {self.level}"


def check_limits(launches: Sequence[Sequence[Measured]]) -> tuple[LimitCheck, ...]:
    """Every limit at every level, over a configuration's launches; the most broken, or nearest to it, first."""
    together: dict[tuple[str, str], list[Measured]] = {}
    for launch in launches:
        for each in launch:
            together.setdefault((each.limit.name, each.level), []).append(each)
    checks = [_check(each) for each in together.values()]
    return tuple(sorted(checks, key=lambda check: (-_ORDER.index(check.standing), -check.excess)))


def worst(checks: Sequence[LimitCheck]) -> Standing:
    """The standing of a configuration: that of its worst limit; without limits it keeps them."""
    return max((check.standing for check in checks), key=_ORDER.index, default="keeps")


def beyond(checks: Sequence[LimitCheck]) -> float:
    """By how much a configuration breaks its worst limit: 0.2 is 20 % over. 0 where it breaks none."""
    return max((check.excess for check in checks if check.standing == "breaks"), default=0.0)


def percentiles_used(
    objective: Objective, limits: Sequence[Limit], level: str, *, held: bool = False
) -> frozenset[tuple[str, str]]:
    """(metric, statistic) of all percentiles at `level` on which the verdict rests: the objective's and the limits'.
    `held`: the limits were held against the level by itself, as it was looked for.

    With too few samples one of these disqualifies a launch; of others it is a note.
    """
    used: set[tuple[str, str]] = set()
    if objective.gates or held:
        used |= {(limit.metric, limit.statistic) for limit in limits}
    if objective.level in (None, level):
        used.add((objective.metric, objective.statistic))
    return frozenset(each for each in used if each[1].startswith("p"))


def _check(together: Sequence[Measured]) -> LimitCheck:
    first = together[0]
    value_s, low_s, high_s = first.value_s, first.low_s, first.high_s
    if len(together) > 1:
        value_s, low_s, high_s = _over_launches([each.value_s for each in together])
    least = value_s if low_s is None else low_s
    most = value_s if high_s is None else high_s
    standing: Standing = (
        "keeps" if most <= first.limit.most_s else "breaks" if least > first.limit.most_s else "borderline"
    )
    return LimitCheck(
        limit=first.limit.name,
        level=first.level,
        most_s=first.limit.most_s,
        value_s=value_s,
        low_s=low_s,
        high_s=high_s,
        standing=standing,
    )


def _over_launches(values_s: Sequence[float]) -> tuple[float, float | None, float | None]:
    """The geometric mean with its interval; the plain mean without one where a value is zero."""
    if min(values_s) <= 0:
        return math.fsum(values_s) / len(values_s), None, None
    logs = sample([math.log(value_s) for value_s in values_s])
    half = critical_value(ERROR, logs.df) * math.sqrt(logs.variance / logs.n)
    half = min(half, 50.0)
    return math.exp(logs.mean), math.exp(logs.mean - half), math.exp(logs.mean + half)
