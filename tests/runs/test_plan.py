"""The baseline among what is planned."""

from __future__ import annotations

from msgspec.structs import replace

from tests.runs.test_state import TASK
from tuner_tui.runs.plan import plan
from tuner_tui.task.model import Parameter, ParameterSpace, Search, Task, Value


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
