"""Lists of CPUs as the kernel and Docker write them."""

from __future__ import annotations


def parse_cpuset(text: str) -> frozenset[int]:
    """`0-3,6` → {0, 1, 2, 3, 6}. Format: cpuset(7), "List format". Raises ValueError with a sentence."""
    cpus: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise ValueError(f'"{text}" is not a list of CPUs: write it as "0-3,6".')
        low, high = int(first), int(last if dash else first)
        if high < low or high > 65535:
            raise ValueError(f'"{text}" is not a list of CPUs: {low}-{high} has no CPU in it or too many.')
        cpus.update(range(low, high + 1))
    return frozenset(cpus)
