"""The highest load that keeps limits: which level to measure next, by what the last ones gave. No I/O."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping

import msgspec

from tuner_tui.load.metrics import SAMPLES_NEEDED
from tuner_tui.load.model import Arrivals, Found, Level, LevelResult, LoadKind

_STATISTICS = ("mean", "p50", "p90", "p99", "min", "max")
_METRICS = ("ttft", "tpot", "e2e", "itl")
MOST = 1024.0
"""Requests at once or a second that are tried at most: engines run no more at once unless told to."""
# Found to within so much of itself.
_RESOLUTION = 0.05
_MAX_FAILED = 0.01
# Behind the schedule; over that, the requests waited for each other and it was no such rate.
_MAX_DELAY_S = 0.1
# Over that, the rate is over what the server answers by as much.
_MAX_GROWTH = _RESOLUTION
# The first step from an earlier find; each next one is the square of the last. What it is once halved lies as far below
# the truth, on average, as what a search from the beginning finds (by simulation, to 0.1 %).
_NEAR = 1.07
# What a load that is tried has at least: rounds of a concurrency; seconds of a rate, and of the time that a request
# takes by itself: while the first ones are under way, the server has not seen the rate as a whole.
_ROUNDS, _SECONDS = 4, 10.0
_TIMES_E2E = 4


class Before(msgspec.Struct, frozen=True):
    """What an earlier launch of the same configuration found, and what one request by itself took in it."""

    highest: float
    alone_s: float = 0.0


def parse_limit(text: str) -> str:
    """The name of a limit, such as `ttft.p99`, or of a metric alone (its mean). Raises ValueError."""
    metric, _, statistic = text.partition(".")
    if metric not in _METRICS or (statistic or "mean") not in _STATISTICS:
        raise ValueError(
            f"{text!r} is no limit; expected one of {', '.join(_METRICS)} with .{', .'.join(_STATISTICS)}, "
            "such as ttft.p99=500ms"
        )
    return f"{metric}.{statistic or 'mean'}"


def least_requests(
    level: Level, limits: Iterable[str], results: Iterable[LevelResult] = (), before: Before | None = None
) -> int:
    """How many requests a load that is tried takes at least: four rounds of a concurrency, ten seconds of a rate (or
    four times what a request takes by itself: the least mean E2E of the `results` so far, and of `before`), and what
    the percentiles among the `limits` (`ttft.p99`) need."""
    if level.concurrency is not None:
        rounds = float(_ROUNDS * level.concurrency)
    else:
        took_s = [each.metrics.e2e_s.mean for each in results if each.metrics.e2e_s]
        took_s += [before.alone_s] if before else []
        rounds = (level.request_rate or 0.0) * max(_SECONDS, _TIMES_E2E * min(took_s, default=0.0))
    needed = (SAMPLES_NEEDED.get(limit.partition(".")[2], 0) for limit in limits)
    return max(math.ceil(rounds), *needed, 0)


def broken_limits(result: LevelResult, limits_s: Mapping[str, float]) -> list[str]:
    """Why a level did not keep its limits, in words; empty where it did.

    `limits_s`: `ttft.p99` → seconds. Over 1 % failed requests break any limit, and so does a rate that was not kept,
    or with which the server did not keep up: its queue grows, and any limit is broken in time. A limit on what no
    answer told (a TPOT, where the server sends no usage) is not kept.
    """
    broken = []
    if not result.succeeded or result.failed > _MAX_FAILED * result.requests:
        broken.append(f"{result.failed} of {result.requests} requests failed")
    for name, most_s in limits_s.items():
        metric, _, statistic = name.partition(".")
        distribution = getattr(result.metrics, f"{metric}_s")
        if distribution is None:
            # A single token has no TPOT that could be too long. Other answers have one, but it was not seen.
            single = metric in ("tpot", "itl") and result.output_tokens == result.succeeded
            if result.succeeded and not single:
                broken.append(f"{name} cannot be told: no answer gave a {metric.upper()}")
            continue
        value_s: float = getattr(distribution, statistic)
        if value_s > most_s:
            broken.append(f"{name} {value_s * 1e3:.4g} ms over {most_s * 1e3:g} ms")
    delay = result.metrics.delay_s
    if delay is not None and delay.p90 > _MAX_DELAY_S:
        broken.append(f"requests were sent up to {delay.p90 * 1e3:.0f} ms late (max-in-flight)")
    growth = result.metrics.e2e_growth
    if growth is not None and growth.least > _MAX_GROWTH:
        broken.append(f"the queue grows: each second adds {growth.slope:.2g} s to E2E")
    return broken


def find_max(
    scenario: str,
    kind: LoadKind,
    limits_s: Mapping[str, float],
    *,
    start: float | None = None,
    most: float = MOST,
    arrivals: Arrivals = "constant",
    scale: float = 1.0,
    before: Before | None = None,
) -> Generator[Level, LevelResult, Found]:
    """Yields each level to measure and takes its result; returns what was found.

    A concurrency begins at 1. A rate begins with one request at a time, to see whether the limits can be kept at all,
    and goes on at `scale` times the rate which that was (1/E2E). Doubles while the limits are kept (halves, down to 1
    request at once or an eighth of the first rate, where already the start breaks them), then bisects to within 5 % or
    one request. It takes the answer to be monotone: one noisy level can mislead it by its own noise, no further.

    With `before`, the search begins within half a step of what was found then, and looks for the other side of the
    limit in steps that grow: three or four loads instead of about ten.

    Searches with one `scale` (1 to 2) try the same rates and find the same one of them, however the truth lies in
    between: of several that are to be compared, each takes another.
    """
    whole = kind == "concurrency"
    most = max(1.0, math.floor(most)) if whole else most
    step, power = 2.0, 1.0
    if before is not None:
        step, power = _NEAR, 2.0
        start = before.highest * step ** (math.log2(scale) - 0.5)
    if not whole and start is None:
        alone = yield Level(scenario=scenario, concurrency=1)
        if broken := broken_limits(alone, limits_s):
            return Found(kind=kind, highest=None, lowest_broken=None, broken=tuple(broken))
        assert alone.metrics.e2e_s is not None
        start = scale / max(alone.metrics.e2e_s.mean, 1 / most)
    begin = start or 1.0
    least = 1.0 if whole else begin / 8
    begin = max(1.0, round(begin)) if whole else begin
    good: float | None = None
    bad: float | None = None
    why: tuple[str, ...] = ()
    load = min(begin, most)
    while True:
        if whole:
            level = Level(scenario=scenario, concurrency=round(load))
        else:
            load = most if load == most else min(most, float(f"{load:.3g}"))
            level = Level(scenario=scenario, request_rate=load, arrivals=arrivals)
        broken = broken_limits((yield level), limits_s)
        if broken:
            bad, why = load, tuple(broken)
        else:
            good = load
        if good is not None and good >= most:
            return Found(kind=kind, highest=good, lowest_broken=None, bounded=True)
        if good is None and bad is not None:
            if bad <= least * 1.01:
                return Found(kind=kind, highest=None, lowest_broken=bad, broken=why)
            load = max(least, min(bad / step, bad - 1) if whole else bad / step)
            step **= power
        elif good is not None and bad is None:
            load = min(most, max(good * step, good + 1) if whole else good * step)
            step **= power
        else:
            assert good is not None
            assert bad is not None
            if bad - good <= (max(1.0, _RESOLUTION * good) if whole else _RESOLUTION * good):
                return Found(kind=kind, highest=good, lowest_broken=bad, broken=why)
            load = (good + bad) / 2
        if whole:
            load = float(round(load))


def sustained(kept: LevelResult, found: Found) -> LevelResult:
    """The result of the highest load that kept the limits, as that of the level which was looked for.

    The limits were held against the level as a whole, so that all requests that succeeded are good ones: the goodput is
    the rate that was sustained (as Y. Zhong and others define it: DistServe, OSDI 2024, section 2). Of a request rate
    that is the one at which they were sent: the last ones' way to their end, after the sending, is no slowness.
    """
    metrics = kept.metrics
    rate = metrics.requests_per_s
    if found.kind == "rate" and metrics.achieved_rate is not None:
        rate = metrics.achieved_rate * kept.succeeded / kept.requests
    metrics = msgspec.structs.replace(metrics, good_requests=kept.succeeded, good_requests_per_s=rate)
    return msgspec.structs.replace(kept, sought=found, metrics=metrics)
