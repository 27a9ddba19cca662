"""Takes out of a comparison what the machine did to all launches of a block alike.

Every configuration gets its k-th launch in block k. A machine that grows hotter, or a neighbour that wakes up, moves a
whole block. In a comparison of two configurations with launches in the same blocks that cancels out of the difference
of the means, but it swells the scatter, and with it the interval.

The block's shift is read off the *other* configurations, those that are not compared: per block their mean deviation
from their own means, shrunk by 1 − 1/F, where F is the ratio of the mean squares between and within blocks in their
two-way table (James-Stein's shrinkage: little is taken off where the blocks look alike). The same shift is taken off
both sides, so the difference stays as it is. And since it comes from launches independent of the two compared, to their
test what remains is again a drift common to both, of another size. That Welch's test as used here errs no more often
with such a drift left in, whatever its size, is found by simulation and not proven (docs/verdict.md).

Why not pairs (differences within blocks and their t test)? That cancels every drift exactly and needs no others, but it
leaves n − 1 degrees of freedom instead of up to 2n − 2: with 3 launches, a 10 % difference at 3 % scatter among 8
configurations is found in 11 % instead of 25 % of the runs where there is no drift. With fewer than three others the
shift itself is too poorly known, and nothing is taken off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_FEWEST_OTHERS = 3


class BlockShifts:
    """The shifts of a run's blocks as seen by all configurations but two."""

    def __init__(self, values: Mapping[int, Sequence[float]], blocks: Mapping[int, tuple[int, ...]]) -> None:
        """`values`: of each configuration, one a launch; `blocks`: the block of each of them."""
        self._blocks = blocks
        self._deviations: dict[int, list[float]] = {}
        self._tables: dict[tuple[int, ...], _Table] = {}
        for key, row in values.items():
            if len(row) < 2:
                continue
            mean = math.fsum(row) / len(row)
            deviations = [value - mean for value in row]
            self._deviations[key] = deviations
            self._tables.setdefault(blocks[key], _Table(len(row))).add(deviations)

    def seen_by_others(self, one: int, other: int) -> list[float] | None:
        """What to take off both's values, block by block; None where that would not help.

        Only configurations launched in exactly the blocks of these two are asked, and only if these two were launched
        in the same blocks: else the shift would not fall on both alike.
        """
        if self._blocks[one] != self._blocks[other] or one not in self._deviations:
            return None
        return self._tables[self._blocks[one]].shift_without(self._deviations[one], self._deviations[other])

    def deviations(self, one: int) -> list[float]:
        """Its values about their own mean; of two launches or more."""
        return self._deviations[one]

    def least_squares(self, one: int) -> float:
        """A bound from below on the sum of squares about its mean that `one` (two launches or more) has left, whoever
        it is compared with. The shift that all see is near the one that all but two see, the nearer the more there are;
        what it may differ by is taken off amply."""
        deviations, table = self._deviations[one], self._tables[self._blocks[one]]
        return table.least_squares(deviations)


class _Table:
    """Sums over the rows of a two-way table whose rows have mean 0."""

    def __init__(self, columns: int) -> None:
        self._rows = 0
        self._sums = [0.0] * columns
        self._squares = 0.0
        self._seen_by_all: tuple[int, list[float], float] | None = None

    def add(self, row: Sequence[float]) -> None:
        self._rows += 1
        self._sums = [total + value for total, value in zip(self._sums, row, strict=True)]
        self._squares += math.fsum(value * value for value in row)

    def least_squares(self, row: Sequence[float]) -> float:
        if self._rows < _FEWEST_OTHERS + 2:
            return math.fsum(value * value for value in row)
        if self._seen_by_all is None or self._seen_by_all[0] != self._rows:
            nothing = [0.0] * len(row)
            shift = self.shift_without(nothing, nothing) or nothing
            self._seen_by_all = self._rows, shift, math.hypot(*shift) + 3 * math.sqrt(self._squares / self._rows)
        _, shift, spread = self._seen_by_all
        left = math.dist(row, shift)
        leeway = (math.hypot(*row) + spread) / self._rows
        return max(0.0, left - 3 * leeway) ** 2

    def shift_without(self, one: Sequence[float], other: Sequence[float]) -> list[float] | None:
        rows = self._rows - 2
        if rows < _FEWEST_OTHERS:
            return None
        squares, between = self._squares, 0.0
        means = []
        for total, a, b in zip(self._sums, one, other, strict=True):
            mean = (total - a - b) / rows
            means.append(mean)
            between += mean * mean
            squares -= a * a + b * b
        between *= rows
        # Mean squares: between has columns − 1 degrees of freedom, within (rows − 1)(columns − 1).
        within = max(0.0, squares - between) / (rows - 1)
        if between <= within:
            return None
        share = 1 - within / between
        return [mean * share for mean in means]
