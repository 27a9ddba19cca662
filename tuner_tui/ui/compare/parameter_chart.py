"""The score by what a flag was set to: a line for one flag, a map of shaded cells for two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from tuner_tui.report.labels import differing_flags
from tuner_tui.report.words import value_words
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.search.words import metric_name
from tuner_tui.task.model import Objective
from tuner_tui.ui.charts import Axis, Spot, plot, round_values, span
from tuner_tui.ui.compare.chart import ChartInput, Colors, fitted, head, in_words, limited, page
from tuner_tui.ui.run.bar import bar
from tuner_tui.ui.run.rows import score_words

_LEAST_PLOT = 9
_LEAST_BAR = 4
_SHADES = "░▒▓█"


class _At(NamedTuple):
    """The experiments with one value of the flag: the mean of their scores (lower is better), and how many have one."""

    words: str
    number: float | None
    score: float | None
    measured: int
    of: int


def draw_parameter(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    """The chosen flag's line; where none was chosen, of two flags or more the map of the first two."""
    flags = differing_flags(given.snapshot)
    chosen = [each for each in given.chosen if each.id != 0]
    if not flags:
        return in_words("No flag tells these experiments apart.", width, height, colors)
    if all(each.score is None for each in chosen):
        return in_words("No experiment has a score yet: they are held against their flags here.", width, height, colors)
    if given.parameter not in flags and len(flags) > 1:
        return _map(given.snapshot.objective, chosen, flags, width, height, colors)
    flag = given.parameter if given.parameter in flags else flags[0]
    return _one_flag(given.snapshot.objective, chosen, flag, len(flags) - 1, width, height, colors)


def _one_flag(
    objective: Objective,
    experiments: Sequence[ExperimentState],
    flag: str,
    others: int,
    width: int,
    height: int,
    colors: Colors,
) -> Text:
    found = []
    for words, number in _values(experiments, flag):
        those = [each for each in experiments if value_words(each.configuration, flag) == words]
        scores = [each.score.value for each in those if each.score is not None]
        score = math.fsum(scores) / len(scores) if scores else None
        found.append(_At(words, number, score, len(scores), len(those)))
    over = f", mean over {others} other flag{'s' if others > 1 else ''}" if others else ""
    name = metric_name(objective)
    first = head(width, colors, f"{name} by {flag}{over}", f"by {flag}{over}", f"by {flag}")
    best = min(each.score for each in found if each.score is not None)
    known = [each for each in found if each.score is not None]
    if height - 1 >= _LEAST_PLOT and len(known) > 1 and all(each.number is not None for each in found):
        body = list(_line(objective, known, best, width, height - 1, colors).split("\n"))
    else:
        body = limited(_bars(objective, found, best, width, colors), height - 1, colors, "values")
    return page([first, *body], width, height)


def _line(objective: Objective, known: Sequence[_At], best: float, width: int, height: int, colors: Colors) -> Text:
    points = [(at.number or 0.0, abs(at.score or 0.0)) for at in known]
    x_low, x_high = span([x for x, _ in points])
    if x_low == 0.0:
        x_low = min(x for x, _ in points) - (x_high - max(x for x, _ in points))
    y_low, y_high = span([y for _, y in points])
    spots = []
    for at, (x, y) in zip(known, points, strict=True):
        sign, look = ("★", "winner") if at.score == best else ("●", "series-1")
        spots.append(Spot(x, y, sign, _figure(objective, at), colors(look)))
    x_axis = Axis(x_low, x_high, tuple((at.number or 0.0, at.words) for at in known))
    values = round_values(y_low, y_high, max(2, (height - 3) // 3))
    y_axis = Axis(y_low, y_high, tuple((value, score_words(objective, value)) for value in values))
    return plot(spots, x_axis, y_axis, width, height, line=points)


def _bars(objective: Objective, found: Sequence[_At], best: float, width: int, colors: Colors) -> list[Text]:
    name = min(width // 3, max(len(at.words) for at in found))
    figures = [_figure(objective, at) for at in found]
    size = max(map(len, figures))
    longest = max(abs(at.score) for at in found if at.score is not None) or 1.0
    room = max(_LEAST_BAR, width - name - size - 4)
    lines = []
    for at, figure in zip(found, figures, strict=True):
        line = Text(fitted(at.words, name) + " ", "bold")
        if at.score is None:
            line.append("no score", colors("dim"))
        else:
            line.append(bar(abs(at.score) / longest, room), colors("series-1"))
            line.append(f" {figure.rjust(size)}")
            line.append(" ★" if at.score == best else "", colors("winner"))
        lines.append(line)
    return lines


def _figure(objective: Objective, at: _At) -> str:
    if at.score is None:
        return ""
    return score_words(objective, at.score) + (f" ({at.measured} of {at.of})" if at.measured < at.of else "")


def _map(
    objective: Objective,
    experiments: Sequence[ExperimentState],
    flags: Sequence[str],
    width: int,
    height: int,
    colors: Colors,
) -> Text:
    down, across = flags[:2]
    rows = [words for words, _ in _values(experiments, down)]
    columns = [words for words, _ in _values(experiments, across)]
    scores: dict[tuple[str, str], list[float]] = {}
    for each in experiments:
        if each.score is not None:
            place = value_words(each.configuration, down), value_words(each.configuration, across)
            scores.setdefault(place, []).append(each.score.value)
    means = {place: math.fsum(values) / len(values) for place, values in scores.items()}
    best, worst = min(means.values()), max(means.values())
    over = f", mean over {len(flags) - 2} more" if len(flags) > 2 else ""
    figures = {place: score_words(objective, value) for place, value in means.items()}
    name = min(width // 3, max(map(len, rows)))
    size = max(*map(len, figures.values()), *(min(len(words), 12) for words in columns)) + 5
    fit = max(1, (width - name - 1) // size)
    left_out = f"; {len(columns) - fit} more columns" if len(columns) > fit else ""
    flags_told = f"{down} ↓, {across} →{over}{left_out}"
    lines = [head(width, colors, f"{metric_name(objective)}: {flags_told}", flags_told)]
    lines.append(Text(" " * (name + 1) + "".join(fitted(words, size) for words in columns[:fit]), "bold"))
    body = []
    for row in rows:
        line = Text(fitted(row, name) + " ", "bold")
        for column in columns[:fit]:
            value = means.get((row, column))
            if value is None:
                line.append(fitted("–", size), colors("dim"))
                continue
            share = 1.0 if worst == best else (worst - value) / (worst - best)
            shade = _SHADES[min(len(_SHADES) - 1, int(share * len(_SHADES)))]
            look = colors("winner" if value == best else "series-1")
            line.append(shade * 2, look)
            words = ("★" if value == best else " ") + figures[row, column]
            line.append(fitted(words, size - 2), look if value == best else "")
        body.append(line)
    legend = [Text("█ best … ░ worst, – no score", colors("dim"))] if height >= len(rows) + 3 else []
    return page([*lines, *limited(body, height - 2 - len(legend), colors, "values"), *legend], width, height)


def _values(experiments: Sequence[ExperimentState], flag: str) -> list[tuple[str, float | None]]:
    """The flag's values in words, numbers in their order and before what is none."""
    found: dict[str, float | None] = {}
    for each in experiments:
        value = each.configuration.get(flag)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        found.setdefault(value_words(each.configuration, flag), number)
    return sorted(found.items(), key=lambda item: (item[1] is None, item[1] or 0.0))
