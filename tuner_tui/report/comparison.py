"""Experiments side by side, metric by metric: the rows of a table of comparison, and the points of a chart.

Pure functions of a snapshot. Every metric is judged by the same tests as the objective, on the launches of the
experiments that were chosen: better, or *tied* where chance may have done it. Each row stands for itself: of twenty
rows of equals, one will show a difference by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tuner_tui.report.labels import labels
from tuner_tui.report.metrics import Metric, measured, metrics
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.search.comparison import Candidate, Comparisons, Difference, overall
from tuner_tui.search.finding import find
from tuner_tui.search.objective import LevelValue, Score
from tuner_tui.search.spending import ERROR
from tuner_tui.task.model import Objective

Mark = Literal["best", "tied", "ahead", ""]
"""best: better than all others shown. tied: not told apart from the best. ahead: of single launches, with nothing known
of the scatter. Nothing: worse, or there is nothing to compare."""

_SAME = 0.005
"""Exact figures that near each other are the same: engines round them …"""
_SAME_GIB = 0.05
"""… and take what was free before less what is free after, in which other allocations of some MiB lie."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment's figure, in the metric's unit: over its valid launches the geometric mean. None: it has none.

    `low` and `high` are the 95 % interval: between launches where there are several, else within the one.
    """

    experiment: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    mark: Mark = ""
    difference: Difference | None = None
    """From the reference; None for the reference itself, and where either has no value."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over all experiments, in the order in which they were chosen."""

    metric: Metric
    cells: tuple[Cell, ...]

    @property
    def tie(self) -> bool:
        """All that have a value are tied."""
        marks = {cell.mark for cell in self.cells if cell.value is not None}
        return marks == {"tied"}


class ComparisonTable(msgspec.Struct, frozen=True, kw_only=True):
    """`labels` name the experiments by what tells them apart, in the same order; differences are to `reference`."""

    experiments: tuple[int, ...]
    labels: tuple[str, ...]
    reference: int | None
    rows: tuple[Row, ...]


def compare(
    snapshot: Snapshot,
    chosen: Sequence[int] = (),
    *,
    reference: int | None = None,
    shown: Sequence[Metric] | None = None,
) -> ComparisonTable:
    """The experiments with these ids (none: all with a valid launch, best first) in all metrics of `shown`.

    `reference`: whose figures the others are held against; None: the baseline where it is among them, else the best by
    the objective, else the first. Metrics that no experiment has are left out. Unknown ids are passed over.
    """
    by_id = {each.id: each for each in snapshot.experiments}
    verdict = snapshot.verdict
    ids = [each for each in (chosen or verdict.ranking) if each in by_id]
    if reference not in ids:
        wanted = (snapshot.baseline, verdict.leader, *ids)
        reference = next((each for each in wanted if each in ids), None)
    experiments = [by_id[each] for each in ids]
    rows = []
    for metric in shown if shown is not None else metrics([level.name for level in snapshot.levels]):
        row = compare_metric(metric, experiments, reference)
        if any(cell.value is not None for cell in row.cells):
            rows.append(row)
    names = labels(snapshot)
    return ComparisonTable(
        experiments=tuple(ids), labels=tuple(names[each] for each in ids), reference=reference, rows=tuple(rows)
    )


def compare_metric(metric: Metric, experiments: Sequence[ExperimentState], reference: int | None) -> Row:
    """One row: `reference` is the id of one of `experiments`, or None for no differences."""
    objective = Objective(
        name=metric.key, direction="minimize" if metric.better == "lower" else "maximize", metric=metric.key
    )
    sign = 1.0 if metric.better == "lower" else -1.0
    candidates = [one for each in experiments if (one := _candidate(metric, each, sign)) is not None]
    if not candidates:
        return Row(metric=metric, cells=tuple(Cell(experiment=each.id) for each in experiments))
    comparisons = Comparisons(objective, candidates)
    marks = _marks(metric, objective, comparisons, candidates)
    cells = {each.id: Cell(experiment=each.id) for each in experiments}
    scores = {one.experiment: overall(objective, one) for one in candidates}
    for experiment, score in scores.items():
        difference = None
        if reference in scores and reference is not None and experiment != reference:
            difference = comparisons.difference(experiment, reference, ERROR)
            if metric.exact:
                difference = replace(difference, low=None, high=None)
        ends = [] if metric.exact else sorted(sign * end for end in (score.low, score.high) if end is not None)
        cells[experiment] = Cell(
            experiment=experiment,
            value=sign * score.value,
            low=ends[0] if len(ends) == 2 else None,
            high=ends[1] if len(ends) == 2 else None,
            mark=marks.get(experiment, ""),
            difference=difference,
        )
    return Row(metric=metric, cells=tuple(cells[each.id] for each in experiments))


