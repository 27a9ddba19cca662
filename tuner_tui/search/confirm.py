"""Which configurations to launch again, and how often, so that a tie may become a winner."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from tuner_tui.search.comparison import SINGLE_SCATTER, Candidate, Comparisons
from tuner_tui.search.spending import error_at
from tuner_tui.search.student import critical_value
from tuner_tui.search.verdict import judge
from tuner_tui.search.welch import raising_factor
from tuner_tui.search.words import more_launches
from tuner_tui.task.model import Objective

FIRST = 3
"""More launches after single ones: four in all find a 10 % difference at 3 % scatter (docs/verdict.md)."""

MOST = 10
"""Nobody waits for more; a difference that needs more is nothing to tune for."""

# Single launches this far behind the leader are not worth a second: four times a scatter of 5 %, which is common. As
# logarithms are compared, that is a ratio of 1.22: 1.22 s beside 1 s, and 82 tokens/s beside 100.
# Nearer ones, left at one launch, could not be told from the leader later on (see `comparison.SINGLE_SCATTER`).
_NEAR = 4 * SINGLE_SCATTER
# The two-sided error whose critical value leaves 20 % on one side: for a power of 80 %.
_BOTH_SIDES_OF_80 = 0.4


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """What to relaunch: `launches` more of each of `experiments`, best first. Both empty where nothing is open."""

    experiments: tuple[int, ...] = ()
    launches: int = 0
    sentence: str = ""


def plan_confirmation(
    objective: Objective, candidates: Sequence[Candidate], *, min_difference: float = 0.0, looks: int = 1
) -> Confirmation:
    """The leader and those tied with it, with the launches expected to tell the first two apart.

    Configurations that break a limit are out. A borderline leader is launched 3 times more, with the best one that is
    sure to keep the limits.

    `looks` is of the verdict there is (see `judge`). Launched once each, the scatter is not known: all within a ratio
    of 1.22 of the leader (two at least) get 3 more. Else the number is the smallest that would find the difference seen
    to be over `min_difference` with 80 %, were it and the scatter seen the true ones; 10 at most.
    """
    verdict = judge(objective, candidates, launched=len(candidates), min_difference=min_difference, looks=looks)
    candidates = [one for one in candidates if one.experiment not in verdict.breaks]
    if verdict.kind == "borderline" and verdict.leader is not None:
        sure = [each for each in verdict.ranking if each not in (*verdict.borderline, *verdict.breaks)]
        return Confirmation(
            experiments=(verdict.leader, *sure[:1]),
            launches=FIRST,
            sentence=f"{FIRST} more launches narrow down whether #{verdict.leader} keeps the limits.",
        )
    if verdict.leader is None or len(candidates) == 1 or verdict.kind == "winner":
        return Confirmation()
    comparisons = Comparisons(objective, candidates)
    rank = {one.experiment: (comparisons.mean(one.experiment), one.experiment) for one in candidates}
    ids = sorted(rank, key=lambda experiment: rank[experiment])
    best = comparisons.mean(verdict.leader)
    if all(comparisons.launches(experiment) == 1 for experiment in ids):
        near = {experiment for experiment in ids if comparisons.mean(experiment) - best <= _NEAR}
        chosen = [each for each in ids if each in near or each in verdict.tied_with or each in ids[:2]]
        return Confirmation(
            experiments=tuple(chosen),
            launches=FIRST,
            sentence=f"One launch each shows no scatter; {FIRST} more of the {len(chosen)} best will.",
        )
    chosen = [each for each in ids if each == verdict.leader or each in verdict.tied_with] or ids[:1]
    if len(chosen) == 1:
        # A leader ahead of all with a single launch: it alone has to be repeated.
        return Confirmation(experiments=(verdict.leader,), launches=1, sentence="The leader was launched once only.")
    repeated = [each for each in chosen if comparisons.launches(each) > 1] or [
        each for each in ids if comparisons.launches(each) > 1
    ]
    scatter = math.sqrt(math.fsum(comparisons.deviation(each) ** 2 for each in repeated) / len(repeated))
    margin = comparisons.margin(min_difference)
    distance = max(comparisons.mean(chosen[1]) - best - margin, 0.0)
    now = min(comparisons.launches(each) for each in chosen)
    more = _launches_needed(scatter, distance, now, error_at(looks + 1))
    if more is None:
        sentence = f"More than {MOST} launches each would be needed to tell the first two apart: take them as equal."
        return Confirmation(experiments=tuple(chosen), launches=MOST, sentence=sentence)
    sentence = f"{more_launches(more)} should tell the first two apart."
    return Confirmation(experiments=tuple(chosen), launches=more, sentence=sentence)


def _launches_needed(scatter: float, distance: float, now: int, alpha: float) -> int | None:
    """More launches until `distance` is found with 80 % at this scatter (both relative); None: over `MOST`."""
    if distance <= 0:
        return None
    for more in range(1, MOST + 1):
        n = now + more
        df = 2.0 * (n - 1)
        reach = raising_factor(n, n, alpha) * critical_value(alpha, df) + critical_value(_BOTH_SIDES_OF_80, df)
        if reach * scatter * math.sqrt(2 / n) <= distance:
            return more
    return None
