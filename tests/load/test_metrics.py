"""Metrics against figures worked out by hand."""

from __future__ import annotations

import math
import random
from statistics import quantiles

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.load.metrics import distribution, level_result
from tuner_tui.load.model import Level, RequestRecord
from tuner_tui.load.quantiles import quantile_interval

LEVEL = Level(scenario="D(10,5)", concurrency=2)


def good(sent_s: float, first_s: float, last_s: float, end_s: float, n: int = 5, asked: int = 5) -> RequestRecord:
    return RequestRecord(
        level=0, index=0, sent_s=sent_s, first_s=first_s, last_s=last_s, end_s=end_s,
        asked_prompt_tokens=10, asked_output_tokens=asked, prompt_tokens=10, output_tokens=n, chunks=n,
    )  # fmt: skip


def bad(sent_s: float, end_s: float, error: str) -> RequestRecord:
    return RequestRecord(level=0, index=0, sent_s=sent_s, end_s=end_s, error=error)


def test_one_request() -> None:
    metrics = level_result(LEVEL, [good(1.0, 1.5, 3.5, 4.0)]).metrics
    assert metrics.ttft_s and metrics.tpot_s and metrics.e2e_s
    assert metrics.ttft_s.mean == 0.5
    assert metrics.tpot_s.mean == 0.5  # (3.5 − 1.5) / 4, not over 5, and not to the end
    assert metrics.e2e_s.mean == 3.0
    assert metrics.duration_s == 2.5  # first send → last token
    assert metrics.output_tokens_per_s == 2.0
    assert metrics.input_tokens_per_s == 4.0
    assert metrics.total_tokens_per_s == 6.0
    assert metrics.requests_per_s == 0.4
    assert metrics.steady_output_tokens_per_s is None


def test_a_single_token_has_no_time_per_token() -> None:
    metrics = level_result(LEVEL, [good(0, 1, 1, 1, n=1, asked=1)]).metrics
    assert metrics.tpot_s is None
    assert metrics.ttft_s is not None


def test_all_text_in_one_chunk_has_no_time_per_token() -> None:
    assert level_result(LEVEL, [good(0, 1, 1, 1)]).metrics.tpot_s is None


def test_failed_requests_are_counted_and_nothing_else() -> None:
    records = [good(0, 1, 5, 5), bad(0, 60, "HTTP 500: a"), bad(1, 2, "HTTP 500: a"), bad(1, 2, "connection refused")]
    result = level_result(LEVEL, records)
    assert (result.requests, result.succeeded, result.failed) == (4, 1, 3)
    assert result.errors == {"HTTP 500: a": 2, "connection refused": 1}
    assert result.metrics.e2e_s and result.metrics.e2e_s.max == 5
    assert result.metrics.output_tokens_per_s == 1.0
    assert result.prompt_tokens == 10


def test_wrong_length_counts_the_untold_but_not_the_unasked() -> None:
    untold = msgspec.structs.replace(good(0, 1, 2, 2), output_tokens=None)
    unasked = good(0, 1, 2, 2, n=3, asked=0)
    result = level_result(LEVEL, [good(0, 1, 2, 2), good(0, 1, 2, 2, n=4), untold, unasked])
    assert result.wrong_length == 2


def test_the_steady_window_leaves_out_ramp_and_drain() -> None:
    # Two in flight from 1 s (second send) to 9 s (first of the last two ends). 5 tokens each.
    records = [
        good(0, 1, 5, 5),  # first at 1 and 4 tokens over 1…5: all within
        good(1, 2, 6, 6),  # all within
        good(5, 6, 9, 9),  # all within
        good(6, 8, 12, 12),  # first at 8, and a quarter of 4 tokens by 9
    ]
    steady = level_result(LEVEL, records).metrics.steady_output_tokens_per_s
    assert steady == pytest.approx((5 + 5 + 5 + 2) / 8)


def test_under_two_rounds_nothing_is_steady() -> None:
    assert level_result(LEVEL, [good(0, 1, 2, 2)] * 3).metrics.steady_output_tokens_per_s is None


def test_percentiles_are_interpolated_and_doubted_when_few() -> None:
    found = distribution([4.0, 1.0, 3.0, 2.0])
    assert found is not None
    assert (found.n, found.mean, found.min, found.max) == (4, 2.5, 1.0, 4.0)
    assert found.p50 == 2.5
    assert found.p90 == pytest.approx(3.7)
    assert found.p99 == pytest.approx(3.97)
    assert found.std == pytest.approx(math.sqrt(5 / 3))
    assert found.too_few_samples == ("p90", "p99")


