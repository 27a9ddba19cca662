"""Run: what a person sees of a run and asks of its runner."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, seen
from tests.ui.runs_on_disk import RecordedRun, finished_run, task_file, task_of
from tuner_tui.runs.commands import CommandReader, Continue, Measure, Pause, Skip, Stop
from tuner_tui.runs.events import CommandTaken, RunPaused
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.view import RunReader

SIZES = [(80, 24), (160, 45)]


@contextmanager
def runner_at_work(folder: RunFolder) -> Iterator[None]:
    """As far as readers can tell: a lock is not seen by the process that holds it."""
    code = f"from pathlib import Path; from tuner_tui.runs.lock import take; take(Path({str(folder.lock)!r}), 'r')"
    code += "; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def live_run(tmp_path: Path) -> RecordedRun:
    """One launch done, the second experiment's being measured."""
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.launch(1, 0.19)
    run.ready(run.begin(2), 2_405_039)
    return run


def commands(folder: RunFolder) -> list[object]:
    return list(CommandReader(folder.commands).read())


@pytest.mark.parametrize("size", SIZES)
async def test_a_finished_run_shows_its_winner_its_figures_and_the_leaders_launch(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=size, notifications=True) as pilot:
        text = await seen(pilot, "finished, 4 of 4 launches", "★ WINNER", "#2 mem-fraction-static 0.8")
        lines = text.splitlines()
    leader = next(line for line in lines if " ★ 2" in line or " ★  2" in line)
    assert "●●" in leader
    assert "2,405,039" in leader
    other = next(line for line in lines if "2,094,537" in line)
    assert "+10." in other


async def test_a_live_run_is_followed_until_the_cursor_picks_another(tmp_path: Path) -> None:
    run = live_run(tmp_path)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            await seen(pilot, "launch 2 of 4", "#2 mem-fraction-static 0.8  launch 2  live")
            await pilot.press("up")
            await seen(pilot, "#1 mem-fraction-static 0.7  launch 1")
            await pilot.press("0")
            await seen(pilot, "launch 2  live")


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_asked_reaches_the_runner_and_its_answer_the_user(tmp_path: Path, size: tuple[int, int]) -> None:
    run = live_run(tmp_path)
    with runner_at_work(run.folder):
        app = app_under_test(tmp_path, reader=RunReader(run.folder))
        async with app.run_test(size=size, notifications=True) as pilot:
            await seen(pilot, "launch 2 of 4", "live")
            await pilot.press("space", "plus")
            await pilot.press("K", "y")
            await pilot.press("x", "n")
            await pilot.pause()
            asked = commands(run.folder)
            assert [type(each) for each in asked] == [Pause, Measure, Skip]
            assert isinstance(asked[1], Measure)
            assert asked[1].experiment == 2
            assert isinstance(asked[2], Skip)
            assert asked[2].launch == 2
            run.write(CommandTaken(id="1", command="pause", accepted=True))
            run.write(RunPaused())
            run.write(CommandTaken(id="2", command="skip", accepted=False, why="launch 2 is not under way"))
            await seen(pilot, "‖ paused", "skip is refused: launch 2 is not")
            await pilot.press("space")
            await pilot.press("x", "y")
            await pilot.pause()
            assert [type(each) for each in commands(run.folder)[3:]] == [Continue, Stop]
