"""What comes of a task's text, without a screen: its rows, its plan, what holds where it says nothing."""

from __future__ import annotations

from pathlib import Path

from tests.ui.app_under_test import RecordingLauncher
from tests.ui.runs_on_disk import TASK
from tuner_tui.engines.registry import ENGINES
from tuner_tui.ui.task.outlook import Outlook, outlook


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
