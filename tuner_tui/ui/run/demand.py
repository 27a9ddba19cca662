"""Load that a person sends at a server that is kept up."""

from __future__ import annotations

from tuner_tui.load.scenario import parse
from tuner_tui.runs.commands import Load
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.ask import Judged, Line


def lines_for(snapshot: Snapshot) -> list[Line]:
    """The last load again, or the task's first level."""
    benchmark = snapshot.task.benchmark
    last = snapshot.levels[-1] if snapshot.levels else None
    scenario = last.scenario if last is not None else benchmark.traffic[0] if benchmark.traffic else "D(100,100)"
    concurrency = (last.concurrency if last is not None else None) or max(benchmark.concurrency, default=1)
    return [
        Line("scenario", "traffic", scenario, "D(prompt tokens,output tokens)"),
        Line("concurrency", "concurrency", str(concurrency), "requests in flight"),
        Line("requests", "requests", str(benchmark.max_requests or 50), "how many in all"),
    ]


def judge(typed: dict[str, str]) -> Judged[Load]:
    numbers: dict[str, int] = {}
    for name in ("concurrency", "requests"):
        try:
            numbers[name] = int(typed[name])
        except ValueError:
            return Judged(None, f"{name}: expected a whole number, found {typed[name]!r}")
        if numbers[name] < 1:
            return Judged(None, f"{name}: expected 1 at least")
    scenario = typed["scenario"].strip()
    try:
        parse(scenario)
    except ValueError as error:
        return Judged(None, str(error))
    load = Load(scenario=scenario, concurrency=numbers["concurrency"], requests=numbers["requests"])
    return Judged(load, f"{load.requests} requests of {scenario}, {load.concurrency} at a time, after a warm-up")
