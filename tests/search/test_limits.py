"""Limits: kept, broken, or borderline; and what that does to the verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.search.confirm import plan_confirmation
from tuner_tui.search.limits import LimitCheck, Measured, beyond, check_limits, percentiles_used, worst
from tuner_tui.search.objective import Score
from tuner_tui.search.verdict import Candidate, Verdict, judge
from tuner_tui.task.goal import NAMED
from tuner_tui.task.model import Limit, Objective

LATENCY = Objective(name="minimize_latency", direction="minimize", metric="e2e")
TTFT = Limit(metric="ttft", statistic="p99", most_s=0.5)


def measured(value_s: float, low_s: float | None = None, high_s: float | None = None, level: str = "L") -> Measured:
    return Measured(limit=TTFT, level=level, value_s=value_s, low_s=low_s, high_s=high_s)


def candidate(experiment: int, score: float, *held: Measured) -> Candidate:
    return Candidate(
        experiment=experiment,
        score=Score(value=score, low=score * 0.99, high=score * 1.01),
        limits=check_limits([held]),
    )


def verdict(*candidates: Candidate) -> Verdict:
    return judge(LATENCY, candidates, launched=len(candidates))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (measured(0.3, 0.2, 0.499), "keeps"),
        (measured(0.49, 0.45, 0.51), "borderline"),
        (measured(0.51, 0.49, 0.60), "borderline"),
        (measured(0.6, 0.501, 0.7), "breaks"),
        (measured(0.5), "keeps"),
        (measured(0.501), "breaks"),
    ],
)
def test_the_whole_interval_must_be_on_one_side(value: Measured, expected: str) -> None:
    assert worst(check_limits([[value]])) == expected


def test_over_launches_the_scatter_between_them_decides_and_not_that_within() -> None:
    wide = (0.1, 0.9)
    [check] = check_limits([[measured(0.40, *wide)], [measured(0.41, *wide)], [measured(0.39, *wide)]])
    assert check.standing == "keeps"
    assert check.value_s == pytest.approx(0.39992, abs=1e-5)
    # s = 2.5 % of scatter, t = 4.303 for 2 degrees of freedom, √3: a reach of 6.3 %
    assert check.high_s == pytest.approx(0.39992 * 1.0650, rel=1e-3)
    [scattered] = check_limits([[measured(0.3)], [measured(0.6)]])
    assert scattered.standing == "borderline"


def test_each_level_counts_and_the_worst_is_named_first() -> None:
    checks = check_limits([[measured(0.1, level="a"), measured(0.9, level="b"), measured(0.7, level="c")]])
    assert [check.level for check in checks] == ["b", "c", "a"]
    assert beyond(checks) == pytest.approx(0.8)
    assert str(checks[0]) == "ttft.p99 900 ms of 500 ms at b"


def test_a_fast_one_that_breaks_a_limit_comes_after_a_slow_one_that_keeps_it() -> None:
    got = verdict(
        candidate(1, 0.10, measured(0.9)), candidate(2, 0.30, measured(0.2)), candidate(3, 0.12, measured(0.6))
    )
    assert (got.leader, got.ranking, got.breaks) == (2, (2, 3, 1), (3, 1))
    assert "2 others break a limit" in got.sentence
    assert [each.experiment for each in got.differences] == [3, 1]
    assert got.kind == "unconfirmed"


def test_who_leads_but_may_break_a_limit_is_borderline() -> None:
    got = verdict(candidate(1, 0.10, measured(0.49, 0.4, 0.6)), candidate(2, 0.30, measured(0.2, 0.1, 0.3)))
    assert (got.kind, got.leader, got.borderline) == ("borderline", 1, (1,))
    assert (
        "Whether #1 keeps the limits is not certain: ttft.p99 490 ms [400 ms, 600 ms] of 500 ms at L." in got.sentence
    )
    assert "The best that does is #2." in got.sentence
    plan = plan_confirmation(LATENCY, [candidate(1, 0.10, measured(0.49, 0.4, 0.6)), candidate(2, 0.3, measured(0.2))])
    assert (plan.experiments, plan.launches) == ((1, 2), 3)


def test_where_none_keeps_the_limits_the_nearest_is_named_and_nobody_leads() -> None:
    got = verdict(candidate(1, 0.1, measured(0.9)), candidate(2, 0.3, measured(0.6)))
    assert (got.kind, got.leader, got.ranking) == ("none", None, (2, 1))
    assert got.sentence == (
        "No configuration keeps the limits. #2 comes nearest, 20.0 % over: ttft.p99 600 ms of 500 ms at L."
    )
    assert (
        plan_confirmation(LATENCY, [candidate(1, 0.1, measured(0.9)), candidate(2, 0.3, measured(0.6))]).launches == 0
    )


def test_one_that_breaks_a_limit_is_not_launched_again() -> None:
    plan = plan_confirmation(
        LATENCY,
        [candidate(1, 0.10, measured(0.9)), candidate(2, 0.11, measured(0.2)), candidate(3, 0.12, measured(0.2))],
    )
    assert plan.experiments == (2, 3)


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(1e-6, 1e6), st.floats(1, 3)), min_size=1, max_size=6))
def test_no_infinities_and_nobody_is_lost(rows: Sequence[tuple[float, float, float]]) -> None:
    field = [
        candidate(i, score, measured(value, value / spread, value * spread))
        for i, (score, value, spread) in enumerate(rows, start=1)
    ]
    got = verdict(*field)
    assert sorted(got.ranking) == [one.experiment for one in field]
    assert (got.leader is None) == (len(got.breaks) == len(field))
    assert "inf" not in got.sentence
    assert "nan" not in got.sentence


def test_what_percentiles_the_verdict_rests_on() -> None:
    tail = Objective(name="", direction="minimize", metric="e2e", statistic="p90", level="b")
    mean = Limit(metric="tpot", statistic="mean", most_s=0.1)
    assert percentiles_used(tail, [TTFT, mean], "a") == {("ttft", "p99")}
    assert percentiles_used(tail, [TTFT, mean], "b") == {("ttft", "p99"), ("e2e", "p90")}
    assert percentiles_used(NAMED["maximize_goodput"], [TTFT], "a") == frozenset()


def test_a_limit_check_is_data() -> None:
    check = LimitCheck(limit="ttft.p99", level="L", most_s=0.5, value_s=1.5, standing="breaks")
    assert check.excess == pytest.approx(2.0)
    assert str(check) == "ttft.p99 1.50 s of 500 ms at L"
