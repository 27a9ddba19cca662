"""Changing the grid: undone and redone, in the order of the keys, and refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, screen_text, seen, settled
from tests.ui.runs_on_disk import TASK
from tests.ui.task_on_screen import on_task, press, said, screen_of, text_of, typed
from tuner_tui.ui.task.grid import Grid
from tuner_tui.ui.task.outlook import SettingRow

SWITCHED = TASK.replace("  tp-size: 1\n", "  tp-size: 1\n  enable-mixed-chunk: false\n  disable-radix-cache: false\n")


async def test_changes_are_undone_and_redone_in_the_grid_and_in_the_yaml_as_one_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner_tui.ui.screens.task._TYPING_S", 60.0)  # however slowly these keys come, it is one go
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "down", "e")
        await typed(pilot, ", 0.9", "enter")
        with_a_value = text_of(app)
        await press(pilot, "ctrl+t")
        await typed(pilot, "# mine")
        with_a_remark = text_of(app)
        assert with_a_remark.startswith("# mine")
        await press(pilot, "ctrl+z")
        assert text_of(app) == with_a_value
        await press(pilot, "escape", "u")
        assert text_of(app) == TASK
        await press(pilot, "u")
        assert said(app) == ["nothing to undo"]
        await press(pilot, "U")
        assert text_of(app) == with_a_value
        await seen(pilot, "0.7, 0.8, 0.9")
        await press(pilot, "ctrl+y")
        assert text_of(app) == with_a_remark
        await press(pilot, "u", "delete", "U")
        assert "nothing to redo" in said(app)


async def test_undo_leads_to_the_row_that_it_changes(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        grid = app.screen.query_one(Grid)
        grid.go_to("start_timeout")
        await press(pilot, "e")
        await typed(pilot, "30m", "enter")
        assert "start_timeout: 30m" in text_of(app)
        await press(pilot, "shift+tab", "u")
        assert grid.chosen is not None
        assert grid.chosen.key == "start_timeout"
        assert text_of(app) == TASK


async def test_a_value_that_was_looked_at_stays_as_it_is(tmp_path: Path) -> None:
    """However it is written: Enter takes what stands there."""
    text = TASK + "unchecked:\n  words: a, b\n  steps: 1..2\n  first: &one [1]\n  again: *one\n"
    app = on_task(tmp_path, text)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for name in ("words", "steps", "again"):
            app.screen.query_one(Grid).go_to(f"unchecked.{name}")
            await press(pilot, "e", "enter")
            assert (name, text_of(app)) == (name, text)
        app.screen.query_one(Grid).go_to("unchecked.words")
        await press(pilot, "e")
        await typed(pilot, ", c", "enter")
        assert "  words: ['a, b', c]\n" in text_of(app)


async def test_switches_turned_without_waiting_are_all_turned(tmp_path: Path) -> None:
    """Each change is read in a thread; keys that come meanwhile are for the row they were pressed on."""
    app = on_task(tmp_path, SWITCHED)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = screen_of(app)
        await pilot.press("down")
        for row in range(2):
            screen.action_change("turn_switch")
            screen.action_change("turn_switch")
            if not row:
                screen.query_one("#flags").action_cursor_down()  # type: ignore[attr-defined]
        await settled(pilot)
        await settled(pilot)
        assert "  enable-mixed-chunk: true\n  disable-radix-cache: true\n" in text_of(app)


async def test_a_flag_that_is_there_is_edited_from_where_one_adds(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "a")
        await typed(pilot, "mem_frac")
        await seen(pilot, "is in the task: Enter edits its values")
        await press(pilot, "enter")
        await seen(pilot, "Enter takes it, Esc cancels")
        await typed(pilot, ", 0.9", "enter")
        assert "  mem-fraction-static: [0.7, 0.8, 0.9]   # searched\n" in text_of(app)


async def test_the_cursor_stays_where_a_flag_was_taken_out(tmp_path: Path) -> None:
    app = on_task(tmp_path, SWITCHED)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "down", "delete")
        row = screen_of(app).grid.chosen
        assert row is not None
        assert row.key == "parameters.disable-radix-cache"
        await press(pilot, "end", "delete")
        row = screen_of(app).grid.chosen
        assert row is not None
        assert row.key == "parameters.disable-radix-cache"


async def test_limits_and_constraints_are_typed_shown_and_taken_out(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        grid = app.screen.query_one(Grid)
        grid.go_to("limits")
        await press(pilot, "enter")
        await typed(pilot, "ttft.p98 < 500ms", "enter")
        await seen(pilot, "did you mean ttft.p99?")
        await press(pilot, *["backspace"] * 9)
        await typed(pilot, "9 < 500ms, tpot.mean<50ms", "enter")
        assert plain_end(text_of(app)) == "limits: {ttft.p99: 500ms, tpot.mean: 50ms}"
        await seen(pilot, "! limits", "ttft.p99 < 500ms, tpot")

        grid.go_to("constraints")
        await press(pilot, "enter")
        await typed(pilot, "mem_fraction_static < 0.5", "enter")
        await seen(pilot, "no configuration is left")
        await press(pilot, *["backspace"] * 3)
        await typed(pilot, "0.75, tp_size <= 8", "enter")
        assert plain_end(text_of(app)) == "constraints: [mem_fraction_static < 0.75, tp_size <= 8]"
        await seen(pilot, "1 left out")
        await press(pilot, "delete")
        assert "constraints" not in text_of(app)
        await press(pilot, "delete")
        assert "constraints is not in the file; what is shown holds without it" in said(app)


async def test_a_request_rate_takes_the_place_of_the_concurrency_and_undo_brings_it_back(tmp_path: Path) -> None:
    app = on_task(tmp_path, TASK.replace("objective: minimize_latency", "limits: {ttft.mean: 500ms}"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen_of(app).grid.go_to("benchmark.request_rate")
        await press(pilot, "enter")
        await typed(pilot, "max", "enter")
        assert "  request_rate: max\n" in text_of(app)
        assert "concurrency" not in text_of(app)
        await seen(pilot, "✓ valid")
        objective = screen_of(app).grid.row("objective")
        assert isinstance(objective, SettingRow)
        assert objective.value == "maximize_goodput"
        await press(pilot, "enter", "ctrl+u")
        await typed(pilot, "2, 4", "enter")
        assert "  request_rate: [2, 4]\n" in text_of(app)
        await press(pilot, "u", "u")
        assert "concurrency: [1, 4]" in text_of(app)
        assert "request_rate" not in text_of(app)


def plain_end(text: str) -> str:
    return text.splitlines()[-1]


async def test_a_broken_yaml_is_left_to_the_yaml_and_the_key_says_so(tmp_path: Path) -> None:
    app = on_task(tmp_path, TASK.replace("[0.7, 0.8]", "[0.7, 0.8"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "a")
        assert said(app) == ["the YAML is broken, so the grid cannot change it; mend it first (ctrl+t)"]


OLD = json.dumps(
    {
        "task_name": "old",
        "base_runtime": "sglang",
        "model": {"id_or_path": "a/b"},
        "parameters": {"tp-size": [1, 2]},
        "benchmark": {"traffic_scenarios": ["D(100,100)"], "num_concurrency": [1], "max_requests_per_iteration": 9},
    }
)


async def test_a_file_of_the_other_format_is_planned_and_made_a_task_file_to_be_edited(tmp_path: Path) -> None:
    app = on_task(tmp_path, OLD, "old.json")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await seen(pilot, "2 configurations")
        await press(pilot, "e")
        await seen(pilot, "old.json is in another format")
        await press(pilot, "n")
        assert text_of(app) == OLD
        await press(pilot, "e", "y")
        await seen(pilot, "old.yaml ● not saved yet")
        await seen(pilot, "2 configurations")
        await press(pilot, "e")
        await typed(pilot, ", 4", "enter", "ctrl+s")
        assert "  tp-size: [1, 2, 4]\n" in (tmp_path / "old.yaml").read_text()
        assert (tmp_path / "old.json").read_text() == OLD
        await seen(pilot, "old.yaml")
        assert "not saved" not in screen_text(app).splitlines()[1]


async def test_keys_that_can_do_nothing_say_why(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "c")
        assert said(app) == ["there is no run yet: d runs the demo, Enter on a task opens it"]
        await press(pilot, "f3", "ctrl+r")
        assert said(app)[-1].startswith("no task is open")
        assert "Start" not in screen_text(app).splitlines()[-1]
