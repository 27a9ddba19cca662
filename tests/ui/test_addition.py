"""Configurations that join a run: an unchanged dialog is what it was filled from, and JSON can be typed into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ui.runs_on_disk import TASK, task_file, task_of
from tuner_tui.runs.events import Experiment, ExperimentsAdded, RunCreated
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.state import RunState
from tuner_tui.task.model import Configuration, Parameter, ParameterSpace
from tuner_tui.ui.run.addition import MORE, judge, lines_for

_TEXTS = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl")), max_size=8) | st.sampled_from(
    ["a,b", "true", "null", "1e5", "2024-01-01", "1..2", "it's", "'x'", '"x"', "[", "a]#", "a: b", '{"a": [1, 2]}', "#"]
)
_PLAIN = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS
_VALUES = _PLAIN | st.none() | st.lists(_PLAIN | st.none(), min_size=1, max_size=3)


def run_of(folder: Path, *configurations: Configuration) -> Snapshot:
    """A run that has these, whose flags are in no catalogue."""
    task = task_of(task_file(folder, TASK))
    names = dict.fromkeys(name for each in configurations for name in each)
    unchecked = tuple(Parameter(name=name, values=(1,), checked=False) for name in names if name != "tp-size")
    state = RunState()
    state.apply(RunCreated(run="r", task=replace(task, space=ParameterSpace(parameters=unchecked)), version="0"))
    experiments = tuple(Experiment(id=number, configuration=each) for number, each in enumerate(configurations, 1))
    state.apply(ExperimentsAdded(experiments=experiments, excluded=()))
    return state.snapshot()


def typed_anew(run: Snapshot, number: int) -> dict[str, str]:
    """What the dialog holds before anything is typed."""
    return {line.key: line.value for line in lines_for(run, run.experiments[number - 1])}


@given(value=_VALUES)
@example(value="a, b")
@settings(max_examples=300, deadline=None)
def test_an_unchanged_dialog_is_the_configuration_it_was_filled_from(
    value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = run_of(tmp_path_factory.getbasetemp(), {"plugins": value, "mode": 1}, {"plugins": "another", "mode": 2})
    judged = judge(run, dict(run.experiments[0].configuration), typed_anew(run, 1))
    assert judged.words == "#1 is that already; + launches it once more"


@pytest.mark.parametrize(
    ("more", "added"),
    [
        ('json-model-override-args={"a": 1, "b": [2, 3]}', {"json-model-override-args": '{"a": 1, "b": [2, 3]}'}),
        ("chat-template='a b' --schedule-policy lpm", None),
        ("chat-template='a b' --schedule-policy=lpm", {"chat-template": "a b", "schedule-policy": "lpm"}),
        ("enable-mixed-chunk", {"enable-mixed-chunk": True}),
    ],
)
def test_other_flags_are_told_apart_by_blanks_outside_quotes_and_brackets(
    tmp_path: Path, more: str, added: Configuration | None
) -> None:
    run = run_of(tmp_path, {"tp-size": 1})
    judged = judge(run, {"tp-size": 1}, {MORE: more})
    assert judged.result == (({"tp-size": 1, **added},) if added is not None else None), judged.words


def test_values_of_another_flag_may_have_blanks_after_their_commas(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"tp-size": 1})
    judged = judge(run, {"tp-size": 1}, {MORE: "max-running-requests=8, 16 tp-size="})
    assert judged.result == ({"max-running-requests": 8}, {"max-running-requests": 16})
