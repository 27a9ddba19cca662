"""Points and lines on two axes, drawn by plotext; the only module that knows it.

plotext keeps one figure for the whole process and sets axes and colours by itself: here every figure is drawn under a
lock, with the caller's axes, and in the theme's styles.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.style import Style
from rich.text import Text

_LOCK = threading.Lock()


class Spot(NamedTuple):
    """A sign of one cell at a point, and words beside it."""

    x: float
    y: float
    sign: str
    words: str = ""
    style: Style = Style()


class Axis(NamedTuple):
    """`ticks`: value and words, those that find room are drawn."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()


def span(values: Sequence[float]) -> tuple[float, float]:
    """The axis's ends for `values`: from 0 where they reach near it, else with a margin on both sides."""
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) / 10
        return low - margin, high + (margin or 1.0)
    margin = (high - low) / 10
    return (0.0 if 0 <= low <= 0.4 * high else low - margin), high + margin


def round_values(low: float, high: float, most: int) -> list[float]:
    """At most `most` (at least 2) values from `low` to `high` in steps of 1, 2 or 5 times a power of ten."""
    room = max(2, most)
    power = 10.0 ** (math.floor(math.log10((high - low) / room)) - 1)
    while True:
        for factor in (1, 2, 5):
            step = factor * power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= room:
                return [number * step for number in range(first, last + 1)]
        power *= 10


def plot(
    spots: Sequence[Spot], x: Axis, y: Axis, width: int, height: int, *, line: Sequence[tuple[float, float]] = ()
) -> Text:
    """A frame of `width` × `height` cells; the later spots over the earlier, all over `line`.

    A spot's words stand on the side where they have room, its sign exactly at the point; without room they are left
    out, those of the earlier spots first.
    """
    import plotext

    styles = list(dict.fromkeys(spot.style for spot in spots))
    margin = max((len(words) for _, words in y.ticks), default=0) + 2
    with _LOCK:
        plotext.clear_figure()
        plotext.limit_size(False, False)  # to the terminal's size; a new figure has it on again
        plotext.theme("clear")
        plotext.plot_size(width, height)
        plotext.xlim(x.low, x.high)
        plotext.ylim(y.low, y.high)
        ticks = _those_with_room(x, width - margin)
        plotext.xticks([at for at, _ in ticks], [words for _, words in ticks])
        plotext.yticks([at for at, _ in y.ticks], [words for _, words in y.ticks])
        if len(line) > 1:
            plotext.plot([at for at, _ in line], [value for _, value in line], marker="braille")
        for spot, side in zip(spots, _sides(spots, x, y, width - margin, height - 2 - bool(ticks)), strict=True):
            words = {"left": spot.words + spot.sign, "right": spot.sign + spot.words, "": spot.sign}[side]
            color = styles.index(spot.style) + 1
            plotext.text(words, x=spot.x, y=spot.y, color=color, alignment="right" if side == "left" else "left")
        drawn = plotext.build()
        plotext.clear_figure()
    return _in_styles(Text.from_ansi(drawn), styles, width, height)


def _sides(spots: Sequence[Spot], x: Axis, y: Axis, columns: int, rows: int) -> list[Literal["left", "right", ""]]:
    """Where each spot's words cover no other's sign or words; in doubt towards the middle."""
    cells = [(_cell(spot.x, x, columns), _cell(spot.y, y, rows)) for spot in spots]
    taken = set(cells)
    sides: list[Literal["left", "right", ""]] = [""] * len(spots)
    for number in reversed(range(len(spots))):
        column, row = cells[number]
        size = len(spots[number].words)
        right = range(column + 1, column + 1 + size)
        left = range(column - size, column)
        both: list[tuple[Literal["left", "right"], range]] = [("right", right), ("left", left)]
        for side, wanted in both if 2 * column < columns else reversed(both):
            free = all((cell, row) not in taken and 0 <= cell < columns for cell in wanted)
            if size and free:
                sides[number] = side
                taken |= {(cell, row) for cell in wanted}
                break
    return sides


def _cell(value: float, axis: Axis, cells: int) -> int:
    """As plotext counts, `plotext._utility.get_matrix_data`."""
    return math.floor(round(0.5 + (cells - 1) * (value - axis.low) / (axis.high - axis.low), 8))


def _those_with_room(axis: Axis, width: int) -> list[tuple[float, str]]:
    """Ticks whose words do not run into each other."""
    kept: list[tuple[float, str]] = []
    end = -1.0
    for at, words in axis.ticks:
        middle = (at - axis.low) / (axis.high - axis.low) * width
        if middle - len(words) / 2 > end:
            kept.append((at, words))
            end = middle + len(words) / 2 + 1
    return kept


def _in_styles(drawn: Text, styles: Sequence[Style], width: int, height: int) -> Text:
    """plotext numbers its colours; each number stands for one of `styles`."""
    text = Text(drawn.plain)
    for part in drawn.spans:
        color = part.style.color if isinstance(part.style, Style) else None
        if color is not None and color.number is not None and 0 < color.number <= len(styles):
            text.stylize(styles[color.number - 1], part.start, part.end)
    lines = list(text.split("\n"))[:height]
    for each in lines:
        each.rstrip()
        each.truncate(width)
    return Text("\n", no_wrap=True, end="").join(lines)
