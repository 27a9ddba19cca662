"""How often the verdict is right, by simulation: launches drawn with known means and scatter, judged by `judge`.

Prints rates beside goals: at most 5 % false winners, the tied set holding the true best in at least 95 %, a 10 %
difference at 3 % scatter found with 3 launches in at least 80 %; then what a drift, extensions and `confirm` do, and
how long one look takes.
± is the 95 % uncertainty of a rate from the number of simulated runs; "unsure" is a goal missed by less than that.

    python benchmarks/verdict.py [runs] [seed] [errors|power|drifting|extended|confirmed|speed ...]
"""

from __future__ import annotations

import math
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

from tuner_tui.search import drift
from tuner_tui.search.comparison import Comparisons
from tuner_tui.search.confirm import plan_confirmation
from tuner_tui.search.objective import Score
from tuner_tui.search.spending import error_at
from tuner_tui.search.verdict import Candidate, Verdict, judge
from tuner_tui.task.model import Objective

LATENCY = Objective(name="minimize_latency", direction="minimize", metric="e2e")

Machine = Sequence[tuple[float, float]]
"""Of each configuration its true latency and its launch-to-launch scatter (relative); #1 is the best, or as good."""

TWO_EQUAL: Machine = [(1.0, 0.03)] * 2
EIGHT_EQUAL: Machine = [(1.0, 0.03)] * 8
ONE_BETTER_OF_2: Machine = [(0.9, 0.03), (1.0, 0.03)]
ONE_BETTER_OF_8: Machine = [(0.9, 0.03)] + [(1.0, 0.03)] * 7


def launches(machine: Machine, n: int, dice: random.Random, block_scatter: float = 0.0) -> list[list[float]]:
    """n launches of each: the true value, times the launch's own luck, times that of its block."""
    blocks = [1 + dice.gauss(0, block_scatter) for _ in range(n)]
    return [[mean * (1 + dice.gauss(0, sd)) * block for block in blocks] for mean, sd in machine]


def candidates(rows: Sequence[Sequence[float]]) -> list[Candidate]:
    scores = [tuple(Score(value=value) for value in row) for row in rows]
    return [Candidate(experiment=i, score=row[-1], scores=row) for i, row in enumerate(scores, start=1)]


def simulated(machine: Machine, n: int, runs: int, seed: int, block_scatter: float = 0.0) -> Iterator[Verdict]:
    dice = random.Random(f"{seed}/{n}/{machine}/{block_scatter}")
    for _ in range(runs):
        yield judge(LATENCY, candidates(launches(machine, n, dice, block_scatter)), launched=len(machine))


def false_winner(verdict: Verdict, machine: Machine) -> bool:
    """A winner that another configuration equals or betters."""
    if verdict.kind != "winner" or verdict.leader is None:
        return False
    value = machine[verdict.leader - 1][0]
    return any(mean <= value for i, (mean, _) in enumerate(machine, start=1) if i != verdict.leader)


def holds_best(verdict: Verdict) -> bool:
    """Whether the winner, or the tied set, holds #1: of several equal ones, one that was named beforehand."""
    return verdict.leader == 1 or 1 in verdict.tied_with


def uncertainty(share: float, runs: int) -> float:
    likely = min(max(share, 1 / runs), 1 - 1 / runs)
    return 1.96 * math.sqrt(likely * (1 - likely) / runs)


def rate(share: float, runs: int) -> str:
    return f"{share:6.1%} ±{uncertainty(share, runs):5.1%}"


def goal(share: float, runs: int, *, at_most: float | None = None, at_least: float | None = None) -> str:
    """ok, MISSED, or "unsure": on the wrong side of the goal, but by no more than the runs' uncertainty."""
    excess = share - at_most if at_most is not None else (at_least or 0.0) - share
    return "ok" if excess <= 0 else "unsure" if excess <= uncertainty(share, runs) else "MISSED"


