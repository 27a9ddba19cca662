"""Paths as people mistype them, and folders that are gone or closed: a sentence, and what was typed is still there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, seen, settled
from tests.ui.runs_on_disk import TASK, finished_run, task_file
from tests.ui.task_on_screen import filled, on_task, press, said, text_of
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.screens import compare

NOBODY = "~nosuchuser/x.yaml"
LONG = "x" * 300


async def test_a_user_whom_nobody_knows_and_an_endless_name_are_no_file_to_open(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for typed in (NOBODY, LONG):
            await press(pilot, "o", "ctrl+u")
            await filled(pilot, typed)
            assert said(app)[-1] == f"{typed} is not there; expected a task file"


async def test_nor_a_file_to_save_as(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "down", "delete", "S")
        await filled(pilot, NOBODY)
        await seen(pilot, "✗ the folder", "~nosuchuser is not there")
        await filled(pilot, str(tmp_path / LONG))
        assert said(app)[-1].endswith("cannot be written: File name too long; S saves it elsewhere")
        assert "mem-fraction-static" not in text_of(app)


async def test_a_link_to_itself_becomes_the_file(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "S")
        await filled(pilot, str(loop))
        assert loop.read_text() == TASK


async def test_a_task_that_can_no_longer_be_looked_at_hides_no_other(tmp_path: Path) -> None:
    tasks = [str(tmp_path / LONG / "a.yaml"), str(task_file(tmp_path, TASK.replace("model: ", f"model: ./{LONG}/")))]
    app = app_under_test(tmp_path)
    app.remembered.recent = tasks
    async with app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, "docker-simple-tune.yaml", "has mistakes; Enter opens it", "sample  demo")


async def test_the_folder_it_was_started_in_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        here.rmdir()
        await press(pilot, "n", "enter")
        await seen(pilot, "sglang-task.yaml ● not saved yet")
        await press(pilot, "ctrl+s")
        assert (home / "sglang-task.yaml").exists()
        await press(pilot, "S")
        await filled(pilot, "mine")
        assert (home / "mine.yaml").exists()
        app._save_screenshot()
        assert [each.suffix for each in home.iterdir() if each.suffix != ".yaml"] == [".svg"]
        await press(pilot, "f2")
        await seen(pilot, "sample  demo")


async def test_a_folder_that_takes_no_screenshot_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(app, "save_screenshot", refuse)
        app._save_screenshot()
        await settled(pilot)
        assert said(app) == [f"no screenshot, {tmp_path} takes no file: Permission denied"]


async def test_a_folder_of_runs_that_is_closed_meanwhile_gives_none_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(runs_dir: Path) -> list[RunFolder]:
        raise PermissionError(13, "Permission denied", str(runs_dir))

    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    monkeypatch.setattr(compare, "list_runs", refuse)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "f5", "plus")
        assert said(app) == [f"{tmp_path / 'runs'} cannot be read: Permission denied"]
