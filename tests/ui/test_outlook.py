"""What comes of a task's text, without a screen: its rows, its plan, what holds where it says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.app_under_test import RecordingLauncher
from tests.ui.runs_on_disk import TASK
from tuner_tui.engines.launch import launch_spec
from tuner_tui.engines.registry import ENGINES
from tuner_tui.ui.task.outlook import Outlook, outlook
from tuner_tui.ui.task.settings import SETTINGS


def ahead(tmp_path: Path, text: str) -> Outlook:
    return outlook(text, tmp_path / "task.yaml", RecordingLauncher(tmp_path))


def values(found: Outlook) -> dict[str, tuple[str, bool]]:
    return {row.key: (row.value, row.given) for row in found.settings}


def test_alternatives_that_vary_together_are_one_row_with_a_dash_for_what_one_lacks(tmp_path: Path) -> None:
    found = ahead(tmp_path, f"{TASK}linked: [{{dp-size: 1, ep-size: 1}}, {{dp-size: 2}}]\n")
    row = found.flags[-1]
    assert (row.name, row.values, row.count) == ("linked: dp-size, ep-size", "1 1 | 2 –", 2)
    assert found.launches == 8
    assert found.differing == ("mem-fraction-static", "dp-size", "ep-size")


def test_what_the_file_does_not_say_is_shown_as_what_holds_without_it(tmp_path: Path) -> None:
    found = values(ahead(tmp_path, TASK))
    assert found["image"] == (ENGINES["sglang"].default_image, False)
    assert found["search.launches"] == ("2", True)
    assert found["benchmark.request_rate"] == ("by concurrency", False)
    changed = TASK.replace("gpus: []", "backend: process").replace("concurrency: [1, 4]", "request_rate: max")
    found = values(ahead(tmp_path, changed.replace("objective: minimize_latency", "limits: {ttft.mean: 1s}")))
    assert found["image"] == ("none: a process", False)
    assert found["benchmark.concurrency"] == ("by request rate", False)
    assert found["objective"] == ("maximize_goodput", False)


def test_a_broken_text_has_no_rows_and_a_task_that_leaves_nothing_says_so(tmp_path: Path) -> None:
    found = ahead(tmp_path, TASK.replace("[0.7, 0.8]", "[0.7, 0.8"))
    assert found.broken
    assert found.plan is None
    found = ahead(tmp_path, f'{TASK}constraints: ["tp_size > 1"]\n')
    assert found.plan is None
    assert "no configuration is left" in found.errors[0].message


_SCALARS = st.sampled_from(
    ["1", "0.7", "-1", "1e999", ".nan", "null", "true", "x", "''", "'a, b'", '"\\0"', "2024-01-01", "1:30", "max", "<<",
     "from", "to", "times", "step", "D(100,100)", "{{ x }}", "tp-size", "$HOME", "~x", "!!set {a}", "!!binary aGk=",
     "&a 1", "*a", "# x", "? a", "| x"]
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda below: (
        st.lists(below, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(below, below), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
        | st.lists(below, max_size=3).map(lambda items: "{" + ", ".join(items) + "}")
    ),
    max_leaves=6,
)
_PATHS = sorted(
    {setting.path for setting in SETTINGS}
    | {("parameters", "tp-size"), ("unchecked", "x"), ("docker", "mounts"), ("docker", "labels"), ("process", "cwd")}
    | {(key,) for key in ("parameters", "unchecked", "linked", "benchmark", "search", "docker", "env", "other")}
    | {(key,) for key in ("task_name", "base_runtime", "traffic_scenarios")}
)


def _with(path: tuple[str | int, ...], value: str) -> str:
    """A good task with `value` put at `path`."""
    head, *below = map(str, path)
    given = {
        "engine": "sglang",
        "model": "org/name",
        "gpus": "[]",
        "parameters": "{mem-fraction-static: [0.7, 0.8]}",
        "benchmark": '{traffic: ["D(100,100)"], concurrency: [1], max_requests: 5}',
    }
    if not below:
        given[head] = value
    elif head in given:
        given[head] = f"{given[head][:-1]}, {below[0]}: {value}}}"
    else:
        given[head] = f"{{{below[0]}: {value}}}"
    return "".join(f"{key}: {text}\n" for key, text in given.items())


@pytest.mark.parametrize("path", _PATHS, ids=".".join)
@given(value=_VALUES)
@settings(max_examples=20, deadline=None)
def test_whatever_stands_at_a_key_its_row_is_shown_and_its_mistake_named(
    path: tuple[str, ...], value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = ahead(tmp_path_factory.getbasetemp(), _with(path, value))
    assert found.task is not None or found.errors
    if found.plan is not None and found.task is not None:
        for each in found.plan.experiments:
            assert launch_spec(found.task, each.configuration, ()).shell_line()