def errors(runs: int, seed: int) -> None:
    print(f"\n{'False winners and tied sets':58} launches  false winner (≤ 5 %)        best held (≥ 95 %)")
    worse_precise = [(1.15, 0.01)] * 6
    worse_noisy = [(1.15, 0.06)] * 6
    cases: list[tuple[str, Machine, float]] = [
        ("A/A, 2 equal", TWO_EQUAL, 0.0),
        ("A/A, 8 equal", EIGHT_EQUAL, 0.0),
        ("A/A, 8 equal, 3 % drift between blocks", EIGHT_EQUAL, 0.03),
        ("A/A, 8 equal, one at 6 %, others 1 %", [(1.0, 0.06)] + [(1.0, 0.01)] * 7, 0.0),
        ("A/A, 8 equal, one at 1 %, others 6 %", [(1.0, 0.01)] + [(1.0, 0.06)] * 7, 0.0),
        ("2 equal at 6 %, 6 worse at 1 %", [(1.0, 0.06)] * 2 + worse_precise, 0.0),
        ("2 equal at 1 %, 6 worse at 6 %", [(1.0, 0.01)] * 2 + worse_noisy, 0.0),
        ("2 equal at 6 % and 1 %, 6 worse at 1 %", [(1.0, 0.06), (1.0, 0.01), *worse_precise], 0.0),
        ("2 equal at 1 % and 6 %, 6 worse at 6 %", [(1.0, 0.01), (1.0, 0.06), *worse_noisy], 0.0),
        ("2 equal at 4 % and 1 %, 6 far worse (the worst case)", [(1.0, 0.04), (1.0, 0.01)] + [(2.0, 0.01)] * 6, 0.0),
        ("the same, 3 % drift between blocks", [(1.0, 0.04), (1.0, 0.01)] + [(2.0, 0.01)] * 6, 0.03),
        ("8 in steps of 1 % at 3 %", [(1 + 0.01 * i, 0.03) for i in range(8)], 0.0),
        ("8 in steps of 1 %, noise 1 to 6 %", [(1 + 0.01 * i, (0.06, 0.01)[i % 2]) for i in range(8)], 0.0),
    ]
    for name, machine, block_scatter in cases:
        for n in (2, 3, 5):
            verdicts = list(simulated(machine, n, runs, seed, block_scatter))
            false = sum(false_winner(verdict, machine) for verdict in verdicts) / runs
            held = sum(map(holds_best, verdicts)) / runs
            print(
                f"{name:58} {n:8}  {rate(false, runs)} {goal(false, runs, at_most=0.05):6}      "
                f"{rate(held, runs)} {goal(held, runs, at_least=0.95):6}"
            )
            name = ""


def power(runs: int, seed: int) -> None:
    print(f"\n{'One 10 % better, 3 % scatter: found':58} launches  as the winner (≥ 80 % with 3)   tied set's size")
    for name, machine in (("2 configurations", ONE_BETTER_OF_2), ("8 configurations", ONE_BETTER_OF_8)):
        for n in (2, 3, 4, 5, 6):
            verdicts = list(simulated(machine, n, runs, seed))
            found = sum(verdict.kind == "winner" and verdict.leader == 1 for verdict in verdicts) / runs
            size = sum(1 + len(verdict.tied_with) for verdict in verdicts) / runs
            mark = goal(found, runs, at_least=0.8) if n == 3 else ""
            print(f"{name:58} {n:8}  {rate(found, runs)} {mark:6}             {size:4.1f}")
            name = ""


def drifting(runs: int, seed: int) -> None:
    print(f"\n{'The same with 3 % drift between blocks: found':58} launches  block shifts taken off   left in")
    fewest_others = drift._FEWEST_OTHERS
    for name, machine in (("2 configurations", ONE_BETTER_OF_2), ("8 configurations", ONE_BETTER_OF_8)):
        needed: list[int | None] = [None, None]
        for n in (3, 4, 5, 6, 7):
            found = []
            for which, others in enumerate((fewest_others, len(machine))):
                drift._FEWEST_OTHERS = others
                verdicts = simulated(machine, n, runs, seed, 0.03)
                found.append(sum(verdict.kind == "winner" and verdict.leader == 1 for verdict in verdicts) / runs)
                if found[-1] >= 0.8 and needed[which] is None:
                    needed[which] = n
            drift._FEWEST_OTHERS = fewest_others
            print(f"{name:58} {n:8}  {rate(found[0], runs)}           {rate(found[1], runs)}")
            name = ""
        print(f"{'':58} launches needed for 80 %: {needed[0]} with block shifts taken off, {needed[1]} without")


