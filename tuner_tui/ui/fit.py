"""Words cut to a width."""

from __future__ import annotations

from collections.abc import Sequence


def cut_middle(words: str, most: int) -> str:
    """Names that begin alike are told apart by their ends: `max-num-batched-tokens` → `max-nu…tokens`."""
    if len(words) <= most:
        return words
    if most < 5:
        return words[:most]
    end = (most - 1) // 2
    return f"{words[: most - 1 - end]}…{words[-end:]}"


def cut_name(name: str, most: int) -> str:
    """Its last word is kept where it fits: `chunked-prefill-size` → `chunked-…size`."""
    last = name[name.rfind("-", 0, -1) + 1 :]
    if len(name) <= most or len(last) + 2 > most:
        return cut_middle(name, most)
    return f"{name[: most - 1 - len(last)]}…{last}"


def cut_end(words: str, most: int) -> str:
    """`0.7, 0.75, 0.8, 0.85` → `0.7, 0.75,…`."""
    return words if len(words) <= most else f"{words[: max(0, most - 1)]}…"


def headings(names: Sequence[str], most: int) -> list[str]:
    """Each name in `most` cells: its beginning, or of those that begin alike what comes after that."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(cut_end(name, most), []).append(name)
    return [
        short if len(group) == 1 else _apart(name, group, most)
        for name in names
        for short, group in alike.items()
        if name in group
    ]


def _apart(name: str, group: Sequence[str], most: int) -> str:
    first, last = min(group), max(group)  # what these have in common, all have
    pairs = enumerate(zip(first, last, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))
    return f"…{cut_end(name[name.rfind('-', 0, same) + 1 :], most - 1)}"


def shares(first: int, second: int, width: int) -> tuple[int, int]:
    """How wide two columns become that want so much of `width`: the second one keeps three tenths where the
    first does not need the rest."""
    if first + second <= width:
        return first, second
    first = min(first, max(width - second, width * 7 // 10))
    return first, max(0, width - first)
