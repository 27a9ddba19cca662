"""When the requests of a rate are due: an absolute schedule, made before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tuner_tui.load.model import Arrivals

# Gaps drawn at once; so many are no delay to whoever is about to send the first request.
_BLOCK = 1_000


def due_times_s(rate_per_s: float, arrivals: Arrivals, seed: str, number: int) -> Iterator[float]:
    """Seconds from the start at which the first, second, … of `number` requests is due.

    constant: at 0, 1/rate, 2/rate, …

    poisson: gaps drawn from the exponential distribution with mean 1/rate, the first one before the first request, and
    scaled so that from the first request to the last they come to the rate exactly (of more than 1,000 requests, each
    1,000): Poisson arrivals of which the number is given. Left to chance, 50 requests come to 0.77 to 1.35 times the
    rate that was asked for, in 95 of 100 draws. (vLLM bench scales, too.)

    The same for the same arguments, so that all workers know the whole of it.
    """
    if arrivals == "constant":
        for index in range(number):
            yield index / rate_per_s
        return
    random = Random(seed)
    due_s = 0.0
    for begin in range(0, number, _BLOCK):
        gaps_s = [random.expovariate(rate_per_s) for _ in range(min(_BLOCK, number - begin))]
        between_s = sum(gaps_s[1:])
        scale = (len(gaps_s) - 1) / rate_per_s / between_s if between_s > 0 else 1.0
        due_s += gaps_s[0]
        yield due_s
        for gap_s in gaps_s[1:]:
            due_s += scale * gap_s
            yield due_s