def extended(runs: int, seed: int) -> None:
    print(f"\n{'3 launches, and after each tie 3 more, 3 times at most':58}           false winner (≤ 5 %)")
    cases: list[tuple[str, Machine]] = [
        ("A/A, 2 equal", TWO_EQUAL),
        ("A/A, 2 equal at 4 % and 1 %", [(1.0, 0.04), (1.0, 0.01)]),
        ("A/A, 8 equal", EIGHT_EQUAL),
    ]
    for name, machine in cases:
        dice = random.Random(f"{seed}/{machine}")
        false = 0
        for _ in range(runs):
            rows = launches(machine, 12, dice)
            for looks in (1, 2, 3, 4):
                field = candidates([row[: 3 * looks] for row in rows])
                if judge(LATENCY, field, launched=len(machine), looks=looks).kind == "winner":
                    false += 1
                    break
        print(f"{name:67}  {rate(false / runs, runs)} {goal(false / runs, runs, at_most=0.05)}")


def confirmed(runs: int, seed: int) -> None:
    print(f"\n{'1 launch each, the leaders relaunched as confirm plans':58} relaunched  false winner      right winner")
    worse = [(1.15, 0.01)] * 6
    cases: list[tuple[str, Machine]] = [
        ("A/A, 8 equal", EIGHT_EQUAL),
        ("2 equal at 6 %, 6 worse at 1 %", [(1.0, 0.06)] * 2 + worse),
        ("2 equal at 6 % and 1 %, 6 worse at 1 %", [(1.0, 0.06), (1.0, 0.01), *worse]),
        ("one of 8 is 10 % better, 3 %", ONE_BETTER_OF_8),
        ("8 in steps of 5 % at 3 %", [(1 + 0.05 * i, 0.03) for i in range(8)]),
    ]
    for name, machine in cases:
        dice = random.Random(f"{seed}/{machine}")
        false = right = relaunched = 0
        for _ in range(runs):
            rows = launches(machine, 1, dice)
            plan = plan_confirmation(LATENCY, candidates(rows))
            relaunched += len(plan.experiments)
            for experiment in plan.experiments:
                rows[experiment - 1] += launches([machine[experiment - 1]], plan.launches, dice)[0]
            verdict = judge(LATENCY, candidates(rows), launched=len(machine))
            wrong = false_winner(verdict, machine)
            false += wrong
            right += verdict.kind == "winner" and not wrong
        mark = goal(false / runs, runs, at_most=0.05)
        print(f"{name:58} {relaunched / runs:10.1f}  {rate(false / runs, runs)} {mark:6} {rate(right / runs, runs)}")


def speed(runs: int, seed: int) -> None:
    """A look at 1,000 configurations × 3 launches (goal: under 50 ms), beside asking every pair for the tied set."""
    print(f"\n{'1,000 configurations × 3 launches: CPU time of':58} one look   asking every pair    ratio   tied")
    dice = random.Random(seed)
    for name, block_scatter in (("steady", 0.0), ("3 % drift between blocks", 0.03)):
        rows = launches([(1 + 0.001 * i, 0.03) for i in range(1000)], 3, dice, block_scatter)
        field = candidates(rows)
        judge(LATENCY, field, launched=1000)
        took_s = []
        for _ in range(10):
            began = time.process_time()
            verdict = judge(LATENCY, field, launched=1000)
            took_s.append(time.process_time() - began)
        look_s = statistics.median(took_s)
        began = time.process_time()
        comparisons = Comparisons(LATENCY, field)
        ranked = sorted((one.experiment for one in field), key=comparisons.mean)
        alpha = 2 * error_at(1) / 999
        tied = [
            each
            for rank, each in enumerate(ranked)
            if not any(comparisons.better(other, each, 0.0, alpha) for other in ranked[:rank])
        ]
        every_s = time.process_time() - began
        assert abs(len(tied) - 1 - len(verdict.tied_with)) <= 5
        print(
            f"{name:58} {look_s * 1000:5.0f} ms {every_s * 1000:15,.0f} ms {every_s / look_s:7.0f} ×   {len(tied)} "
            f"{'ok' if look_s < 0.05 else 'MISSED'}"
        )


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"{runs} simulated runs a line, seed {seed}")
    parts = (errors, power, drifting, extended, confirmed, speed)
    for part in parts:
        if not sys.argv[3:] or part.__name__ in sys.argv[3:]:
            part(runs, seed)


if __name__ == "__main__":
    main()
