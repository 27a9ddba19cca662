"""Whether two means differ, from a few values each and with unequal scatter.

Welch's t: T = (mean₁ − mean₂) / √(s₁²/n₁ + s₂²/n₂), with Satterthwaite's degrees of freedom (B. L. Welch, "The
generalization of Student's problem when several different population variances are involved", Biometrika 34, 1947).
With 2 to 5 values its critical value is only roughly right: with 3 values each it errs in 3.5 % of cases where the
scatters are equal and in 5.9 % where one is 4 times the other, when 5 % is asked; with 2 against 8 values in up to
11 %. So the critical value is raised by a factor, found such that the *worst* error over all ratios of the two
scatters is what was asked: 1.29 for 2 values each, 1.09 for 3, 1.04 for 4, 1.02 for 5.

Assumed: values are independent, and normal around their mean. Nothing is assumed of the two variances.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from tuner_tui.search.student import critical_value


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Some values by their mean, the variance of one value (divisor df), and the number of values."""

    mean: float
    variance: float
    n: int

    @property
    def df(self) -> int:
        return self.n - 1


def sample(values: list[float]) -> Sample:
    """A sample of one value or more; the variance of one alone is 0 and means nothing."""
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Sample(mean=mean, variance=squares / (n - 1) if n > 1 else 0.0, n=n)


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """A difference of two means with all that is needed to test it at any level."""

    difference: float
    standard_error: float
    df: float
    sizes: tuple[int, int] | None
    """Values on either side, the smaller first; None where the critical value is not to be raised."""

    def exceeds(self, margin: float, alpha: float) -> bool:
        """Whether the two-sided 1 − alpha interval of the difference lies above `margin`."""
        excess = self.difference - margin
        if excess <= 0:
            return False
        if self.standard_error == 0:
            # Values that repeat to the last digit have no scatter; what differs, differs (rounding errors do not).
            return excess > 1e-9
        if self.sizes is not None:
            # Most are far on one side.
            critical = raised(*self.sizes, alpha)
            if excess < self.standard_error * critical.smallest:
                return False
            if excess > self.standard_error * critical.largest:
                return True
        return excess >= self.standard_error * self._critical_value(alpha)

    def half_width(self, alpha: float) -> float:
        """Half the two-sided 1 − alpha interval."""
        if self.standard_error == 0:
            return 0.0
        return self.standard_error * self._critical_value(alpha)

    def _critical_value(self, alpha: float) -> float:
        if self.sizes is None:
            return critical_value(alpha, self.df)
        return raised(*self.sizes, alpha).at(self.df)


def contrast(low: Sample, high: Sample) -> Contrast:
    """mean(high) − mean(low). Both samples need two values or more."""
    a, b = low.variance / low.n, high.variance / high.n
    total = a + b
    share = a / total if total > 0 else 0.5
    df = 1 / (share * share / low.df + (1 - share) * (1 - share) / high.df)
    sizes = (low.n, high.n) if low.n <= high.n else (high.n, low.n)
    return Contrast(difference=high.mean - low.mean, standard_error=math.sqrt(total), df=df, sizes=sizes)


class RaisedCriticalValue:
    """The raised critical values for n₁ and n₂ values at one level, by degrees of freedom: read off a polynomial,
    because a field of 1,000 configurations asks for thousands, each at a df of its own.

    Chebyshev interpolation of log t over 1/df, between min(ν₁, ν₂) and ν₁ + ν₂, where Satterthwaite's df lies; the
    error is under 1e-9 for up to 10 values a side, and under 1e-5 anywhere.
    """

    _DEGREE = 16

    def __init__(self, n1: int, n2: int, alpha: float) -> None:
        v1, v2 = n1 - 1, n2 - 1
        self._low, self._high = 1 / (v1 + v2), 1 / min(v1, v2)
        count = self._DEGREE + 1
        angles = [math.pi * (k + 0.5) / count for k in range(count)]
        factor = math.log(raising_factor(n1, n2, alpha))
        values = [factor + math.log(critical_value(alpha, 1 / self._inverse_df(math.cos(angle)))) for angle in angles]
        coefficients = [
            2 / count * math.fsum(value * math.cos(j * angle) for value, angle in zip(values, angles, strict=True))
            for j in range(count)
        ]
        self._first = coefficients[0] / 2
        self._falling = tuple(reversed(coefficients[1:]))
        self.smallest = self.at(v1 + v2)
        """Of all df: what any difference must at least exceed, in standard errors."""
        self.largest = self.at(min(v1, v2))
        """What suffices for any df."""

    def _inverse_df(self, x: float) -> float:
        return (self._low * (1 - x) + self._high * (1 + x)) / 2

    def at(self, df: float) -> float:
        """The critical value at `df`, by Clenshaw's recurrence."""
        x = (2 / df - self._low - self._high) / (self._high - self._low)
        x = 1.0 if x > 1 else -1.0 if x < -1 else x
        twice = 2 * x
        b1 = b2 = 0.0
        for coefficient in self._falling:
            b1, b2 = coefficient + twice * b1 - b2, b1
        return math.exp(self._first + x * b1 - b2)


