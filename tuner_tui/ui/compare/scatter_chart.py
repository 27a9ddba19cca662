"""Each launch's score as a dot: how far launches of one configuration lie apart shows the noise."""

from __future__ import annotations

from collections import Counter

from rich.style import Style
from rich.text import Text

from tuner_tui.search.words import metric_name
from tuner_tui.task.model import Objective
from tuner_tui.ui.charts import span
from tuner_tui.ui.compare.chart import ChartInput, Colors, head, in_words, limited, missing, names, page, series
from tuner_tui.ui.run.rows import score_words

_LEAST_TRACK = 8


def draw_scatter(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    objective = given.snapshot.objective
    sign = 1.0 if objective.direction == "minimize" else -1.0
    experiments = given.chosen
    values = [sign * score.value for each in experiments for score in each.scores]
    if not values:
        return in_words("No launch has a score yet: each that succeeds becomes a dot.", width, height, colors)
    low, high = span(values)
    if low == 0.0:
        low = max(0.0, min(values) - (high - max(values)))
    named = names(given, width)
    figures = {each.id: score_words(objective, each.score.value) for each in experiments if each.score is not None}
    size = max(map(len, figures.values()))
    name = len(next(iter(named.values())))
    track = max(_LEAST_TRACK, width - name - size - 3)
    lines = []
    for position, each in enumerate(experiments):
        line = Text(named[each.id] + " ")
        if each.score is None:
            line.append(missing(each), colors("dim"))
        else:
            dots = [sign * score.value for score in each.scores]
            _dots(line, dots, sign * each.score.value, low, high, track, colors, colors(series(position)))
            line.append(" " + figures[each.id].rjust(size))
        lines.append(line)
    name_of_it = metric_name(objective)
    title = f"{name_of_it}; " + ("lower is better" if sign > 0 else "higher is better")
    first = head(width, colors, title, name_of_it)
    told = "● a launch, 2 two of them, | mean, ◉ both"
    legend = [head(width, colors, told, "● launch | mean ◉ both")] if height >= 8 else []
    axis = _axis(objective, sign * low, sign * high, name, track, colors)
    rows = limited(lines, height - 2 - len(legend), colors, "experiments")
    return page([first, *rows, axis, *legend], width, height)


def _dots(
    line: Text, values: list[float], mean: float, low: float, high: float, track: int, colors: Colors, look: Style
) -> None:
    def cell(value: float) -> int:
        return min(track - 1, max(0, int((value - low) / (high - low) * track)))

    dots = Counter(map(cell, values))
    middle = cell(mean)
    for at in range(track):
        count = dots.get(at, 0)
        if at == middle:
            line.append("◉" if count else "|", look if count else "bold")
        elif count:
            line.append("●" if count == 1 else str(min(count, 9)), look)
        else:
            line.append("·", colors("dim"))


def _axis(objective: Objective, low: float, high: float, name: int, track: int, colors: Colors) -> Text:
    first, last = score_words(objective, low), score_words(objective, high)
    return Text(" " * (name + 1) + first + last.rjust(track - len(first)), colors("dim"))
