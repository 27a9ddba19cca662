"""What a run of 1,000 configurations × 3 launches costs its readers: folding the journal, a snapshot, the verdict after
a launch, and the files written after each. CPU time, so that a busy machine does not show.

    python benchmarks/run_state.py [configurations]
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.report.some_run import result
from tests.runs.test_state import TASK, at
from tuner_tui.report.markdown import report
from tuner_tui.report.results import results_json
from tuner_tui.report.results_csv import results_csv
from tuner_tui.runs.events import (
    AnyEvent,
    Experiment,
    ExperimentsAdded,
    LaunchFinished,
    LaunchStarted,
    LevelFinished,
    RunCreated,
    RunStarted,
)
from tuner_tui.runs.state import RunState


def events(configurations: int) -> Iterator[AnyEvent]:
    yield RunCreated(at=at(0), run="r", task=TASK, version="0")
    experiments = tuple(Experiment(id=i, configuration={"n": i}) for i in range(1, configurations + 1))
    yield ExperimentsAdded(at=at(0), experiments=experiments)
    yield RunStarted(at=at(1), runner="u", pid=1, host="h")
    number, dice = 0, random.Random(1)
    for _ in range(3):
        for i in range(1, configurations + 1):
            number += 1
            yield LaunchStarted(at=at(number), launch=number, experiment=i, command="x")
            e2e_s = (1 + i / 1000) * dice.gauss(1, 0.03)
            yield LevelFinished(at=at(number), launch=number, level=0, result=result(e2e_s, 1000 / e2e_s))
            yield LaunchFinished(at=at(number), launch=number, status="succeeded", total_s=1.0)


def cost_s(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    configurations = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    happened = list(events(configurations))
    state = RunState()
    began = time.process_time()
    for event in happened:
        state.apply(event)
    folded_s = time.process_time() - began
    first_s = cost_s(lambda: state.snapshot().verdict)
    again_s = cost_s(lambda: state.snapshot().verdict)
    # What is under way goes on: a new snapshot each time, the verdict as it was.
    progress = LaunchStarted(at=at(9999), launch=9999, experiment=1, command="x")
    state.apply(progress)
    under_way_s = cost_s(lambda: state.snapshot().verdict)
    state.apply(LevelFinished(at=at(9999), launch=9999, level=0, result=result(1.0, 1000.0)))
    state.apply(LaunchFinished(at=at(9999), launch=9999, status="succeeded", total_s=1.0))
    # The first that has one launch more than the others needs critical values of its own, once.
    odd_s = cost_s(lambda: state.snapshot().verdict)
    state.apply(LaunchStarted(at=at(9999), launch=10_000, experiment=2, command="x"))
    state.apply(LevelFinished(at=at(9999), launch=10_000, level=0, result=result(1.0, 1000.0)))
    state.apply(LaunchFinished(at=at(9999), launch=10_000, status="succeeded", total_s=1.0))
    anew_s = cost_s(lambda: state.snapshot().verdict)
    snapshot = state.snapshot()
    print(f"{configurations} configurations × 3 launches, {len(happened):,} events (CPU time)")
    print(f"{'folding the whole journal':44} {folded_s * 1000:9.1f} ms")
    print(f"{'the first snapshot with its verdict':44} {first_s * 1000:9.1f} ms")
    print(f"{'the same again':44} {again_s * 1000:9.3f} ms")
    print(f"{'a snapshot while a launch is under way':44} {under_way_s * 1000:9.3f} ms")
    print(f"{'the verdict when the first has a launch more':44} {odd_s * 1000:9.1f} ms")
    mark = "ok" if anew_s < 0.05 else "MISSED"
    print(f"{'the verdict after one more launch (≤ 50 ms)':44} {anew_s * 1000:9.1f} ms {mark}")
    for name, make in (("results.json", results_json), ("results.csv", results_csv), ("report.md", report)):
        print(f"{name:44} {cost_s(lambda make=make: make(snapshot)) * 1000:9.1f} ms")  # type: ignore[misc]


if __name__ == "__main__":
    main()
