"""Which configurations `confirm` launches again, and how often."""

from __future__ import annotations

from collections.abc import Sequence

from tuner_tui.search.confirm import Confirmation, plan_confirmation
from tuner_tui.search.objective import Score
from tuner_tui.search.verdict import Candidate, judge
from tuner_tui.task.model import Objective

LATENCY = Objective(name="minimize_latency", direction="minimize", metric="e2e")
THROUGHPUT = Objective(name="maximize_throughput", direction="maximize", metric="output_tokens_per_s_per_gpu")
GOODPUT = Objective(name="maximize_goodput", direction="maximize", metric="good_requests_per_s_per_gpu")


def field(*rows: Sequence[float]) -> list[Candidate]:
    scores = [tuple(Score(value=value) for value in row) for row in rows]
    return [Candidate(experiment=i, score=row[-1], scores=row) for i, row in enumerate(scores, start=1)]


def test_after_single_launches_those_near_the_leader_are_repeated() -> None:
    plan = plan_confirmation(LATENCY, field([0.230], [0.200], [0.205], [0.300]))
    assert (plan.experiments, plan.launches) == ((2, 3, 1), 3)


def test_near_is_the_same_ratio_for_a_time_and_for_its_reciprocal() -> None:
    """Docs: 1.22 s beside 1 s, 82 tokens/s beside 100."""
    times_s = [1.0, 1.1, 1.22, 1.23]
    assert plan_confirmation(LATENCY, field(*([each] for each in times_s))).experiments == (1, 2, 3)
    assert plan_confirmation(THROUGHPUT, field(*([-100 / each] for each in times_s))).experiments == (1, 2, 3)


def test_where_no_request_was_good_nothing_is_repeated() -> None:
    assert plan_confirmation(GOODPUT, field([0.0], [0.0])) == Confirmation()


def test_two_are_repeated_at_least() -> None:
    assert plan_confirmation(LATENCY, field([0.9], [0.2], [0.5])).experiments == (2, 3)


def test_intervals_that_overlap_count_as_near() -> None:
    values = [(0.2, 0.1, 0.3), (0.21, 0.20, 0.22), (0.29, 0.28, 0.30)]
    scores = [Score(value=value, low=low, high=high) for value, low, high in values]
    candidates = [Candidate(experiment=i, score=score) for i, score in enumerate(scores, start=1)]
    assert plan_confirmation(LATENCY, candidates).experiments == (1, 2, 3)


def test_a_tie_asks_for_as_many_as_its_difference_needs() -> None:
    near = plan_confirmation(LATENCY, field([0.200, 0.206, 0.194], [0.212, 0.218, 0.206]))
    far = plan_confirmation(LATENCY, field([0.200, 0.206, 0.194], [0.213, 0.219, 0.207]))
    assert near.experiments == far.experiments == (1, 2)
    assert 1 <= far.launches < near.launches <= 10


def test_the_launches_asked_for_are_enough_where_the_figures_hold() -> None:
    first, second = [0.200, 0.206, 0.194], [0.213, 0.219, 0.207]
    plan = plan_confirmation(LATENCY, field(first, second))
    rounds = 1 + -(-plan.launches // 3)
    grown = field(first * rounds, second * rounds)
    assert judge(LATENCY, grown, launched=2, looks=2).kind == "winner"


def test_equals_are_not_worth_the_wait() -> None:
    plan = plan_confirmation(LATENCY, field([0.200, 0.206, 0.194], [0.2001, 0.2061, 0.1941]))
    assert plan.launches == 10
    assert "take them as equal" in plan.sentence


def test_who_is_out_is_not_launched_again() -> None:
    plan = plan_confirmation(LATENCY, field([0.200, 0.201, 0.199], [0.2005, 0.202, 0.2], [0.4, 0.401, 0.399]))
    assert plan.experiments == (1, 2)


def test_a_leader_launched_once_is_repeated() -> None:
    plan = plan_confirmation(LATENCY, field([0.1], [0.2, 0.201, 0.199], [0.3, 0.301, 0.302]))
    assert (plan.experiments, plan.launches) == ((1,), 1)


def test_with_a_winner_or_without_rivals_nothing_is_open() -> None:
    assert plan_confirmation(LATENCY, field([0.2, 0.201, 0.199], [0.3, 0.301, 0.299])) == Confirmation()
    assert plan_confirmation(LATENCY, field([0.2, 0.201, 0.199])) == Confirmation()
    assert plan_confirmation(LATENCY, []) == Confirmation()
