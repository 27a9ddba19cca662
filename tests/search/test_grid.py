"""The grid: every experiment in every block, in an order that no drift of the machine can favour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.search.grid import next_experiment


def walk(experiments: int, launches: int, seed: int) -> list[int]:
    done = dict.fromkeys(range(1, experiments + 1), 0)
    order = []
    while (chosen := next_experiment(done, launches, seed)) is not None:
        order.append(chosen)
        done[chosen] += 1
    return order


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**31))
def test_every_block_holds_every_experiment_once(experiments: int, launches: int, seed: int) -> None:
    order = walk(experiments, launches, seed)
    blocks = [order[start : start + experiments] for start in range(0, len(order), experiments)]
    assert len(blocks) == launches
    assert all(sorted(block) == list(range(1, experiments + 1)) for block in blocks)


def test_blocks_differ_in_order_but_one_seed_always_gives_the_same() -> None:
    order = walk(8, 3, seed=7)
    assert order == walk(8, 3, seed=7)
    assert order[:8] != order[8:16]
    assert walk(8, 1, seed=8) != order[:8]


def test_an_experiment_that_joins_late_does_not_reorder_the_others() -> None:
    before = walk(5, 1, seed=3)
    assert [experiment for experiment in walk(6, 1, seed=3) if experiment != 6] == before


def test_nothing_to_do() -> None:
    assert next_experiment({}, 1, 0) is None
    assert next_experiment({1: 1, 2: 1}, 1, 0) is None


def test_the_baseline_begins_each_block() -> None:
    done = dict.fromkeys(range(6), 0)
    order = []
    while (chosen := next_experiment(done, 2, seed=3, first=0)) is not None:
        order.append(chosen)
        done[chosen] += 1
    assert (order[0], order[6]) == (0, 0)
    assert sorted(order[:6]) == list(range(6))
