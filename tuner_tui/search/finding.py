"""Who leads a field, and who is tied with it: the tests that `verdict` describes, without any words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from tuner_tui.search.comparison import Candidate, Comparisons
from tuner_tui.search.objective import Score
from tuner_tui.search.spending import ERROR


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`leader` is the first of those ranked; `tied_with` is empty unless it is a tie."""

    kind: Literal["winner", "tie", "unconfirmed"]
    leader: int
    tied_with: tuple[int, ...] = ()


def find(comparisons: Comparisons, ranked: Sequence[Candidate], *, alpha: float, margin: float = 0.0) -> Finding:
    """`ranked`: at least one, best first by `comparisons.mean`; `margin` as `Comparisons.margin` has it.

    With one launch each, those whose intervals within the launch overlap the leader's are tied with it. With several,
    the leader wins if it is better than each other one, else the tied are those that nobody is better than.
    """
    ids = [one.experiment for one in ranked]
    leader, others = ids[0], ids[1:]
    if all(len(one.launches) == 1 for one in ranked):
        tied = tuple(other.experiment for other in ranked[1:] if _overlap(ranked[0].score, other.score))
        return Finding(kind="tie" if tied else "unconfirmed", leader=leader, tied_with=tied)
    if all(comparisons.better(leader, other, margin, alpha) for other in others):
        alone = not others or comparisons.launches(leader) == 1
        return Finding(kind="unconfirmed" if alone else "winner", leader=leader)
    # One-sided α over the number of others; never easier than losing to the winner, or a tie could be with nobody.
    strict = min(alpha, _rounded_down(2 * alpha / len(others)))
    tied = tuple(each for each in comparisons.unbeaten(ids, margin, strict) if each != leader)
    if not tied:
        tied = tuple(other for other in others if not comparisons.better(leader, other, margin, alpha))
    return Finding(kind="tie", leader=leader, tied_with=tied)


def _rounded_down(alpha: float) -> float:
    """An error that small, or up to a twelfth smaller: so that a run whose field grows by one with each launch does not
    need new critical values at each."""
    if alpha > ERROR / 8:
        return alpha
    return math.exp2(math.floor(8 * math.log2(alpha)) / 8)


def _overlap(one: Score, other: Score) -> bool:
    """Whether two intervals share a point; scores without interval never do, equal ones always."""
    if one.value == other.value:
        return True
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low <= other.high and other.low <= one.high
