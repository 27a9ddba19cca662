"""Runs made by hand, event by event, for what is reported of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from tests.runs.test_state import TASK, at, fold
from tests.runs.test_validity import distribution, level
from tuner_tui.engines.facts import Memory
from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    ExperimentsAdded,
    Failure,
    LaunchFinished,
    LaunchStarted,
    LevelFinished,
    RunCreated,
    RunFinished,
    RunStarted,
    ServerReady,
)
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.task.model import Search

FLAGS: tuple[dict[str, Any], ...] = ({"mem-fraction-static": 0.7}, {"mem-fraction-static": 0.8})


def result(e2e_s: float, tokens_per_s: float) -> LevelResult:
    plain = level()
    e2e = replace(distribution(), mean=e2e_s, std=0.001 * e2e_s)
    return replace(plain, metrics=replace(plain.metrics, e2e_s=e2e, output_tokens_per_s=tokens_per_s))


def run_of(
    *rows: Sequence[tuple[float, float]],
    failed: int | None = None,
    baseline: int | None = None,
    kv_cache_tokens: Sequence[int] = (2_094_537, 2_405_039),
    **task: Any,
) -> Snapshot:
    """Each row: a configuration's launches, as (mean E2E in s, output tokens/s). `failed`: one more that failed."""
    launches = max(map(len, rows))
    changed = replace(TASK, search=Search(launches=launches, baseline=baseline is not None), **task)
    experiments = [
        Experiment(id=i, configuration=FLAGS[(i - 1) % 2] | {"tp-size": 1 + (i - 1) // 2}, baseline=i == baseline)
        for i in range(1, len(rows) + 1)
    ]
    if failed is not None:
        experiments.append(Experiment(id=failed, configuration={"mem-fraction-static": 0.99}))
    events: list[AnyEvent] = [
        RunCreated(at=at(0), run="r", task=changed, version="0"),
        ExperimentsAdded(at=at(0), experiments=tuple(experiments)),
        RunStarted(at=at(1), runner="u", pid=1, host="h"),
    ]
    number = 0
    for block in range(launches):
        for i, row in enumerate(rows, start=1):
            if block >= len(row):
                continue
            number += 1
            memory = Memory(kv_cache_tokens=kv_cache_tokens[(i - 1) % 2], weights_gib=2.41)
            events += [
                LaunchStarted(at=at(10 * number), launch=number, experiment=i, command=f"serve --n {i}"),
                ServerReady(at=at(10 * number + 2), launch=number, start_s=30.0 + i, memory=memory),
                LevelFinished(at=at(10 * number + 8), launch=number, level=0, result=result(*row[block])),
                LaunchFinished(
                    at=at(10 * number + 9),
                    launch=number,
                    status="succeeded",
                    start_s=30.0 + i,
                    total_s=9.0,
                    memory=memory,
                ),
            ]
    if failed is not None:
        failure = Failure(failure_class="cuda_out_of_memory", reason="it does not fit", line="OOM | here")
        events += [
            LaunchStarted(at=at(900), launch=number + 1, experiment=failed, command="serve --n 99"),
            LaunchFinished(at=at(901), launch=number + 1, status="failed", failure=failure),
        ]
    events.append(RunFinished(at=at(1000), reason="finished"))
    return fold(*events)


CLEAR = ([(0.200, 1700.0), (0.201, 1690.0), (0.199, 1710.0)], [(0.180, 1900.0), (0.181, 1890.0), (0.179, 1910.0)])
EQUAL = ([(0.190, 1700.0), (0.191, 1730.0), (0.189, 1750.0)], [(0.1905, 1710.0), (0.1895, 1740.0), (0.190, 1745.0)])