def _marks(
    metric: Metric, objective: Objective, comparisons: Comparisons, candidates: Sequence[Candidate]
) -> dict[int, Mark]:
    if len(candidates) < 2:
        return {}
    ranked = sorted(candidates, key=lambda one: (comparisons.mean(one.experiment), one.experiment))
    leader = ranked[0].experiment
    if metric.exact:
        best = overall(objective, ranked[0]).value
        near = max(_SAME * abs(best), _SAME_GIB if metric.unit == "GiB" else 0.0)
        equal = [one.experiment for one in ranked if abs(overall(objective, one).value - best) <= near]
        return {leader: "best"} if len(equal) == 1 else dict.fromkeys(equal, "tied")
    found = find(comparisons, ranked, alpha=ERROR)
    if found.kind == "tie":
        return dict.fromkeys((leader, *found.tied_with), "tied")
    return {leader: "best" if found.kind == "winner" else "ahead"}


def _candidate(metric: Metric, experiment: ExperimentState, sign: float) -> Candidate | None:
    launches = [each for each in experiment.launches if each.status == "succeeded"]
    if not launches and metric.level is None:
        # What a launch shows before any load (start-up, memory) is known of one under way, too.
        launches = [each for each in experiment.launches if each.start_s is not None][-1:]
    values = [value for each in launches if (value := _value(metric, each)) is not None]
    if not values:
        return None
    scores = tuple(_score(value, sign) for value in values)
    blocks = experiment.blocks if len(scores) == len(experiment.blocks) else ()
    return Candidate(experiment=experiment.id, score=scores[-1], scores=scores, blocks=blocks)


def _value(metric: Metric, launch: Launch) -> LevelValue | None:
    return measured(metric, launch)


def _score(value: LevelValue, sign: float) -> Score:
    reach = value.reach
    if reach is None:
        return Score(value=sign * value.value)
    low, high = sorted((sign * (value.value - reach[0]), sign * (value.value + reach[1])))
    return Score(value=sign * value.value, low=low, high=high)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment at one level: its latency, and its output tokens per second and GPU."""

    experiment: int
    level: str
    latency_s: float
    tokens_per_s: float
    front: bool = False
    """No other point of the same traffic has both a lower latency and a higher throughput (Pareto's front)."""


def throughput_against_latency(
    snapshot: Snapshot, chosen: Sequence[int] = (), *, latency: str = "e2e.mean", level: str | None = None
) -> tuple[Point, ...]:
    """A point for each of the experiments (as in `compare`) at each level (or at one), the fastest first.

    `latency` is a metric's key: `e2e.mean`, `ttft.p99`, … Figures are those of `compare`.
    """
    wanted = [each.name for each in snapshot.levels if level in (None, each.name)]
    keys = (latency, "output_tokens_per_s")
    shown = [each for each in metrics(wanted) if each.key in keys]
    table = compare(snapshot, chosen, shown=shown)
    found: dict[tuple[int, str], dict[str, float]] = {}
    for row in table.rows:
        for cell in row.cells:
            if cell.value is not None and row.metric.level is not None:
                found.setdefault((cell.experiment, row.metric.level), {})[row.metric.key] = cell.value
    points = sorted(
        (values[latency], -values["output_tokens_per_s"], experiment, at)
        for (experiment, at), values in found.items()
        if len(values) == 2
    )
    scenarios = {each.name: each.scenario for each in snapshot.levels}
    best: dict[str, float] = {}
    result = []
    for latency_s, negative, experiment, at in points:
        scenario = scenarios[at]
        front = -negative > best.get(scenario, float("-inf"))
        best[scenario] = max(best.get(scenario, float("-inf")), -negative)
        result.append(Point(experiment=experiment, level=at, latency_s=latency_s, tokens_per_s=-negative, front=front))
    return tuple(result)
