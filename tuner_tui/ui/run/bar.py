"""Bars and curves of block characters, exact to an eighth of a cell; their figures stand beside them."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int) -> str:
    """`██████▌   `: `share` (0 to 1) of `width` cells, rounded down; never full before it is."""
    eighths = int(min(1.0, max(0.0, share)) * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def curve(values: Sequence[float | None], *, top: float | None = None) -> str:
    """One character a value, from nothing (▁) to `top` (█; absent: the largest); blank where there is none."""
    known = [value for value in values if value is not None]
    most = top if top is not None else max(known, default=0.0)
    steps = len(_HEIGHTS) - 1
    return "".join(
        " " if value is None else _HEIGHTS[0 if most <= 0 else round(min(1.0, max(0.0, value / most)) * steps)]
        for value in values
    )
