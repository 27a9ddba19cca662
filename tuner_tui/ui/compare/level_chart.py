"""Latency by level: a bar for each experiment, grouped by level, all to one scale."""

from __future__ import annotations

from rich.text import Text

from tuner_tui.load.model import Level
from tuner_tui.report.comparison import Row, compare_metric
from tuner_tui.report.metrics import metrics
from tuner_tui.report.words import value_with_unit
from tuner_tui.ui.compare.chart import (
    MARKS,
    MARKS_TOLD,
    ChartInput,
    Colors,
    fitted,
    head,
    in_words,
    limited,
    missing,
    names,
    page,
    series,
)
from tuner_tui.ui.run.bar import bar

_LATENCY = "e2e.mean"
_LEAST_BAR = 4


def draw_levels(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    levels = given.snapshot.levels
    experiments = given.chosen
    rows = [
        compare_metric(metric, experiments, None)
        for metric in metrics([level.name for level in levels], statistics=["mean"])
        if metric.key == _LATENCY
    ]
    longest = max((cell.value for row in rows for cell in row.cells if cell.value is not None), default=None)
    if not longest:
        return in_words("No valid latency yet: a bar comes with each level.", width, height, colors)
    scenarios = list(dict.fromkeys(level.scenario for level in levels))
    several = len(scenarios) > 1
    metric = "E2E mean" if several else f"E2E mean, {scenarios[0]}"
    lines = [head(width, colors, *(f"{metric}   {marks}" for marks in MARKS_TOLD), metric)]
    headings = len(scenarios) if several else 0
    share = max(1, (height - 1 - headings) // len(levels))
    heads = {level.name: level_words(level) for level in levels}
    size = max(map(len, heads.values()))
    for scenario in scenarios:
        if several:
            lines.append(Text(scenario, "bold"))
        for level, row in zip(levels, rows, strict=True):
            if level.scenario == scenario:
                bars = _bars(given, row, longest, width - size - 1, colors)
                for number, line in enumerate(limited(bars, share, colors)):
                    first = heads[level.name] if number == 0 else ""
                    lines.append(Text.assemble((fitted(first, size), "bold"), " ", line))
    return page(lines, width, height)


def level_words(level: Level) -> str:
    """A level without its scenario: `× 4`, `@ 2/s`."""
    return level.name.removeprefix(level.scenario).strip()


def _bars(given: ChartInput, row: Row, longest: float, width: int, colors: Colors) -> list[Text]:
    named = names(given, width)
    figures = [value_with_unit(cell.value, row.metric.unit) for cell in row.cells]
    size = max(9, *map(len, figures))
    room = max(_LEAST_BAR, width - len(next(iter(named.values()))) - size - 4)
    lines = []
    for position, (experiment, cell, figure) in enumerate(zip(given.chosen, row.cells, figures, strict=True)):
        line = Text(named[experiment.id] + " ")
        if cell.value is None:
            line.append(missing(experiment), colors("dim"))
        else:
            line.append(bar(cell.value / longest, room), colors(series(position)))
            line.append(f" {figure.rjust(size)}")
            if cell.mark:
                sign, style = MARKS[cell.mark]
                line.append(f" {sign}", colors(style))
        lines.append(line)
    return lines
