"""Compare: the verdict, experiments side by side, what is taken away."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.app_under_test import app_under_test, asked, screen_text, seen, settled
from tests.ui.runs_on_disk import TASK, RecordedRun, finished_run, task_file, task_of
from tuner_tui.runs.events import Failure, LaunchFinished
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.screens.compare import CompareScreen


def _screen(app: TunerApp) -> CompareScreen:
    assert isinstance(app.screen, CompareScreen)
    return app.screen


async def _open(pilot: Pilot[None]) -> None:
    await settled(pilot)
    await pilot.press("f5")
    await settled(pilot)


def _line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if name in line)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_the_verdict_and_the_best_of_each_row_are_named(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=size) as pilot:
        await _open(pilot)
        text = screen_text(app)
    assert "★ WINNER" in text
    assert "#2" in _line(text, "WINNER")
    row = _line(text, "E2E mean × 1")
    assert "★ 172 ms" in row
    assert row.index("172 ms") < row.index("191 ms"), "the best stands first"
    assert "+10.6 %" in row
    assert "★ 2,405,039" in _line(text, "2,405,039")


async def test_a_run_of_equals_is_a_tie_and_says_so_in_every_row(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    for scatter in (0.190, 0.191):
        for experiment in run.experiments:
            run.launch(experiment.id, scatter)
    app = app_under_test(tmp_path, reader=RunReader(run.finish()))
    async with app.run_test(size=(160, 45)) as pilot:
        await _open(pilot)
        text = screen_text(app)
        assert "≈ TIE" in text
        assert _line(text, "E2E mean × 4").count("≈") == 2
        assert "v  confirm: 10 more launches of each of #1, #2" in text
        await pilot.press("v")
        await settled(pilot)
        await pilot.press("ctrl+u", "backspace", "5")
        await settled(pilot)
        assert "5 more launches of each of #" in screen_text(app)
        app.launcher.answer = run.folder  # type: ignore[attr-defined]
        await pilot.press("enter")
        await settled(pilot)
        assert ("confirm", run.folder, (1, 2), 5) in asked(app)
        assert app.current_mode == "run"


async def test_the_line_below_tells_the_figure_under_the_cursor_with_its_interval(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        await pilot.press("down", "down", "right")
        await settled(pilot)
        detail = _screen(app).table.detail
        assert detail.startswith("E2E mean × 1 of #1: 191 ms [188 ms, 193 ms] · +10.6 % [")
        assert detail.endswith("] to #2")
        assert "E2E mean × 1 of #1: 191 ms" in screen_text(app)


async def test_another_column_is_pinned_and_the_others_are_held_against_it(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        await pilot.press("right", "b")
        await settled(pilot)
        row = _line(screen_text(app), "E2E mean × 1")
        assert "−9.6 %" in row
        assert "+10.6 %" not in row


async def test_the_statistic_and_the_filter_choose_rows(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        await pilot.press("m")
        await settled(pilot)
        text = screen_text(app)
        assert "E2E p50 × 1" in text
        assert "E2E mean ×" not in text
        await pilot.press("slash", *"ttft", "enter")
        await settled(pilot)
        text = screen_text(app)
        assert "TTFT p50 × 4" in text
        assert "E2E p50" not in text
        await pilot.press("escape")
        await settled(pilot)
        assert "E2E p50 × 1" in screen_text(app)
        assert app.current_mode == "compare"


async def test_columns_are_ordered_by_the_row_under_the_cursor(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    for _ in range(2):
        run.launch(1, 0.19, 3_000_000)
        run.launch(2, 0.17, 2_000_000)
    app = app_under_test(tmp_path, reader=RunReader(run.finish()))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        assert [column.key for column in _screen(app).table.columns_shown] == ["2", "1"]
        row = next(index for index, key in enumerate(_screen(app).table.rows) if "kv_cache_tokens" in str(key.value))
        _screen(app).table.move_cursor(row=row)
        await pilot.press("s")
        await settled(pilot)
        assert [column.key for column in _screen(app).table.columns_shown] == ["1", "2"]


async def test_experiments_are_chosen(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("down", "space", "enter")
        await settled(pilot)
        assert [column.key for column in _screen(app).table.columns_shown] == ["1"]


async def test_a_leader_that_is_launched_again_keeps_its_score(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.launch(1, 0.19)
    run.launch(2, 0.17)
    run.begin(2)
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        score = next(line for line in screen_text(app).splitlines() if "│ score  " in line)
        assert score.count(" s ") == 2
        assert "✗" not in score


async def test_one_that_failed_is_shown_when_asked_for_and_never_wins(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path, TASK.replace("launches: 2", "launches: 1"))))
    number = run.begin(1)
    run.write(
        LaunchFinished(
            at=run.at,
            launch=number,
            status="failed",
            failure=Failure(failure_class="cuda_out_of_memory", reason="full"),
        )
    )
    run.launch(2, 0.17)
    app = app_under_test(tmp_path, reader=RunReader(run.finish()))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        assert "✗ failed" not in screen_text(app)
        await pilot.press("i")
        await settled(pilot)
        assert "✗ failed" in screen_text(app)


async def test_what_is_taken_away_is_written_and_its_path_said(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(160, 45)) as pilot:
        await _open(pilot)
        await pilot.press("x")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        await pilot.press("x")
        await settled(pilot)
        await pilot.press("down", "down", "down", "enter")
        await settled(pilot)
        said = [note.message for note in app._notifications]
    assert said == [f"written: {folder.path / 'results.csv'}", f"written: {folder.path / 'launch.sh'}"]
    assert (folder.path / "results.csv").read_text().startswith("run,")
    assert (folder.path / "launch.sh").read_text() == "docker run …\n"


async def test_a_limit_that_is_broken_is_named_with_its_figure(tmp_path: Path) -> None:
    text = TASK.replace("search:", "limits: {ttft.mean: 30ms}\nsearch:")
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path, text)))
    async with app.run_test(size=(120, 40)) as pilot:
        await _open(pilot)
        row = _line(screen_text(app), "limits ")
        assert row.index("✓ kept") < row.index("✗ ttft.mean broken")
        await pilot.press("down", "down", "right")
        await seen(pilot, "#1: ttft.mean 31.8 ms [31.4 ms, 32.2 ms] of 30 ms at D(100,100) × 4")


async def test_another_run_stands_beside(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs", tmp_path)
    other = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)), "2026-11-24T08-00-00-later")
    for _ in range(2):
        for experiment in other.experiments:
            other.launch(experiment.id, 0.15)
    first = RunReader(finished_run(tmp_path / "more", tmp_path))
    other.finish()
    app = app_under_test(tmp_path, reader=first)
    async with app.run_test(size=(160, 45)) as pilot:
        await _open(pilot)
        await pilot.press("plus")
        await settled(pilot)
        await pilot.press("enter")
        text = await seen(pilot, "B#1")
        assert "B: 2026-11-24T08-00-00-later" in text
        assert "150 ms" in _line(text, "E2E mean × 1")
        score = _line(text, "score ")
        assert score.index("★") < score.index("0.1750 s"), "theirs has no mark: it is none of this run's"
        assert score.count("0.1750 s") == 2
        assert "★" not in score[score.index("0.1750 s") - 3 :]


async def test_no_run_and_nothing_measured_are_said(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await _open(pilot)
        assert "No run is open." in screen_text(app)
        await pilot.press("x")
        await settled(pilot)
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.begin(1)
    begun = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with begun.run_test(size=(80, 24)) as pilot:
        await _open(pilot)
        assert "NO RESULT" in screen_text(begun)


MANY = f"""\
name: many
engine: sglang
model: meta-llama/Llama-3.2-1B-Instruct
gpus: []
parameters:
  max-running-requests: {[64 + number for number in range(40)]}
