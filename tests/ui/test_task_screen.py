"""The task screen: the grid and the YAML are one text; the plan is always that of the text as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, asked, screen_text, settled
from tests.ui.runs_on_disk import finished_run
from tuner_tui.task.reader import read
from tuner_tui.task.samples import sample
from tuner_tui.ui.screens.task import TaskScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])


def screen_of(app: object) -> TaskScreen:
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, TaskScreen)
    return screen


def text_of(app: object) -> str:
    document = screen_of(app).document
    assert document is not None
    return document.text


@SIZES
async def test_a_sample_is_opened_changed_to_three_values_and_started_by_keys_alone(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    run = finished_run(tmp_path / "runs", tmp_path / "other")
    app = app_under_test(tmp_path)
    app.launcher.answer = run  # type: ignore[attr-defined]
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        await pilot.press("enter")
        await settled(pilot)
        assert app.current_mode == "task"
        assert "4 configurations = 4 launches" in screen_text(app)
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press(*", 0.85", "enter")
        await settled(pilot)
        assert "  mem-fraction-static: [0.7, 0.8, 0.85]\n" in text_of(app)
        assert "6 configurations = 6 launches" in screen_text(app)
        await pilot.press("ctrl+r")
        await settled(pilot)
        [(what, path)] = asked(app)
        assert what == "start"
        assert isinstance(path, Path)
        assert path != sample("demo")
        task = read(path).task
        assert task is not None
        assert next(each.values for each in task.space.parameters if each.name == "mem-fraction-static") == (
            0.7, 0.8, 0.85,
        )  # fmt: skip
        assert app.current_mode == "run"
    assert "0.85" not in sample("demo").read_text()
