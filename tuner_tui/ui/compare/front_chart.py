"""Throughput against latency, with Pareto's front."""

from __future__ import annotations

from rich.text import Text

from tuner_tui.report.comparison import Point, throughput_against_latency
from tuner_tui.report.words import value_with_unit
from tuner_tui.ui.charts import Axis, Spot, plot, round_values, span
from tuner_tui.ui.compare.chart import ChartInput, Colors, head, in_words, limited, page, series

_MOST_NAMED = 12
"""Points; of more, only those of the front are named."""
_LEAST_PLOT = 10


def draw_front(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    chosen = given.chosen
    points = throughput_against_latency(given.snapshot, [each.id for each in chosen]) if chosen else ()
    if not points:
        sentence = "No valid throughput yet: each experiment is a point at each level."
        return in_words(sentence, width, height, colors)
    front = [point for point in points if point.front]
    told = min(len(front), max(0, height - 1 - _LEAST_PLOT))
    rows = max(3, height - 1 - told)
    at = {each.id: position for position, each in enumerate(chosen)}
    spots = [
        Spot(
            x=point.latency_s,
            y=point.tokens_per_s,
            sign="★" if point.front else "•",
            words=f"#{point.experiment}" if point.front or len(points) <= _MOST_NAMED else "",
            style=colors("winner" if point.front else series(at[point.experiment])),
        )
        for point in sorted(points, key=lambda each: each.front)
    ]
    x_low, x_high = span([point.latency_s for point in points])
    y_low, y_high = span([point.tokens_per_s for point in points])
    x = Axis(
        x_low, x_high, tuple((v, value_with_unit(v, "s")) for v in round_values(x_low, x_high, max(3, width // 10)))
    )
    y = Axis(y_low, y_high, tuple((v, f"{v:,.4g}") for v in round_values(y_low, y_high, max(2, (rows - 3) // 3))))
    axes = "↑ output tok/s per GPU, → E2E mean"
    several = len({level.scenario for level in given.snapshot.levels}) > 1
    legend = "★ front of each traffic" if several else "★ front: no other has more at a lower latency"
    first = head(width, colors, f"{axes}   {legend}", f"{axes}  ★ front", axes)
    drawn = plot(spots, x, y, width, rows)
    listed = limited([_words(point) for point in front], told, colors, "on the front")
    return page([first, *drawn.split("\n"), *listed], width, height)


def _words(point: Point) -> Text:
    latency = value_with_unit(point.latency_s, "s")
    return Text(f"★ #{point.experiment}  {latency}  {value_with_unit(point.tokens_per_s, 'tokens/s')}  {point.level}")
