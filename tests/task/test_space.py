"""The grid: its order, its size, and what constraints leave of it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.task.reading_of import task_of
from tuner_tui.task.model import Constraint, Parameter, ParameterSpace, Value
from tuner_tui.task.space import expand, size


def _space(*constraints: str, **parameters: list[Value]) -> ParameterSpace:
    return ParameterSpace(
        parameters=tuple(Parameter(name=name.replace("_", "-"), values=tuple(v)) for name, v in parameters.items()),
        constraints=tuple(Constraint(text=text) for text in constraints),
    )


def test_the_last_parameter_runs_fastest_and_linked_is_one_axis(tmp_path: Path) -> None:
    text = "parameters: {b: [2, 1], a: x}\nlinked: [{tp-size: 1, dp-size: 2}, {tp-size: 2, dp-size: 1}]\n"
    expansion = expand(task_of(tmp_path, text).space)
    assert expansion.kept == (
        {"b": 2, "a": "x", "tp-size": 1, "dp-size": 2},
        {"b": 2, "a": "x", "tp-size": 2, "dp-size": 1},
        {"b": 1, "a": "x", "tp-size": 1, "dp-size": 2},
        {"b": 1, "a": "x", "tp-size": 2, "dp-size": 1},
    )
    assert list(expansion.kept[0]) == ["b", "a", "tp-size", "dp-size"]
    assert (expansion.total, expansion.summary) == (4, "4 configurations")


def test_no_parameters_is_the_engines_defaults() -> None:
    assert expand(ParameterSpace()).kept == ({},)


def test_what_is_excluded_says_why() -> None:
    space = _space("tp_size * dp_size <= gpus", tp_size=[1, 2], dp_size=[1, 2])
    expansion = expand(space, gpus=2)
    assert [each["tp-size"] for each in expansion.kept] == [1, 1, 2]
    assert [each.configuration for each in expansion.excluded] == [{"tp-size": 2, "dp-size": 2}]
    assert expansion.excluded[0].reason == (
        "the constraint `tp_size * dp_size <= gpus` does not hold (dp_size = 2, gpus = 2, tp_size = 2)"
    )
    assert expansion.summary == "3 of 4 configurations (1 excluded by constraints)"


def test_an_unknown_number_of_gpus_leaves_the_constraint_aside_and_says_so() -> None:
    expansion = expand(_space("tp_size <= gpus", "tp_size > 1", tp_size=[1, 2]), gpus=None)
    assert expansion.kept == ({"tp-size": 2},)
    assert expansion.notes == (
        "the constraint `tp_size <= gpus` was not applied: how many GPUs there are is not known",
    )


def test_an_absent_flag_is_not_judged() -> None:
    expansion = expand(_space("page_size * 2 > 32", page_size=[None, 16, 32]))
    assert expansion.kept == ({"page-size": None}, {"page-size": 32})


def test_nothing_left() -> None:
    expansion = expand(_space("a > 5", a=[1, 2]))
    assert expansion.kept == ()
    assert expansion.summary == "none of 2 configurations (all excluded by constraints)"


def test_more_than_can_be_listed_is_refused() -> None:
    with pytest.raises(ValueError, match="101,000 configurations"):
        expand(_space(a=list(range(1010)), b=list(range(100))))


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4, unique=True), max_size=4), st.integers(0, 3))
def test_every_point_once(values: list[list[int]], linked: int) -> None:
    space = ParameterSpace(
        parameters=tuple(Parameter(name=f"p{n}", values=tuple(each)) for n, each in enumerate(values)),
        linked=tuple({"x": n, "y": -n} for n in range(linked)),
    )
    expansion = expand(space)
    assert expansion.total == size(space) == len(expansion.kept) == math.prod(map(len, values)) * max(1, linked)
    assert len({tuple(each.items()) for each in expansion.kept}) == expansion.total


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("{from: 0.1, to: 0.5, step: 0.1}", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("{from: 0.70, to: 0.95, step: 0.05}", (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)),
        ("{from: 1, to: 6, step: 2}", (1, 3, 5)),
        ("{from: 1, to: 2, step: 0.5}", (1.0, 1.5, 2.0)),
        ("{from: 8, to: 1, times: 0.5}", (8, 4, 2, 1)),
        ("{from: 8, to: 2, times: 0.7}", (8.0, 5.6, 3.92, 2.744)),
        ("{from: 3, to: 1, step: -1}", (3, 2, 1)),
        ("{from: 1, to: 9, times: 3}", (1, 3, 9)),
        ("{from: 5, to: 5, step: 1}", (5,)),
        ("{from: 1e-3, to: 1e-1, times: 10}", (0.001, 0.01, 0.1)),
    ],
)
def test_ranges(tmp_path: Path, given: str, values: tuple[Value, ...]) -> None:
    (parameter,) = task_of(tmp_path, f"parameters: {{a: {given}}}\n").space.parameters
    assert parameter.values == values
    assert [type(each) for each in parameter.values] == [type(each) for each in values]
