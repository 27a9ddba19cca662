"""The verdict over several launches of each configuration."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.search.comparison import Candidate, Comparisons, Difference, overall
from tuner_tui.search.objective import Score
from tuner_tui.search.verdict import Verdict, judge
from tuner_tui.task.model import Objective

LATENCY = Objective(name="minimize_latency", direction="minimize", metric="e2e")
THROUGHPUT = Objective(name="maximize_throughput", direction="maximize", metric="output_tokens_per_s_per_gpu")

QUIET = [0.200, 0.201, 0.199]


def field(*rows: Sequence[float]) -> list[Candidate]:
    scores = [tuple(Score(value=value) for value in row) for row in rows]
    return [Candidate(experiment=i, score=row[-1], scores=row) for i, row in enumerate(scores, start=1)]


def verdict(*rows: Sequence[float], **options: object) -> Verdict:
    return judge(LATENCY, field(*rows), launched=len(rows), **options)  # type: ignore[arg-type]


def test_a_clear_and_repeated_lead_wins() -> None:
    got = verdict([0.220, 0.221, 0.219], QUIET, [0.250, 0.260, 0.240])
    assert (got.kind, got.leader, got.tied_with, got.provisional) == ("winner", 2, (), False)
    assert "#2 with mean end-to-end latency 0.2000 s wins: −9.1 % [" in got.sentence
    assert "against #1, the next best" in got.sentence
    assert "(3 each)" in got.evidence
    assert "at most 5 of 100" in got.evidence


def test_the_same_lead_within_the_scatter_is_a_tie() -> None:
    got = verdict([0.200, 0.240, 0.220], [0.180, 0.220, 0.200])
    assert (got.kind, got.leader, got.tied_with) == ("tie", 2, (1,))
    assert got.sentence.startswith("#1 and #2 cannot be told apart") or got.sentence.startswith("#2 and #1")
    assert "may be chance" in got.sentence


def test_two_launches_each_need_a_far_larger_lead() -> None:
    """Two values lie close together by luck all too often."""
    assert verdict([0.220, 0.226], [0.200, 0.206]).kind == "tie"
    assert verdict([0.220, 0.226, 0.223], [0.200, 0.206, 0.203]).kind == "winner"


def test_who_is_clearly_worse_is_not_among_the_tied() -> None:
    got = verdict(QUIET, [0.2005, 0.1995, 0.2015], [0.30, 0.301, 0.299], [0.40, 0.401, 0.399])
    assert (got.kind, got.tied_with) == ("tie", (2,))
    assert "95 % confidence" in got.evidence


def test_a_long_list_of_tied_ones_is_cut_in_the_sentence_only() -> None:
    got = verdict(*[[0.2, 0.21, 0.19]] * 12)
    assert len(got.tied_with) == 11
    assert got.sentence.startswith("#1, #2, #3, #4, #5, #6, #7, #8 and 4 more cannot be told apart")


def test_a_noisy_leader_shields_nobody_from_the_others() -> None:
    """#3 is not clearly worse than the noisy leader, but clearly worse than #2: it cannot be the best."""
    got = verdict([0.17, 0.24, 0.18], [0.200, 0.2002, 0.1998], [0.25, 0.2502, 0.2498])
    assert (got.kind, got.leader, got.tied_with) == ("tie", 1, (2,))


def test_the_interval_and_not_the_estimate_must_be_beyond_the_min_difference() -> None:
    rows = [[0.208, 0.2082, 0.2078], [0.200, 0.2002, 0.1998]]
    plain = verdict(*rows)
    assert plain.kind == "winner"
    [difference] = plain.differences
    assert (difference.experiment, difference.reference) == (1, 2)
    assert difference.relative == pytest.approx(0.04, abs=1e-4)
    assert difference.low is not None
    assert 0.03 < difference.low < 0.04
    assert verdict(*rows, min_difference=0.03).kind == "winner"
    asked = verdict(*rows, min_difference=0.0384)
    assert (asked.kind, asked.tied_with) == ("tie", (1,))
    assert "by more than the 3.84 % asked for" in asked.sentence


