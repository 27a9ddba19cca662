"""The highest load that keeps limits: which level to measure next, by what the last ones gave. No I/O."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Literal

import msgspec

from tuner_tui.load.model import Arrivals, Level, LevelResult

Kind = Literal["concurrency", "rate"]
_STATISTICS = ("mean", "p50", "p90", "p99", "min", "max")
_METRICS = ("ttft", "tpot", "e2e", "itl")
# Found to within so much of itself.
_RESOLUTION = 0.05
_MAX_FAILED = 0.01
# Behind the schedule; over that, the requests waited for each other and it was no such rate.
_MAX_DELAY_S = 0.1


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search came to; `highest` is None where even the least load broke a limit.

    `bounded`: the highest that was allowed to try kept the limits; more may be possible.
    """

    kind: Kind
    highest: float | None
    lowest_broken: float | None
    bounded: bool = False


def parse_limit(text: str) -> str:
    """The name of a limit, such as `ttft.p99`, or of a metric alone (its mean). Raises ValueError."""
    metric, _, statistic = text.partition(".")
    if metric not in _METRICS or (statistic or "mean") not in _STATISTICS:
        raise ValueError(
            f"{text!r} is no limit; expected one of {', '.join(_METRICS)} with .{', .'.join(_STATISTICS)}, "
            "such as ttft.p99=500ms"
        )
    return f"{metric}.{statistic or 'mean'}"


def broken_limits(result: LevelResult, limits_s: Mapping[str, float]) -> list[str]:
    """Why a level did not keep its limits, in words; empty where it did.

    `limits_s`: `ttft.p99` → seconds. Over 1 % failed requests break any limit, and so does a rate that was not kept.
    """
    broken = []
    if not result.succeeded or result.failed > _MAX_FAILED * result.requests:
        broken.append(f"{result.failed} of {result.requests} requests failed")
    for name, most_s in limits_s.items():
        metric, _, statistic = name.partition(".")
        distribution = getattr(result.metrics, f"{metric}_s")
        if distribution is None:
            continue  # a single token has no TPOT
        value_s: float = getattr(distribution, statistic)
        if value_s > most_s:
            broken.append(f"{name} {value_s * 1e3:.4g} ms over {most_s * 1e3:g} ms")
    delay = result.metrics.delay_s
    if delay is not None and delay.p90 > _MAX_DELAY_S:
        broken.append(f"requests were sent up to {delay.p90 * 1e3:.0f} ms late (max-in-flight)")
    return broken


def find_max(
    scenario: str,
    kind: Kind,
    limits_s: Mapping[str, float],
    *,
    start: float = 1,
    most: float = 256,
    arrivals: Arrivals = "constant",
) -> Generator[Level, LevelResult, Found]:
    """Yields each level to measure and takes its result; returns what was found.

    Doubles from `start` while the limits are kept (halves, down to 1 request at once or `start`/64 a second, where
    already the start breaks them), then bisects to within 5 % or one request. It takes the answer to be monotone:
    one noisy level can mislead it by its own noise, no further.
    """
    whole = kind == "concurrency"
    least = 1.0 if whole else start / 64
    good: float | None = None
    bad: float | None = None
    load = min(float(start), float(most))
    while True:
        if whole:
            level = Level(scenario=scenario, concurrency=round(load))
        else:
            level = Level(scenario=scenario, request_rate=float(f"{load:.4g}"), arrivals=arrivals)
        if broken_limits((yield level), limits_s):
            bad = load
        else:
            good = load
        if good is not None and good >= most:
            return Found(kind=kind, highest=good, lowest_broken=None, bounded=True)
        if good is None and bad is not None:
            if bad <= least:
                return Found(kind=kind, highest=None, lowest_broken=bad)
            load = max(least, bad / 2)
        elif good is not None and bad is None:
            load = min(most, 2 * good)
        else:
            assert good is not None
            assert bad is not None
            if bad - good <= (max(1.0, _RESOLUTION * good) if whole else _RESOLUTION * good):
                return Found(kind=kind, highest=good, lowest_broken=bad)
            load = (good + bad) / 2
        if whole:
            load = float(round(load))