@pytest.mark.parametrize(
    ("n", "few"), [(1, ("p50", "p90", "p99")), (9, ("p90", "p99")), (10, ("p99",)), (99, ("p99",)), (100, ())]
)
def test_a_percentile_needs_its_samples(n: int, few: tuple[str, ...]) -> None:
    found = distribution([float(value) for value in range(n)])
    assert found is not None
    assert found.too_few_samples == few


def test_no_success_gives_no_figures_and_no_infinity() -> None:
    result = level_result(LEVEL, [bad(0, 1, "x" * 500)])
    assert (result.metrics.ttft_s, result.metrics.e2e_s, result.metrics.duration_s) == (None, None, 0.0)
    assert result.metrics.output_tokens_per_s == 0.0
    assert [len(error) for error in result.errors] == [100]
    assert level_result(LEVEL, []).requests == 0


def test_very_many_errors_stay_few_lines() -> None:
    errors = level_result(LEVEL, [bad(0, 1, f"request {number} failed") for number in range(200)]).errors
    assert len(errors) == 21
    assert sum(errors.values()) == 200
    assert errors["other errors"] == 180


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=60))
def test_percentiles_agree_with_the_standard_library(values: list[float]) -> None:
    found = distribution(values)
    assert found is not None
    cuts = quantiles(values, n=100, method="inclusive")
    assert (found.p50, found.p90, found.p99) == pytest.approx((cuts[49], cuts[89], cuts[98]), abs=1e-9, rel=1e-9)
    assert found.min <= found.p50 <= found.p90 <= found.p99 <= found.max
    assert found.min <= found.mean <= found.max


TIMES = st.floats(0, 1e5) | st.integers(0, 5).map(float)


@given(
    st.lists(
        st.builds(
            RequestRecord,
            level=st.just(0),
            index=st.just(0),
            sent_s=TIMES,
            end_s=TIMES,
            first_s=st.none() | TIMES,
            last_s=st.none() | TIMES,
            output_tokens=st.none() | st.integers(0, 10_000),
            prompt_tokens=st.none() | st.integers(0, 10_000),
            error=st.none() | st.text(max_size=5),
        )
    ),
    st.integers(1, 5),
)
def test_any_records_give_finite_figures(records: list[RequestRecord], concurrency: int) -> None:
    result = level_result(Level(scenario="D(1,1)", concurrency=concurrency), records)
    text = msgspec.json.encode(result)
    # A figure that is not finite is written as null, which a float does not take back.
    assert msgspec.json.decode(text, type=type(result)) == result
    steady = result.metrics.steady_output_tokens_per_s
    assert steady is None or steady >= 0


def test_goodput_counts_the_requests_that_keep_every_limit() -> None:
    slow_first = good(0.0, 0.6, 1.0, 1.0)
    slow_tokens = good(0.0, 0.1, 2.1, 2.1)
    quick = good(0.0, 0.1, 0.6, 1.0)
    failed = msgspec.structs.replace(quick, error="cut off")
    limits_s = {"ttft": 0.5, "tpot": 0.15}
    metrics = level_result(LEVEL, [slow_first, slow_tokens, quick, failed], limits_s).metrics
    assert metrics.good_requests == 1
    assert metrics.good_requests_per_s == pytest.approx(1 / 2.1)
    assert level_result(LEVEL, [quick]).metrics.good_requests is None


def test_the_interval_of_a_percentile_is_that_of_the_tables() -> None:
    """For 100 values the median lies between the 40th and the 61st with 95 %, a p99 from the 97th upwards."""
    got = distribution([float(i) for i in range(1, 101)])
    assert got is not None
    assert got.intervals["p50"] == (40.0, 61.0)
    assert got.intervals["p99"] == (97.0, 100.0)


def test_the_interval_of_a_percentile_holds_it_as_often_as_it_says() -> None:
    dice = random.Random(1)
    held = 0
    for _ in range(1000):
        low, high = quantile_interval(sorted(dice.expovariate(1.0) for _ in range(400)), 0.99)
        held += low <= -math.log(0.01) <= high
    assert held >= 930
