"""How often the verdict errs, by simulation in small; benchmarks/verdict.py has it in full.

The bounds are the goal plus what 200 runs may add by chance (0.1 % of the time), so a test that lost its level fails.
"""

from __future__ import annotations

import random

import pytest

from tuner_tui.search.objective import Score
from tuner_tui.search.verdict import Candidate, Verdict, judge
from tuner_tui.task.model import Objective

LATENCY = Objective(name="minimize_latency", direction="minimize", metric="e2e")
RUNS = 200

Machine = list[tuple[float, float]]
"""True latency and launch-to-launch scatter of each configuration."""

WORSE: Machine = [(1.15, 0.01)] * 6


def verdicts(machine: Machine, n: int, block_scatter: float = 0.0) -> list[Verdict]:
    dice = random.Random(f"{machine}/{n}")
    found = []
    for _ in range(RUNS):
        blocks = [1 + dice.gauss(0, block_scatter) for _ in range(n)]
        rows = [tuple(Score(value=mean * dice.gauss(1, sd) * block) for block in blocks) for mean, sd in machine]
        candidates = [Candidate(experiment=i, score=row[-1], scores=row) for i, row in enumerate(rows, start=1)]
        found.append(judge(LATENCY, candidates, launched=len(machine)))
    return found


@pytest.mark.parametrize(
    "machine",
    [
        [(1.0, 0.03)] * 2,
        [(1.0, 0.03)] * 8,
        [(1.0, 0.06), (1.0, 0.06), *WORSE],
        [(1.0, 0.06), (1.0, 0.01), *WORSE],
    ],
    ids=["2 equal", "8 equal", "2 equal at 6 %, 6 worse at 1 %", "2 equal at 6 % and 1 %, 6 worse at 1 %"],
)
@pytest.mark.parametrize("block_scatter", [0.0, 0.03], ids=["steady", "drifting"])
def test_equals_have_no_winner_and_the_tied_set_holds_the_one_named_beforehand(
    machine: Machine, block_scatter: float
) -> None:
    found = verdicts(machine, 3, block_scatter)
    # The 99.9 % points of the binomial distribution with 200 trials at 5 % and 95 %.
    assert sum(each.kind == "winner" for each in found) <= 20
    assert sum(each.leader == 1 or 1 in each.tied_with for each in found) >= 180


def test_a_difference_of_10_percent_is_found_with_four_launches() -> None:
    right = [each for each in verdicts([(0.9, 0.03), (1.0, 0.03)], 4) if each.kind == "winner"]
    assert len(right) >= 0.9 * RUNS
    assert {each.leader for each in right} == {1}


def test_a_drift_that_hits_all_alike_is_seen_through() -> None:
    """With the block shifts left in, 44 % would be found; with them taken off, over 70 %."""
    found = verdicts([(0.9, 0.03)] + [(1.0, 0.03)] * 7, 4, block_scatter=0.03)
    assert sum(each.kind == "winner" and each.leader == 1 for each in found) >= 0.6 * RUNS
