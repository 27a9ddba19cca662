"""How well some requests' percentile is known: an interval without any assumption on how times are distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

_ERROR = 0.05


def quantile_interval(ordered: Sequence[float], share: float) -> tuple[float, float]:
    """The two-sided 95 % interval of the `share`-quantile (0 < share < 1) of what `ordered` was drawn from.

    Two order statistics: the number of values under the true quantile is binomial, whatever the distribution (H. A.
    David and H. N. Nagaraja, Order Statistics, 2003, section 7.1). Where too few values lie beyond the quantile for an
    end (a p99 needs 368 requests for an upper one), the smallest or largest value stands in for it: it then holds less
    than 95 %. Raises ValueError for no values.
    """
    if not ordered:
        raise ValueError("a quantile of no values")
    low, high = _ranks(len(ordered), share)
    return ordered[low], ordered[high]


@lru_cache(maxsize=4096)
def _ranks(n: int, share: float) -> tuple[int, int]:
    """The ranks, from 0, of the two order statistics: the innermost with at most 2.5 % beyond each."""
    log_p, log_q = math.log(share), math.log1p(-share)
    below = 0.0
    low, high = 0, n - 1
    for k in range(n + 1):
        # P(exactly k of n lie under the quantile), added up from none.
        below += math.exp(
            math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q
        )
        if below <= _ERROR / 2:
            low = k
        if below >= 1 - _ERROR / 2:
            high = min(k, n - 1)
            break
    return low, high
