"""What the machine did to a whole block is taken out of the comparison of two configurations in it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.search.drift import BlockShifts

BLOCKS = (0, 1, 2)


def shifts(values: dict[int, list[float]]) -> BlockShifts:
    return BlockShifts(values, {key: BLOCKS[: len(row)] for key, row in values.items()})


def test_a_shift_that_all_others_show_is_taken_off_in_full() -> None:
    drift = [0.0, 0.03, -0.03]
    values = {key: [key + each for each in drift] for key in range(1, 7)}
    assert shifts(values).seen_by_others(1, 2) == pytest.approx(drift)


def test_it_is_read_off_the_others_alone() -> None:
    """Else the two compared would help to explain their own scatter away."""
    quiet = {key: [float(key)] * 3 for key in (3, 4, 5, 6)}
    noisy = {1: [1.0, 1.5, 0.5], 2: [2.0, 2.5, 1.5]}
    assert shifts({**quiet, **noisy}).seen_by_others(1, 2) is None
    assert shifts({**quiet, **noisy}).seen_by_others(3, 4) is not None


def test_without_a_drift_little_is_taken_off() -> None:
    dice = random.Random(1)
    total = 0.0
    for _ in range(500):
        values = {key: [dice.gauss(0, 1) for _ in BLOCKS] for key in range(8)}
        shift = shifts(values).seen_by_others(0, 1) or [0.0] * 3
        total += sum(each * each for each in shift) / 2
    # The plain means of six would have a variance of 1/6 = 0.167.
    assert total / 500 < 0.08


@given(st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=5, max_size=8))
def test_it_never_moves_a_mean(rows: list[list[float]]) -> None:
    shift = shifts(dict(enumerate(rows))).seen_by_others(0, 1)
    assert shift is None or sum(shift) == pytest.approx(0, abs=1e-9)


def test_too_few_others_or_other_blocks_tell_nothing() -> None:
    drift = [0.0, 0.03, -0.03]
    few = {key: [key + each for each in drift] for key in range(4)}
    assert shifts(few).seen_by_others(0, 1) is None
    many = {key: [key + each for each in drift] for key in range(8)}
    many[0] = many[0][:2]
    assert shifts(many).seen_by_others(0, 1) is None
    assert shifts(many).seen_by_others(1, 2) is not None
    many[0] = many[0][:1]
    assert shifts(many).seen_by_others(0, 1) is None
