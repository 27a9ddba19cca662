"""The metrics in which experiments are set side by side: what each is called, its unit, and where it is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from tuner_tui.load.model import LevelMetrics
from tuner_tui.runs.experiment import Launch
from tuner_tui.runs.score import distribution_of, goodput, statistic, throughput
from tuner_tui.search.objective import LevelValue

Unit = Literal["s", "tokens/s", "requests/s", "tokens", "GiB"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the same at every level (`e2e.p99`); `level` is None for what a launch has once.

    `exact`: a figure that the engine states and that does not scatter (memory): any difference is one.
    """

    key: str
    name: str
    unit: Unit
    better: Literal["lower", "higher"]
    level: str | None = None
    exact: bool = False


_STATISTICS = ("mean", "p50", "p90", "p99")
LATENCIES = {"e2e": "E2E", "ttft": "TTFT", "tpot": "TPOT"}
_RATES: dict[str, tuple[str, Unit, Callable[[LevelMetrics, int], LevelValue | None]]] = {
    "output_tokens_per_s": ("output", "tokens/s", throughput),
    "good_requests_per_s": ("goodput", "requests/s", goodput),
}
_OF_A_LAUNCH = (
    Metric(key="start", name="start-up", unit="s", better="lower"),
    Metric(key="kv_cache_tokens", name="KV cache tokens", unit="tokens", better="higher", exact=True),
    Metric(key="kv_cache", name="KV cache memory", unit="GiB", better="higher", exact=True),
    Metric(key="weights", name="weights", unit="GiB", better="lower", exact=True),
    Metric(key="available", name="free memory", unit="GiB", better="higher", exact=True),
)


def metrics(levels: Sequence[str], *, statistics: Sequence[str] = _STATISTICS) -> list[Metric]:
    """All metrics there are: of each level (names), then of the launch. Rates are per GPU."""
    found = []
    for key, name in LATENCIES.items():
        for each in statistics:
            for level in levels:
                found.append(Metric(key=f"{key}.{each}", name=f"{name} {each}", unit="s", better="lower", level=level))
    for key, (name, unit, _) in _RATES.items():
        for level in levels:
            found.append(Metric(key=key, name=f"{name} per GPU", unit=unit, better="higher", level=level))
    return [*found, *_OF_A_LAUNCH]


def measured(metric: Metric, launch: Launch) -> LevelValue | None:
    """The metric of one launch, with what is known of its scatter within the launch; None where it has none."""
    if metric.level is None:
        return _of_launch(metric.key, launch)
    for result in launch.results:
        if result.name == metric.level:
            if metric.key in _RATES:
                return _RATES[metric.key][2](result.metrics, max(1, len(launch.gpus)))
            name, _, which = metric.key.partition(".")
            return statistic(distribution_of(result.metrics, name), which)
    return None


def _of_launch(key: str, launch: Launch) -> LevelValue | None:
    memory = launch.memory
    value = {
        "start": launch.start_s,
        "kv_cache_tokens": memory.kv_cache_tokens,
        "kv_cache": memory.kv_cache_gib,
        "weights": memory.weights_gib,
        "available": memory.available_gib,
    }[key]
    return None if value is None else LevelValue(value=float(value))
