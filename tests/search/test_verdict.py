"""The verdict with one launch each: a tie or unconfirmed, never a winner."""

from __future__ import annotations

import json
import math

import pytest

from tests.shared_data import shared
from tuner_tui.search.objective import LevelValue, Score, score
from tuner_tui.search.verdict import Candidate, judge
from tuner_tui.task.model import Objective

LATENCY = Objective(name="minimize_latency", direction="minimize", metric="e2e")
THROUGHPUT = Objective(name="maximize_throughput", direction="maximize", metric="output_tokens_per_s_per_gpu")
GOODPUT = Objective(name="maximize_goodput", direction="maximize", metric="good_requests_per_s_per_gpu")


def candidate(experiment: int, value: float, half: float = 0.0) -> Candidate:
    return Candidate(experiment=experiment, score=Score(value=value, low=value - half, high=value + half))


def test_the_score_is_the_mean_over_levels_and_its_interval_follows_from_theirs() -> None:
    got = score(
        LATENCY,
        {"a": LevelValue(value=0.1, standard_error=0.003), "b": LevelValue(value=0.3, standard_error=0.004)},
    )
    assert got is not None
    assert got.value == pytest.approx(0.2)
    # sqrt(3² + 4²) / 2 = 2.5 ms of standard error
    assert got.low == pytest.approx(0.2 - 1.959964 * 0.0025)
    assert got.high == pytest.approx(0.2 + 1.959964 * 0.0025)


def test_throughput_is_negated_so_that_lower_is_always_better() -> None:
    got = score(THROUGHPUT, {"a": LevelValue(value=100.0, standard_error=1.0)})
    assert got is not None
    assert got.value == -100.0
    assert got.low is not None
    assert got.low < -100.0


def test_a_goodput_of_nothing_is_written_as_zero() -> None:
    assert str(score(GOODPUT, {"a": LevelValue(value=0.0, standard_error=0.1)})).startswith("Score(value=0.0, ")


def test_a_launch_that_missed_a_level_has_no_score() -> None:
    assert score(LATENCY, {"a": LevelValue(value=0.1, standard_error=0.0), "b": None}) is None
    assert score(LATENCY, {}) is None


def test_one_level_can_be_the_objective() -> None:
    only_b = Objective(name="x", direction="minimize", metric="ttft", statistic="p99", level="b")
    got = score(only_b, {"a": LevelValue(value=9.0), "b": LevelValue(value=0.5)})
    assert got == Score(value=0.5)


def test_the_seed_run_is_a_tie() -> None:
    """0.1902 s and 0.1896 s, with 66 and 91 ms of scatter at concurrency 4: nobody may call that a winner."""
    data = json.loads(shared("data/seed-run/docker-simple-tune_results.json").read_text())
    results = data.get("all_results") or data["results"]
    candidates = []
    for experiment in results:
        levels = {}
        for level in experiment["metrics"]["raw_results"]:
            e2e = level["stats"]["e2e_latency"]
            levels[str(level["num_concurrency"])] = LevelValue(
                value=e2e["mean"], standard_error=e2e["stddev"] / math.sqrt(level["num_completed_requests"])
            )
        got = score(LATENCY, levels)
        assert got is not None
        assert got.value == pytest.approx(experiment["objective_score"])
        candidates.append(Candidate(experiment=experiment["experiment_id"], score=got))
    verdict = judge(LATENCY, candidates, launched=2)
    assert (verdict.kind, verdict.leader, verdict.tied_with) == ("tie", 2, (1,))
    assert "#1 and #2 cannot be told apart" in verdict.sentence or "#2 and #1" in verdict.sentence
    assert "0.1896 s" in verdict.sentence


def test_clearly_apart_with_one_launch_each_is_unconfirmed() -> None:
    verdict = judge(LATENCY, [candidate(1, 0.30, 0.01), candidate(2, 0.20, 0.01)], launched=2)
    assert (verdict.kind, verdict.leader, verdict.tied_with) == ("unconfirmed", 2, ())
    assert "leads, −33.3 % against #1" in verdict.sentence


def test_a_lead_in_throughput_is_told_as_what_it_is_more() -> None:
    verdict = judge(THROUGHPUT, [candidate(1, -100, 1), candidate(2, -300, 1)], launched=2)
    assert "leads, +200.0 % against #1" in verdict.sentence


def test_only_those_that_overlap_the_leader_are_tied() -> None:
    field = [candidate(1, 0.21, 0.02), candidate(2, 0.20, 0.01), candidate(3, 0.30, 0.02)]
    verdict = judge(LATENCY, field, launched=3)
    assert (verdict.kind, verdict.leader, verdict.tied_with) == ("tie", 2, (1,))


def test_equal_scores_without_intervals_are_tied() -> None:
    field = [Candidate(experiment=1, score=Score(value=1.0)), Candidate(experiment=2, score=Score(value=1.0))]
    assert judge(LATENCY, field, launched=2).kind == "tie"


def test_a_throughput_is_said_with_its_own_sign_and_unit() -> None:
    verdict = judge(THROUGHPUT, [candidate(1, -100, 1), candidate(2, -300, 1)], launched=2)
    assert verdict.leader == 2
    assert "300.0 tokens/s per GPU" in verdict.sentence


def test_something_beside_nothing_is_no_lead_of_zero_percent() -> None:
    verdict = judge(GOODPUT, [candidate(1, -5, 0.1), candidate(2, 0.0)], launched=2, baseline=2)
    assert "#1 with goodput 5 requests/s per GPU leads, >+999 % against #2" in verdict.sentence
    assert [str(each) for each in verdict.differences] == ["−100.0 %"]


def test_where_no_request_keeps_the_limits_nobody_leads() -> None:
    none_good = [candidate(2, 0.0, 0.4), candidate(1, 0.0, 0.3)]
    verdict = judge(GOODPUT, none_good, launched=2)
    assert (verdict.kind, verdict.leader, verdict.tied_with) == ("none", None, ())
    assert verdict.sentence == (
        "No request kept the limits, whatever the configuration; take looser limits or a lower load."
    )
    assert verdict.ranking == (1, 2), "they were measured all the same"
    so_far = judge(GOODPUT, none_good, launched=2, provisional=True)
    assert so_far.sentence == "No request has kept the limits so far."
    assert judge(GOODPUT, [*none_good, candidate(3, -0.1, 0.2)], launched=3).leader == 3


def test_nothing_measured() -> None:
    verdict = judge(LATENCY, [], launched=3)
    assert (verdict.kind, verdict.leader) == ("none", None)
    assert verdict.sentence == "None of 3 configurations gave a valid measurement."
    assert judge(LATENCY, [], launched=1).sentence == "The only configuration gave no valid measurement."


def test_before_the_grid_is_done_the_verdict_says_so() -> None:
    verdict = judge(LATENCY, [candidate(1, 0.2)], launched=1, provisional=True)
    assert verdict.provisional
    assert "so far" in verdict.sentence
