"""Welch's test with a critical value that keeps its promise for two launches a side and any ratio of scatters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner_tui.search.spending import ERROR, error_at
from tuner_tui.search.student import two_sided_p
from tuner_tui.search.welch import Contrast, contrast, raising_factor, sample

HEIGHTS = st.lists(st.floats(-10, 10), min_size=2, max_size=6)


def test_welch_s_own_figures_are_those_of_a_statistics_package() -> None:
    found = contrast(sample([0.101, 0.105, 0.099, 0.11]), sample([0.12, 0.13, 0.119]))
    t = found.difference / found.standard_error
    assert t == pytest.approx(4.5086583370, rel=1e-9)
    assert found.df == pytest.approx(3.7915679655, rel=1e-9)
    assert two_sided_p(t, found.df) == pytest.approx(0.0121538433, rel=1e-7)


@pytest.mark.parametrize(("n1", "n2", "factor"), [(2, 2, 1.290), (3, 3, 1.092), (5, 5, 1.024), (3, 5, 1.157)])
def test_the_factor_is_the_one_found_by_another_quadrature(n1: int, n2: int, factor: float) -> None:
    """In φ with B = sin²φ, by midpoints, with another package's t distribution."""
    assert raising_factor(n1, n2, 0.05) == pytest.approx(factor, abs=0.0006)


@pytest.mark.parametrize(("n1", "n2", "ratio"), [(3, 3, 4.0), (2, 2, 12.0), (2, 5, 0.3), (5, 5, 3.0)])
def test_equal_means_are_told_apart_in_5_of_100_even_at_the_worst_ratio_of_scatters(
    n1: int, n2: int, ratio: float
) -> None:
    dice = random.Random(f"{n1}/{n2}")
    wrong = plain = 0
    runs = 8000
    for _ in range(runs):
        found = contrast(
            sample([dice.gauss(0, 1) for _ in range(n1)]), sample([dice.gauss(0, ratio) for _ in range(n2)])
        )
        wrong += found.exceeds(0, 0.05) or _turned(found).exceeds(0, 0.05)
        plain += two_sided_p(found.difference / found.standard_error, found.df) <= 0.05
    assert wrong / runs < 0.05 + 2.5 * 0.0024
    # Near the worst ratio the promise is used up, and without the factor it would be broken.
    assert wrong / runs > 0.03
    assert plain / runs > 0.05


@settings(deadline=None)
@given(HEIGHTS, HEIGHTS, st.floats(-5, 5), st.sampled_from([0.05, 0.045, 0.0045]))
def test_beyond_the_margin_means_that_the_whole_interval_is(
    low: list[float], high: list[float], margin: float, alpha: float
) -> None:
    found = contrast(sample(low), sample(high))
    distance = found.difference - margin - found.half_width(alpha)
    if abs(distance) > 1e-6:
        assert found.exceeds(margin, alpha) == (distance > 0)


def test_values_that_never_vary_differ_when_they_differ() -> None:
    assert contrast(sample([1.0, 1.0]), sample([1.1, 1.1])).exceeds(0, 0.0045)
    assert not contrast(sample([1.0, 1.0]), sample([1.0, 1.0])).exceeds(0, 0.05)
    assert not contrast(sample([0.1 + 0.2] * 2), sample([0.3] * 2)).exceeds(0, 0.05)


def test_a_scatter_too_small_to_be_squared_is_one_all_the_same() -> None:
    assert contrast(sample([0.0, 1e-90]), sample([1.0, 1.0])).df == pytest.approx(1)


def test_all_looks_together_spend_no_more_than_the_error() -> None:
    assert error_at(1) == pytest.approx(0.045)
    assert error_at(2) == pytest.approx(0.0045)
    assert sum(error_at(looks) for looks in range(1, 60)) <= ERROR + 1e-15
    with pytest.raises(ValueError, match="first look"):
        error_at(0)


def _turned(found: Contrast) -> Contrast:
    return Contrast(difference=-found.difference, standard_error=found.standard_error, df=found.df, sizes=found.sizes)
