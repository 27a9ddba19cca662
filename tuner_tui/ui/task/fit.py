"""Words cut to a width."""

from __future__ import annotations


def cut_middle(words: str, most: int) -> str:
    """Names that begin alike are told apart by their ends: `max-num-batched-tokens` → `max-nu…tokens`."""
    if len(words) <= most:
        return words
    if most < 5:
        return words[:most]
    end = (most - 1) // 2
    return f"{words[: most - 1 - end]}…{words[-end:]}"


def cut_end(words: str, most: int) -> str:
    """`0.7, 0.75, 0.8, 0.85` → `0.7, 0.75,…`."""
    return words if len(words) <= most else f"{words[: max(0, most - 1)]}…"


def shares(first: int, second: int, width: int) -> tuple[int, int]:
    """How wide two columns become that want so much of `width`: the second one goes below two fifths only where the
    first does not need the rest."""
    if first + second <= width:
        return first, second
    first = min(first, max(width - second, width * 3 // 5))
    return first, max(0, width - first)
