"""When the requests of a rate are due: an absolute schedule, made before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tuner_tui.load.model import Arrivals


def due_times_s(rate_per_s: float, arrivals: Arrivals, seed: str) -> Iterator[float]:
    """Seconds from the start at which the first, second, … request is due; without end.

    constant: at 0, 1/rate, 2/rate, … poisson: gaps drawn from the exponential distribution with mean 1/rate, the
    first one before the first request. The same for the same seed, so that all workers know the whole of it.
    """
    if arrivals == "constant":
        number = 0
        while True:
            yield number / rate_per_s
            number += 1
    random = Random(seed)
    due_s = 0.0
    while True:
        due_s += random.expovariate(rate_per_s)
        yield due_s
