"""Student's t distribution for any number of degrees of freedom, fractional ones too.

P(|T| > t) = I_x(ν/2, 1/2) with x = ν / (ν + t²), I being the regularised incomplete beta function (Abramowitz and
Stegun, Handbook of Mathematical Functions, 26.7.1), here by its continued fraction (26.5.8), evaluated with Lentz's
method. Accurate to about 1e-12; no dependency is worth 40 MB for that.
"""

from __future__ import annotations

import math
from functools import lru_cache

_TINY = 1e-300
_PRECISION = 1e-14


def two_sided_p(t: float, df: float) -> float:
    """P(|T| > |t|) with `df` > 0 degrees of freedom."""
    if math.isinf(t):
        return 0.0
    square = t * t
    return _incomplete_beta(df / 2, 0.5, df / (df + square), square / (df + square))


def cdf(t: float, df: float) -> float:
    """P(T ≤ t) with `df` > 0 degrees of freedom."""
    tail = two_sided_p(t, df) / 2
    return 1 - tail if t > 0 else tail


@lru_cache(maxsize=4096)
def critical_value(alpha: float, df: float) -> float:
    """The t that |T| exceeds with probability `alpha`, 0 < alpha < 1.

    Newton's method on log p over log t, kept inside a bracket: there the tail is close to a straight line, so a
    handful of steps serve a df of 0.5 as well as one of 1,000.
    """
    low, high = 0.0, 1.0
    while two_sided_p(high, df) > alpha:
        low, high = high, high * 4
    t = math.sqrt(low * high) if low else high / 2
    for _ in range(200):
        p = two_sided_p(t, df)
        low, high = (t, high) if p > alpha else (low, t)
        slope = -2 * density(t, df) * t / p
        step = t * math.exp(max(-2.0, min(2.0, (math.log(alpha) - math.log(p)) / slope)))
        step = step if low < step < high else (low + high) / 2
        if abs(step - t) <= 1e-13 * t:
            return step
        t = step
    return t


def density(t: float, df: float) -> float:
    """The density at t."""
    log_scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return math.exp(log_scale - (df + 1) / 2 * math.log1p(t * t / df))


def _incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """I_x(a, b). `y` is 1 − x, given apart so that a tiny one keeps its digits."""
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(y))
    # The fraction converges fast only on this side of the mean; beyond it the symmetry I_x(a, b) = 1 − I_y(b, a) helps.
    if x < (a + 1) / (a + b + 2):
        return scale * _fraction(a, b, x) / a
    return 1 - scale * _fraction(b, a, y) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + numerator * d)
            c = _away_from_zero(1 + numerator / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