@lru_cache(maxsize=1024)
def raised(n1: int, n2: int, alpha: float) -> RaisedCriticalValue:
    """The critical values for `n1` ≤ `n2` values, two or more each, made once."""
    return RaisedCriticalValue(n1, n2, alpha)


@lru_cache(maxsize=1024)
def raising_factor(n1: int, n2: int, alpha: float) -> float:
    """By how much Welch's critical value is multiplied, at least 1, so that the worst error is `alpha`.

    Exact up to quadrature. Given B, the first sample's share of the two (scaled) sums of squares, T times a known
    function of B and of the true ratio of variances has Student's t distribution with ν₁ + ν₂ degrees of freedom, and
    B is beta distributed: the error is one integral over B, its worst over the ratio is searched on a fine grid. Both
    run on a logit scale, where everything is smooth and a change of ratio is a mere shift.
    """
    v1, v2 = n1 - 1, n2 - 1
    step = 0.25
    # Where the density of logit B has fallen by e¹⁶; what lies beyond does not count.
    first, last = -math.ceil(32 / v1 / step + 2), math.ceil(32 / v2 / step + 2)
    nodes = [index * step for index in range(first, last + 1)]
    share = [1 / (1 + math.exp(-node)) for node in nodes]
    weight = [math.exp(v1 / 2 * math.log(b) + v2 / 2 * math.log1p(-b)) if 0 < b < 1 else 0.0 for b in share]
    total = math.fsum(weight)
    weight = [each / total for each in weight]
    reach = math.ceil(16 / step)
    df_of = {}
    for index in range(first - reach, last + reach + 1):
        # The first sample's share of the estimated variance: logit R = logit B + logit θ + log(ν₂/ν₁).
        r = 1 / (1 + math.exp(-(index * step + math.log(v2 / v1))))
        df_of[index] = 1 / (r * r / v1 + (1 - r) * (1 - r) / v2)
    welch = {index: critical_value(alpha, df) for index, df in df_of.items()}

    def error(ratio: int, factor: float) -> float:
        theta = 1 / (1 + math.exp(-ratio * step))
        parts = []
        for index, b, w in zip(range(first, last + 1), share, weight, strict=True):
            spread = theta * b / v1 + (1 - theta) * (1 - b) / v2
            parts.append(w * _tail(factor * welch[index + ratio] * math.sqrt(spread * (v1 + v2)), v1 + v2))
        return math.fsum(parts)

    def worst_ratio(factor: float) -> int:
        around = max(range(-reach, reach + 1, 4), key=lambda ratio: error(ratio, factor))
        near = range(max(-reach, around - 3), min(reach, around + 3) + 1)
        return max(near, key=lambda ratio: error(ratio, factor))

    factor = 1.0
    for _ in range(8):
        worst = worst_ratio(factor)
        if error(worst, factor) <= alpha * (1 + 1e-4):
            return factor
        low, high = factor, factor * 2
        while error(worst, high) > alpha:
            low, high = high, high * 2
        while high - low > 1e-5 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if error(worst, middle) > alpha else (low, middle)
        factor = high
    return factor


def _tail(t: float, df: int) -> float:
    """`two_sided_p` for a whole df, to 1e-15 absolute and much faster: a finite sum (Abramowitz and Stegun, 26.7.3
    and 26.7.4)."""
    cosine_square = df / (df + t * t)
    sine = math.sqrt(1 - cosine_square)
    if df % 2 == 0:
        term, total = 1.0, 1.0
        for k in range(2, df, 2):
            term *= cosine_square * (k - 1) / k
            total += term
        return 1 - sine * total
    term = total = math.sqrt(cosine_square) if df > 1 else 0.0
    for k in range(3, df, 2):
        term *= cosine_square * (k - 1) / k
        total += term
    return 1 - 2 / math.pi * (math.atan2(t, math.sqrt(df)) + sine * total)
