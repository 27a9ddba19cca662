"""How wrong the recorded times may be for the generator's own sake: counted per read, merged over workers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

_STEPS = 20
"""Steps of a logarithmic scale per factor e: 5 % wide each."""


def histogram(lateness_s: Iterable[float]) -> dict[int, int]:
    """Microseconds, rounded up to a step of 5 %, → how many; 0 for what is under one."""
    return dict(Counter(map(_step_us, lateness_s)))


def merged(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def percentile_s(counts: Mapping[int, int], share: float) -> float | None:
    """The smallest step (in seconds) that at least `share` of the values do not exceed; None for no values."""
    total = sum(counts.values())
    seen = 0
    for step_us in sorted(counts):
        seen += counts[step_us]
        if seen >= share * total:
            return step_us * 1e-6
    return None


def mean_s(counts: Mapping[int, int]) -> float | None:
    """In seconds; None for no values."""
    total = sum(counts.values())
    return sum(step_us * count for step_us, count in counts.items()) * 1e-6 / total if total else None


def _step_us(lateness_s: float) -> int:
    micro = lateness_s * 1e6
    if micro < 1:
        return 0
    return math.ceil(math.exp(math.ceil(math.log(micro) * _STEPS) / _STEPS))
