"""Charts below each other, as many as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tuner_tui.ui.compare.chart import Chart, ChartInput, Colors

_LEAST_LINES = 10
"""For a chart that was not asked for: with fewer it would leave out most of what it is there to show."""
_NOTHING_TO_DRAW = 2
"""Lines of a chart that only says why it is none."""


def stack(charts: Sequence[tuple[str, Chart]], given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    """The first of `charts` (name and chart) in all the room it wants, and those after it in what it leaves, each below
    a line with its name."""
    (_, first), *others = charts
    drawn = first.draw(given, width, height, colors)
    left = height - _lines(drawn)
    for name, chart in others:
        if left < _LEAST_LINES + 2:
            break
        below = chart.draw(given, width, left - 2, colors)
        if _lines(below) > _NOTHING_TO_DRAW:
            heading = f"─ {name} "
            drawn.append(f"\n\n{heading}{'─' * (width - len(heading))}\n", colors("dim"))
            drawn.append_text(below)
            left -= _lines(below) + 2
    return drawn


def _lines(text: Text) -> int:
    return text.plain.count("\n") + 1
