"""Student's t against the printed tables and the closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.search.student import cdf, critical_value, two_sided_p


@pytest.mark.parametrize(
    ("alpha", "df", "expected"),
    [
        (0.05, 1, 12.7062047),
        (0.05, 2, 4.3026527),
        (0.05, 3, 3.1824463),
        (0.05, 4, 2.7764451),
        (0.05, 10, 2.2281389),
        (0.05, 30, 2.0422725),
        (0.05, 120, 1.9799304),
        (0.01, 5, 4.0321430),
        (0.10, 7, 1.8945786),
        (0.001, 4, 8.6103016),
        (0.05, 1e7, 1.9599642),
    ],
)
def test_the_critical_values_of_the_tables(alpha: float, df: float, expected: float) -> None:
    assert critical_value(alpha, df) == pytest.approx(expected, abs=1e-6)
    assert two_sided_p(expected, df) == pytest.approx(alpha, rel=1e-6)


@given(st.floats(-1e4, 1e4))
def test_one_and_two_degrees_of_freedom_have_closed_forms(t: float) -> None:
    assert cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-12)
    assert cdf(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-12)


@given(st.floats(1e-6, 0.999), st.floats(0.3, 1000))
def test_the_quantile_inverts_the_tail_for_any_degrees_of_freedom(alpha: float, df: float) -> None:
    assert two_sided_p(critical_value(alpha, df), df) == pytest.approx(alpha, rel=1e-9)


def test_no_scatter_at_all() -> None:
    assert two_sided_p(math.inf, 3) == 0
    assert two_sided_p(0, 3) == 1
    assert cdf(0, 3) == 0.5
