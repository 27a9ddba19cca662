"""How late the generator was, counted in steps of 5 % and put together over workers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.load.lateness import histogram, mean_s, merged, percentile_s

_TIMES_S = st.floats(min_value=0, max_value=600)


@given(_TIMES_S)
def test_a_step_is_never_below_the_value_and_little_above(value_s: float) -> None:
    [step_us] = histogram([value_s])
    if value_s < 1e-6:
        assert step_us == 0
    else:
        assert value_s * 1e6 <= step_us * (1 + 1e-12)
        assert step_us <= value_s * 1e6 * 1.0514 + 1


@given(st.lists(_TIMES_S, min_size=1), st.floats(min_value=0.01, max_value=1))
def test_a_percentile_is_the_value_at_its_rank_to_within_a_step(values_s: list[float], share: float) -> None:
    found = percentile_s(histogram(values_s), share)
    assert found is not None
    ordered = sorted(values_s)
    true = next(value for rank, value in enumerate(ordered, 1) if rank >= share * len(ordered))
    assert true - 1e-6 <= found <= true * 1.0514 + 1e-6


def test_one_late_request_of_a_hundred_is_the_p99s_neighbour_and_of_fifty_its_value() -> None:
    hundred = histogram([0.0] * 99 + [0.020])
    assert percentile_s(hundred, 0.99) == 0
    assert percentile_s(histogram([0.0] * 49 + [0.020]), 0.99) == pytest.approx(0.020, rel=0.06)
    assert mean_s(hundred) == pytest.approx(0.0002, rel=0.06)


@given(st.lists(st.lists(_TIMES_S)))
def test_workers_together_count_like_one(parts: list[list[float]]) -> None:
    together = merged(histogram(part) for part in parts)
    assert together == histogram([value for part in parts for value in part])


def test_nothing_seen_is_not_the_same_as_never_late() -> None:
    assert (mean_s({}), percentile_s({}, 0.99)) == (None, None)
    assert (mean_s({0: 3}), percentile_s({0: 3}, 0.99)) == (0, 0)
