"""How latencies spread over requests: bars that say by when half, 90 % and 99 % of them were done."""

from __future__ import annotations

from rich.text import Text

from tuner_tui.load.model import Level
from tuner_tui.report.comparison import compare_metric
from tuner_tui.report.metrics import LATENCIES, Metric
from tuner_tui.report.words import value_with_unit
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.score import distribution_of
from tuner_tui.ui.compare.chart import ChartInput, Colors, head, in_words, limited, missing, names, page, series

_SHOWN = ("e2e", "ttft")
_PERCENTILES = (("p50", "█"), ("p90", "▓"), ("p99", "░"))
_LEAST_BAR = 6
_ROOM_FOR_FIGURES = 66

Percentiles = dict[int, tuple[float, ...]]
"""By experiment: the values of `_PERCENTILES`, seconds."""


def draw_distribution(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    levels = given.snapshot.levels
    found = {(key, level): _percentiles(given, key, level) for key in _SHOWN for level in levels}
    if not any(found.values()):
        return in_words("No valid latencies yet.", width, height, colors)
    told = "█ p50 ▓ p90 ░ p99"
    legend = head(width, colors, f"from 0 to {told} of the requests, ? of too few of them", f"{told} ? too few", told)
    parts = len(_SHOWN) * len(levels)
    shown = list(levels)
    if parts * (1 + min(4, max(1, len(given.chosen)))) > height - 1:
        most = max(1, (height - 1) // (len(_SHOWN) * (1 + min(4, len(given.chosen)))))
        shown = [level for level in levels if any(found[key, level] for key in _SHOWN)][-most:]
    share = max(1, (height - 1) // (len(_SHOWN) * len(shown)) - 1)
    lines = [legend]
    for key in _SHOWN:
        longest = max((max(each) for level in shown for each in found[key, level].values()), default=0.0)
        for level in shown:
            left_out = f" (of {len(levels)} levels)" if len(lines) == 1 and len(shown) < len(levels) else ""
            lines.append(Text(f"{LATENCIES[key]}  {level.name}{left_out}", "bold"))
            bars = _bars(given, key, level, found[key, level], longest, width, colors)
            lines += limited(bars, share, colors, "experiments")
    return page(lines, width, height)


def _percentiles(given: ChartInput, key: str, level: Level) -> Percentiles:
    """As the table has them: over an experiment's launches."""
    rows = [
        compare_metric(
            Metric(key=f"{key}.{which}", name=which, unit="s", better="lower", level=level.name), given.chosen, None
        )
        for which, _ in _PERCENTILES
    ]
    found = {}
    for cells in zip(*(row.cells for row in rows), strict=True):
        values = [cell.value for cell in cells if cell.value is not None]
        if len(values) == len(rows):
            found[cells[0].experiment] = tuple(values)
    return found


def _bars(
    given: ChartInput, key: str, level: Level, found: Percentiles, longest: float, width: int, colors: Colors
) -> list[Text]:
    named = names(given, width)
    name = max(map(len, named.values()))
    told = {each.id: _figures(each, key, level, found.get(each.id), width) for each in given.chosen}
    size = max(map(len, told.values()))
    room = max(_LEAST_BAR, width - name - size - 2)
    lines = []
    for position, each in enumerate(given.chosen):
        line = Text(named[each.id] + " ")
        values = found.get(each.id)
        if values is None:
            line.append(missing(each), colors("dim"))
        else:
            begin = 0
            for value, (_, sign) in zip(values, _PERCENTILES, strict=True):
                end = round(value / longest * room) if longest else 0
                line.append(sign * (end - begin), colors(series(position)))
                begin = max(begin, end)
            line.append(" " * (room - begin) + " " + told[each.id].rjust(size))
        lines.append(line)
    return lines


def _figures(experiment: ExperimentState, key: str, level: Level, values: tuple[float, ...] | None, width: int) -> str:
    if values is None:
        return ""
    few = _too_few(experiment, key, level)
    words = [
        f"{which} {value_with_unit(value, 's')}{'?' if which in few else ''}"
        for (which, _), value in zip(_PERCENTILES, values, strict=True)
    ]
    return "  ".join(words if width >= _ROOM_FOR_FIGURES else words[-1:])


def _too_few(experiment: ExperimentState, key: str, level: Level) -> set[str]:
    distributions = (
        distribution_of(result.metrics, key)
        for launch in experiment.launches
        if launch.status == "succeeded"
        for result in launch.results
        if result.name == level.name
    )
    return {which for each in distributions if each is not None for which in each.too_few_samples}
