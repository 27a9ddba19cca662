"""A run of many experiments: read in a thread, its table drawn where it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ui.app_under_test import app_under_test, screen_text, seen
from tests.ui.runs_on_disk import RecordedRun, task_file, task_of
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.run.experiments import ExperimentsTable
from tuner_tui.ui.run.rows import cell

MANY = 120
TEXT = f"""\
name: many
engine: sglang
model: meta-llama/Llama-3.2-1B-Instruct
gpus: []
parameters:
  max-running-requests: {[64 + number for number in range(MANY)]}
benchmark: {{traffic: ["D(100,100)"], concurrency: [1, 4], max_requests: 20}}
"""


def many(tmp_path: Path) -> RecordedRun:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path, TEXT)))
    for experiment in run.experiments:
        run.launch(experiment.id, 0.19 + experiment.id / 1000)
    run.finish()
    return run


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_keys_go_through_a_long_table_and_the_launch_follows(tmp_path: Path, size: tuple[int, int]) -> None:
    run = many(tmp_path)
    reader = RunReader(run.folder)
    assert reader.is_far_behind
    app = app_under_test(tmp_path, reader=reader)
    async with app.run_test(size=size) as pilot:
        await seen(pilot, "#1 max-running-requests 64")
        table = app.screen.query_one(ExperimentsTable)
        rows = table.size.height - 1
        for keys, number in (
            (["down"], 2),
            (["pagedown"], 2 + rows),
            (["G"], MANY),
            (["pageup"], MANY - rows),
            (["k"], MANY - rows - 1),
            (["g"], 1),
        ):
            await pilot.press(*keys)
            text = await seen(pilot, f"#{number} max-running-requests {63 + number}")
            assert table.chosen == number
            assert f" {63 + number} " in text
        await pilot.press("G", "enter")
        await seen(pilot, f"#{MANY} max-running-requests")
        assert not table.has_focus


async def test_a_click_chooses_a_row_and_another_goes_into_it(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(many(tmp_path).folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "#1 max-running-requests 64")
        await pilot.press("pagedown")
        table = app.screen.query_one(ExperimentsTable)
        top = table.scroll_offset.y
        await pilot.click(ExperimentsTable, offset=(5, 3))
        await seen(pilot, f"#{top + 3} max-running-requests")
        assert table.has_focus
        await pilot.click(ExperimentsTable, offset=(5, 3))
        await pilot.pause()
        assert not table.has_focus


async def test_only_rows_in_view_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: set[int] = set()

    def counted(column: Any, experiment: Any, *rest: Any, **more: Any) -> Any:
        drawn.add(experiment.id)
        return cell(column, experiment, *rest, **more)

    monkeypatch.setattr("tuner_tui.ui.run.experiments.cell", counted)
    app = app_under_test(tmp_path, reader=RunReader(many(tmp_path).folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "#1 max-running-requests 64")
        assert len(drawn) < 12
        await pilot.press("G")
        await seen(pilot, f"#{MANY} max-running-requests")
        assert MANY in drawn
        assert 60 not in drawn
        assert "SCORE" in screen_text(app)
