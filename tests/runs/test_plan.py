"""What is planned: the baseline, and how long it takes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.runs.test_state import TASK
from tuner_tui.runs.plan import estimate, plan
from tuner_tui.task.model import Benchmark, Parameter, ParameterSpace, Search, Task, Value


def task(**values: tuple[Value, ...]) -> Task:
    parameters = tuple(Parameter(name=name.replace("_", "-"), values=each) for name, each in values.items())
    return replace(TASK, space=ParameterSpace(parameters=parameters), search=Search(baseline=True))


def test_the_baseline_has_the_fixed_flags_and_none_of_the_searched() -> None:
    planned = plan(task(tp_size=(2,), mem_fraction_static=(0.7, 0.8)), (0, 1))
    first, *grid = planned.experiments
    assert (first.id, first.baseline, first.configuration, first.gpus_needed) == (0, True, {"tp-size": 2}, 2)
    assert [(each.id, each.baseline) for each in grid] == [(1, False), (2, False)]


def test_where_the_grid_holds_it_anyway_that_one_is_marked() -> None:
    planned = plan(task(tp_size=(1,), mem_fraction_static=(None, 0.8)), ())
    assert [(each.id, each.baseline) for each in planned.experiments] == [(1, True), (2, False)]


def test_without_being_asked_for_there_is_none() -> None:
    plain = replace(task(mem_fraction_static=(0.7, 0.8)), search=Search())
    assert [each.baseline for each in plan(plain, ()).experiments] == [False, False]


def load_s(**benchmark: object) -> float:
    traffic = Benchmark(traffic=("D(100,100)",), **benchmark)  # type: ignore[arg-type]
    return estimate(replace(TASK, engine="simulated", benchmark=traffic), 1).load_s


def test_a_search_for_the_highest_load_takes_about_ten_of_them() -> None:
    """A request takes 0.18 s there; a rate is tried for ten seconds, warmed up for two, and drains."""
    assert load_s(seek="rate", max_requests=20) == pytest.approx(10 * (10 + 2 + 2 * 0.18))
    assert load_s(seek="rate", max_requests=800) == pytest.approx(10 * (100 * 0.18 + 2 + 2 * 0.18))
    assert load_s(seek="rate", max_requests=800, max_time_s=5) == pytest.approx(10 * (5 + 2 * 0.18))
    assert load_s(seek="concurrency", max_requests=80) == pytest.approx(10 * (10 * 0.18 + 2 * 0.18))
    assert load_s(seek="concurrency", max_time_s=60) == pytest.approx(10 * (4 * 0.18 + 2 * 0.18))