def test_an_extension_is_dearer_than_having_planned_it() -> None:
    rows = [[0.200, 0.204, 0.196, 0.201], [0.210, 0.206, 0.214, 0.209]]
    planned, extended = verdict(*rows), verdict(*rows, looks=2)
    assert planned.kind == "winner"
    assert extended.kind == "tie"
    assert "Launches were added once" in extended.evidence
    [narrow], [wide] = planned.differences, extended.differences
    assert narrow.high is not None
    assert wide.high is not None
    assert wide.high > narrow.high
    assert wide.relative == narrow.relative


def test_the_baseline_is_compared_with_everyone() -> None:
    got = verdict([0.300, 0.301, 0.299], QUIET, [0.250, 0.251, 0.249], baseline=1)
    assert [each.experiment for each in got.against_baseline] == [2, 3]
    assert got.against_baseline[0].relative == pytest.approx(-1 / 3, abs=1e-3)
    assert "Against the baseline #1: −33.3 % [" in got.sentence
    assert verdict(QUIET, [0.3, 0.3, 0.3], baseline=7).against_baseline == ()


def test_one_single_launch_does_not_pass_for_a_precise_one() -> None:
    """#2 was launched once. The others scatter by 0.5 %, but of #2 5 % is assumed."""
    near = verdict(QUIET, [0.220])
    assert (near.kind, near.tied_with) == ("tie", (2,))
    assert "#2 had one launch" in near.evidence
    assert verdict(QUIET, [0.300]).kind == "winner"


def test_a_leader_launched_once_is_no_winner() -> None:
    got = verdict([0.1], QUIET, [0.3, 0.301, 0.302])
    assert (got.kind, got.leader) == ("unconfirmed", 1)
    assert "launched once only" in got.sentence


def test_before_the_end_a_winner_only_leads() -> None:
    got = verdict([0.220, 0.221, 0.219], QUIET, provisional=True)
    assert (got.kind, got.provisional) == ("winner", True)
    assert got.sentence.startswith("So far #2")
    assert " leads: " in got.sentence


def test_one_configuration_launched_often_has_nothing_to_be_compared_with() -> None:
    got = verdict(QUIET)
    assert (got.kind, got.leader, got.differences) == ("unconfirmed", 1, ())
    assert "nothing to compare it with" in got.sentence


def test_a_throughput_of_zero_loses_and_spoils_no_figure() -> None:
    rows = field([-100.0, -101.0, -99.0], [0.0, 0.0, 0.0], [-0.0, -50.0, -20.0])
    got = judge(THROUGHPUT, rows, launched=3)
    assert got.leader == 1
    assert all(math.isfinite(end) for each in got.differences for end in (each.relative, each.low or 0, each.high or 0))
    assert got.differences[-1].experiment == 2
    assert got.differences[-1].relative == pytest.approx(-1, abs=1e-4)
    assert judge(THROUGHPUT, field([0.0, 0.0], [0.0, 0.0]), launched=2).kind == "tie"


def test_more_throughput_is_a_plus() -> None:
    got = judge(THROUGHPUT, field([-100.0, -101.0, -99.0], [-120.0, -121.0, -119.0]), launched=2)
    assert got.leader == 2
    assert "120.0 tokens/s per GPU wins: +20.0 % [+" in got.sentence


def test_how_a_difference_is_written() -> None:
    assert str(Difference(experiment=1, reference=2, relative=-0.042, low=-0.061, high=-0.023)) == "−4.2 % [−6.1, −2.3]"
    assert str(Difference(experiment=1, reference=2, relative=0.0004, low=-0.1, high=1e9)) == "0.0 % [−10.0, >+999]"
    assert str(Difference(experiment=1, reference=2, relative=0.17)) == "+17.0 %"


def test_a_wrong_min_difference_is_refused() -> None:
    with pytest.raises(ValueError, match="min_difference: 1"):
        verdict(QUIET, QUIET, min_difference=1.5)