benchmark: {{traffic: ["D(100,100)"], concurrency: [1], max_requests: 20}}
"""


async def test_of_many_experiments_the_best_have_columns_and_the_charts_have_all(tmp_path: Path) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path, MANY)))
    for experiment in run.experiments:
        run.launch(experiment.id, 0.30 - experiment.id / 1000, 1_000_000 - 1000 * experiment.id)
    app = app_under_test(tmp_path, reader=RunReader(run.finish()))
    async with app.run_test(size=(160, 45)) as pilot:
        await _open(pilot)
        table = _screen(app).table
        assert [column.key for column in table.columns_shown] == [str(40 - place) for place in range(24)]
        assert table.experiments == tuple(range(40, 0, -1))
        await seen(pilot, "24 of 40, space chooses")
        await pilot.press("3")
        await seen(pilot, "more experiments")
        await pilot.press("b")
        await settled(pilot)
        row = next(index for index, key in enumerate(table.rows) if "kv_cache_tokens" in str(key.value))
        table.move_cursor(row=row)
        await pilot.press("s")
        await settled(pilot)
        assert table.experiments == tuple(range(1, 41))
        # What the others are held against keeps a column, wherever it stands.
        assert [column.key for column in table.columns_shown] == [str(each) for each in (*range(1, 24), 40)]


async def test_keys_of_the_table_change_nothing_that_is_not_seen(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await _open(pilot)
        assert "b Baseline" in screen_text(app)
        await pilot.press("t")
        await settled(pilot)
        assert "b Baseline" not in screen_text(app)
        await pilot.press("m")
        await settled(pilot)
        assert "that is the table's: t shows it" in screen_text(app)
        await pilot.press("t")
        await settled(pilot)
        assert "Metrics · mean" in screen_text(app)
        assert "b Baseline" in screen_text(app)
