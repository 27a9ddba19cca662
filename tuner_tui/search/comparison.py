"""Every pair of configurations compared on a scale where a difference is a ratio."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from tuner_tui.search.drift import BlockShifts
from tuner_tui.search.limits import LimitCheck
from tuner_tui.search.objective import Score
from tuner_tui.search.spending import ERROR
from tuner_tui.search.student import critical_value
from tuner_tui.search.welch import Contrast, Sample, contrast, raised, sample
from tuner_tui.search.words import percent
from tuner_tui.task.model import Objective


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration that was measured and is valid.

    `score` is the one of its last launch. `scores` holds one a launch, where there is more to tell; `blocks` the block
    in which each of them was made (empty: the 1st, 2nd, … in that order). Values are finite.
    """

    experiment: int
    score: Score
    scores: tuple[Score, ...] = ()
    blocks: tuple[int, ...] = ()
    limits: tuple[LimitCheck, ...] = ()
    """The task's limits, over its launches; empty where there are none."""

    @property
    def launches(self) -> tuple[Score, ...]:
        """Its scores, one a launch, at least one."""
        return self.scores or (self.score,)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """How far `experiment` is from `reference`: 0.05 is 5 % more of the metric itself (seconds, tokens/s).

    `low` and `high` bound it with 95 % (less of an error after extensions); None where neither has two launches.
    """

    experiment: int
    reference: int
    relative: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """`−4.2 % [−6.1, −2.3]`; without the interval where there is none."""
        if self.low is None or self.high is None:
            return f"{percent(self.relative)} %"
        return f"{percent(self.relative)} % [{percent(self.low)}, {percent(self.high)}]"


SINGLE_SCATTER = 0.05
"""The least scatter assumed of a configuration launched once, beside others launched again: common between launches.
Without it a noisy one whose only launch went badly would seem clearly worse than quiet ones."""

# A figure of zero (no goodput at all) has no logarithm: it counts as this share of the smallest that is not, little
# enough for the difference of nothing from something to read −100.0 %.
_FLOOR = 1e-4
_HIGHEST_EXPONENT = 50.0
_MANY = 20