def test_one_score_for_several_launches() -> None:
    [one] = field([0.1, 0.4])
    got = overall(LATENCY, one)
    assert got.value == pytest.approx(0.2)
    assert got.low is not None
    assert got.high is not None
    # log 0.1 and log 0.4 lie log 2 to either side of the mean; t for 1 degree of freedom is 12.706
    assert math.log(got.high / got.value) == pytest.approx(12.7062 * math.log(2), rel=1e-4)
    [single] = field([0.3])
    assert overall(LATENCY, single) == Score(value=0.3)


LAUNCHES = st.lists(
    st.lists(st.floats(0.01, 10), min_size=1, max_size=4), min_size=1, max_size=7, unique_by=lambda row: tuple(row)
)


@settings(deadline=None)
@given(LAUNCHES, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_changes_nothing(rows: list[list[float]], dice: random.Random) -> None:
    candidates = field(*rows)
    shuffled = candidates[:]
    dice.shuffle(shuffled)
    one = judge(LATENCY, candidates, launched=len(rows))
    other = judge(LATENCY, shuffled, launched=len(rows))
    assert (one.kind, one.leader, sorted(one.tied_with)) == (other.kind, other.leader, sorted(other.tied_with))


@settings(deadline=None)
@given(LAUNCHES, st.sampled_from([1e-3, 0.5, 2.0, 1024.0]))
def test_the_unit_changes_nothing(rows: list[list[float]], factor: float) -> None:
    """Seconds or milliseconds: a scale on the figures, a shift on the logarithms."""
    here = verdict(*rows)
    there = verdict(*[[value * factor for value in row] for row in rows])
    assert close(here, there)
    for one, other in zip(here.differences, there.differences, strict=True):
        assert one.relative == pytest.approx(other.relative, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(LAUNCHES)
def test_seconds_a_token_and_tokens_a_second_get_the_same_verdict(rows: list[list[float]]) -> None:
    rates = [[-1 / value for value in row] for row in rows]
    assert close(verdict(*rows), judge(THROUGHPUT, field(*rates), launched=len(rows)))


@settings(deadline=None)
@given(LAUNCHES)
def test_every_verdict_is_consistent(rows: list[list[float]]) -> None:
    got = verdict(*rows)
    assert got.leader is not None
    assert got.leader not in got.tied_with
    assert (got.kind == "tie") == bool(got.tied_with)
    assert {each.experiment for each in got.differences} == set(range(1, len(rows) + 1)) - {got.leader}
    if got.kind == "winner":
        assert all(each.low is not None and each.low > 0 for each in got.differences)


@settings(deadline=None)
@given(LAUNCHES, st.floats(0, 0.5))
def test_a_larger_min_difference_or_one_more_look_never_makes_a_winner(rows: list[list[float]], more: float) -> None:
    if verdict(*rows).kind == "tie":
        assert verdict(*rows, min_difference=more).kind == "tie"
        assert verdict(*rows, looks=2).kind == "tie"


def close(one: Verdict, other: Verdict) -> bool:
    """The same verdict; the leader may differ where two are equal but for rounding."""
    same_leader = one.leader == other.leader or any(abs(each.relative) < 1e-9 for each in one.differences)
    return one.kind == other.kind and same_leader and (not same_leader or len(one.tied_with) == len(other.tied_with))


@pytest.mark.parametrize("drift", [0.0, 0.03])
def test_of_many_the_tied_are_those_that_asking_every_pair_finds(drift: float) -> None:
    """The short cut for large fields leaves nobody out that is tied, and hardly anybody in that is not."""
    dice = random.Random(f"many/{drift}")
    blocks = [dice.gauss(1, drift) for _ in range(3)]
    rows = [[(1 + i / 40) * dice.gauss(1, 0.01) * block for block in blocks] for i in range(80)]
    candidates = field(*rows)
    comparisons = Comparisons(LATENCY, candidates)
    ranked = sorted((one.experiment for one in candidates), key=comparisons.mean)
    alpha = 0.09 / 79
    asked = [
        each
        for rank, each in enumerate(ranked)
        if not any(comparisons.better(other, each, 0.0, alpha) for other in ranked[:rank])
    ]
    found = comparisons.unbeaten(ranked, 0.0, alpha)
    assert 1 < len(asked) < 40
    assert found == asked
