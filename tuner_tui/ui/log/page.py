"""Which part of which row stands where on a page, where a long row may take several screen lines.

A **row** is a line that is shown (with a filter not every line is); a **part** is one screen line of a wrapped row.
Nothing here asks for more rows than a page holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

PartsOf = Callable[[int], int]
"""Row → how many screen lines it takes, at least 1."""


class Place(NamedTuple):
    row: int
    part: int = 0


START = Place(0, 0)


def fill(top: Place, height: int, rows: int, parts_of: PartsOf) -> list[Place]:
    """What the screen lines of a page show that begins with `top`; fewer than `height` at the end."""
    page: list[Place] = []
    row, part = top
    while row < rows and len(page) < height:
        parts = parts_of(row)
        page += [Place(row, each) for each in range(part, min(parts, part + height - len(page)))]
        row, part = row + 1, 0
    return page


def moved(place: Place, by: int, rows: int, parts_of: PartsOf) -> Place:
    """The place so many screen lines further down (up, where `by` is negative), at most at either end."""
    row, part = place
    part += by
    while part < 0 and row > 0:
        row -= 1
        part += parts_of(row)
    while row < rows - 1 and part >= (parts := parts_of(row)):
        part -= parts
        row += 1
    return Place(row, max(0, min(part, parts_of(row) - 1))) if rows else START


def last_top(height: int, rows: int, parts_of: PartsOf) -> Place:
    """Where a page begins that ends with the last screen line."""
    if not rows or height <= 0:
        return START
    return moved(Place(rows - 1, parts_of(rows - 1) - 1), 1 - height, rows, parts_of)


def folds(text: str, width: int, cells_of: Callable[[str], int]) -> list[int]:
    """The offsets at which a row is cut to fit into `width` cells; none where it fits."""
    if width <= 0:
        return []
    if text.isascii():
        return list(range(width, len(text), width))
    cuts, used = [], 0
    for at, c in enumerate(text):
        cells = cells_of(c)
        if used + cells > width and used:
            cuts.append(at)
            used = 0
        used += cells
    return cuts