class Comparisons:
    """All candidates' launches as logarithms, lower being better, compared pair by pair.

    Logarithms, because launch-to-launch scatter is a matter of per cent, a difference of logarithms is a ratio, and
    time per token and tokens per second get the same verdict. A configuration's mean is thus the geometric one.
    """

    def __init__(self, objective: Objective, candidates: Sequence[Candidate]) -> None:
        self._sign = 1.0 if objective.direction == "minimize" else -1.0
        figures = [self._sign * each.value for one in candidates for each in one.launches]
        self._floor = min((figure for figure in figures if figure > 0), default=1.0) * _FLOOR
        self._values = {one.experiment: [self._log(score) for score in one.launches] for one in candidates}
        blocks = {one.experiment: one.blocks or tuple(range(len(one.launches))) for one in candidates}
        self._samples = {experiment: sample(values) for experiment, values in self._values.items()}
        self._shifts = BlockShifts(self._values, blocks)
        self._contrasts: dict[tuple[int, int], Contrast | None] = {}
        repeated = [each for each in self._samples.values() if each.n > 1]
        self._noisiest = max(repeated, key=lambda each: (each.variance, -each.n), default=None)

    def _log(self, score: Score) -> float:
        return self._sign * math.log(max(self._sign * score.value, self._floor))

    def mean(self, experiment: int) -> float:
        """The mean of its logarithms; lower is better."""
        return self._samples[experiment].mean

    def launches(self, experiment: int) -> int:
        return self._samples[experiment].n

    def deviation(self, experiment: int) -> float:
        """The standard deviation between its launches, relative (0.03 is 3 %)."""
        return math.sqrt(self._samples[experiment].variance)

    def margin(self, min_difference: float) -> float:
        """A relative difference in the metric as a distance here: 1 % faster is log(1/0.99), 1 % more log(1.01)."""
        return -math.log1p(-min_difference) if self._sign > 0 else math.log1p(min_difference)

    def better(self, one: int, other: int, margin: float, alpha: float) -> bool:
        """Whether `one` is better than `other` by more than `margin`, two-sided at `alpha`."""
        found = self._contrast(one, other)
        return found is not None and found.exceeds(margin, alpha)

    def unbeaten(self, ranked: Sequence[int], margin: float, alpha: float) -> list[int]:
        """Those of `ranked` (best first) than which none before them is `better`.

        Of 1,000 there are half a million pairs. One experiment can only be better than another if their means differ
        by more than the smallest critical value times √(a² + b²) ≥ (a + b)/√2, with a and b their standard errors: so
        who would have to be asked is found in a sorted list, the most telling first.
        """
        reach = self._reaches(ranked, alpha)
        sizes = {n for n, _ in reach}
        # Those asked so far, by their number of launches and that of the one they are to be better than.
        tellers: dict[tuple[int, int], list[tuple[float, int]]] = {pair: [] for pair in reach}
        found: list[int] = []
        for experiment in ranked:
            mean, error, n = self.mean(experiment), self._least_error(experiment), self.launches(experiment)
            beaten = False
            for other in sizes:
                here = tellers[other, n]
                able = bisect.bisect_left(here, (mean - reach[other, n] * error - margin, 0))
                if any(self.better(teller, experiment, margin, alpha) for _, teller in here[:able]):
                    beaten = True
                    break
            if not beaten:
                found.append(experiment)
            for other in sizes:
                bisect.insort(tellers[n, other], (mean + reach[n, other] * error, experiment))
        return found

    def _reaches(self, experiments: Sequence[int], alpha: float) -> dict[tuple[int, int], float]:
        """For each two numbers of launches 1/√2 of a bound from below on the critical value: the raised one where there
        are many of both, else the plain one (a raised one takes a while to make)."""
        counts = Counter(self.launches(experiment) for experiment in experiments)
        reach = {}
        for a in counts:
            for b in counts:
                if min(a, b) == 1:
                    value = critical_value(alpha, max(*counts, 2) - 1.0) if max(counts) > 1 else 0.0
                elif min(counts[a], counts[b]) >= _MANY:
                    value = raised(min(a, b), max(a, b), alpha).smallest
                else:
                    value = critical_value(alpha, a + b - 2.0)
                reach[a, b] = value / math.sqrt(2)
        return reach

    def _least_error(self, experiment: int) -> float:
        """The least standard error of its mean in any comparison."""
        here = self._samples[experiment]
        if here.n == 1:
            return 0.0
        return math.sqrt(self._shifts.least_squares(experiment) / here.df / here.n)

    def difference(self, experiment: int, reference: int, alpha: float) -> Difference:
        """How far the first is from the second, with the interval of 1 − `alpha`."""
        distance = self.mean(experiment) - self.mean(reference)
        found = self._contrast(experiment, reference)
        half = None if found is None else found.half_width(alpha)
        ends = () if half is None else sorted(self._ratio(end) for end in (distance - half, distance + half))
        return Difference(
            experiment=experiment,
            reference=reference,
            relative=self._ratio(distance),
            low=ends[0] if ends else None,
            high=ends[1] if ends else None,
        )

    def _ratio(self, distance: float) -> float:
        return math.expm1(max(-_HIGHEST_EXPONENT, min(_HIGHEST_EXPONENT, self._sign * distance)))

    def _contrast(self, one: int, other: int) -> Contrast | None:
        """How much better the first is; None where nothing is known of the scatter."""
        if (one, other) not in self._contrasts:
            self._contrasts[one, other] = self._new_contrast(one, other)
        return self._contrasts[one, other]

    def _new_contrast(self, one: int, other: int) -> Contrast | None:
        first, second = self._samples[one], self._samples[other]
        if first.n > 1 and second.n > 1:
            shift = self._shifts.seen_by_others(one, other)
            if shift is None:
                return contrast(first, second)
            return contrast(self._shifted(one, shift), self._shifted(other, shift))
        # One launch shows no scatter: it is taken to be the largest of those that were launched again.
        if self._noisiest is None:
            return None
        assumed = max(self._noisiest.variance, SINGLE_SCATTER**2)
        variances = [each.variance / each.n if each.n > 1 else assumed for each in (first, second)]
        return Contrast(
            difference=second.mean - first.mean,
            standard_error=math.sqrt(math.fsum(variances)),
            df=float(min(each.df for each in (first, second, self._noisiest) if each.n > 1)),
            sizes=None,
        )

    def _shifted(self, experiment: int, shift: Sequence[float]) -> Sample:
        """Its sample with the shift taken off; that has a mean of zero and leaves the mean as it is."""
        here = self._samples[experiment]
        squares = 0.0
        for deviation, each in zip(self._shifts.deviations(experiment), shift, strict=True):
            squares += (deviation - each) ** 2
        return Sample(mean=here.mean, variance=squares / here.df, n=here.n)


def overall(objective: Objective, candidate: Candidate) -> Score:
    """One score for all launches of a configuration: their geometric mean, with the 95 % interval from the scatter
    between them. With one launch, its own score."""
    launches = candidate.launches
    if len(launches) == 1:
        return launches[0]
    sign = 1.0 if objective.direction == "minimize" else -1.0
    if any(score.value * sign <= 0 for score in launches):
        return Score(value=math.fsum(score.value for score in launches) / len(launches))
    logs = sample([math.log(score.value * sign) for score in launches])
    half = critical_value(ERROR, logs.df) * math.sqrt(logs.variance / logs.n)
    half = min(half, _HIGHEST_EXPONENT)
    low, high = sorted(sign * math.exp(logs.mean + end) for end in (-half, half))
    return Score(value=sign * math.exp(logs.mean), low=low, high=high)
