"""Getting a task into its file: save as, links, read-only files, other programs, new tasks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.app_under_test import app_under_test, asked, seen, settled
from tests.ui.runs_on_disk import TASK, finished_run, task_file
from tests.ui.task_on_screen import filled, on_task, press, said, screen_of, text_of, typed
from tuner_tui.task.samples import sample
from tuner_tui.ui.app import TunerApp

MORE = TASK.replace("0.8]", "0.8, 0.9]")


async def changed(pilot: Pilot[None]) -> None:
    await settled(pilot)
    await press(pilot, "down", "e")
    await typed(pilot, ", 0.9", "enter")


async def test_save_as_writes_another_file_and_goes_on_there(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await changed(pilot)
        await press(pilot, "S")
        await seen(pilot, "docker-simple-tune-2.yaml")
        await filled(pilot, str(tmp_path / "nowhere" / "x.yaml"))
        await seen(pilot, "✗ the folder")
        await filled(pilot, str(tmp_path / "mine"))
        assert (tmp_path / "mine.yaml").read_text() == MORE
        assert (tmp_path / "docker-simple-tune.yaml").read_text() == TASK
        await seen(pilot, "mine.yaml")
        await press(pilot, "u", "ctrl+s")
        assert (tmp_path / "mine.yaml").read_text() == TASK


async def test_save_as_over_a_file_that_is_there_is_asked_about(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("mine: too\n")
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await changed(pilot)
        for answer, left in (("n", "mine: too\n"), ("y", MORE)):
            await press(pilot, "S")
            await filled(pilot, str(other))
            await seen(pilot, "is there already")
            await press(pilot, answer)
            assert other.read_text() == left


async def test_a_sample_is_saved_as_ones_own_and_never_among_the_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_under_test(tmp_path, task=sample("demo"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "ctrl+s")
        await seen(pilot, "samples stay as they are; your own goes to")
        await filled(pilot, str(sample("demo").with_name("x.yaml")))
        await seen(pilot, "that is the samples")
        await press(pilot, "escape", "ctrl+s", "enter")
        assert (tmp_path / "demo.yaml").read_text() == sample("demo").read_text()


async def test_a_link_stays_a_link_and_its_file_keeps_its_permissions(tmp_path: Path) -> None:
    real = task_file(tmp_path / "real")
    real.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    app = app_under_test(tmp_path, task=link)
    async with app.run_test(size=(80, 24)) as pilot:
        await changed(pilot)
        await press(pilot, "ctrl+s")
        assert link.is_symlink()
        assert real.read_text() == MORE
        assert real.stat().st_mode & 0o777 == 0o640
        assert [each.name for each in real.parent.iterdir()] == [real.name]


async def test_a_read_only_file_is_written_only_after_a_yes_and_starts_as_the_text_stands(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    app.launcher.answer = finished_run(tmp_path / "runs", tmp_path / "other")  # type: ignore[attr-defined]
    path = tmp_path / "docker-simple-tune.yaml"
    path.chmod(0o444)
    async with app.run_test(size=(80, 24)) as pilot:
        await changed(pilot)
        await press(pilot, "ctrl+s")
        await seen(pilot, "is marked read-only")
        await press(pilot, "n", "ctrl+r")
        assert asked(app) == [("start", path, MORE)]
        assert path.read_text() == TASK
        assert "which are not in docker-simple-tune.yaml; ctrl+s asks where" in said(app)[-1]
        await press(pilot, "f3", "ctrl+s", "y")
        assert path.read_text() == MORE
        assert path.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize(("gone", "why"), [(False, "nothing can be written to"), (True, "is not there")])
async def test_where_nothing_can_be_written_another_place_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = task_file(tmp_path / "there")
    app = app_under_test(tmp_path, task=path)
    may = os.access
    async with app.run_test(size=(80, 24)) as pilot:
        await changed(pilot)
        if gone:
            path.unlink()
            path.parent.rmdir()
        else:  # root, who runs tests too, may write anywhere
            monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "there" and may(path, mode))
        await press(pilot, "ctrl+s")
        await seen(pilot, why)
        await press(pilot, "enter")
        assert (tmp_path / "docker-simple-tune.yaml").read_text() == MORE
        assert gone or path.read_text() == TASK


async def test_a_file_changed_by_another_program_is_read_again_or_told_of_and_asked_about(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    path = tmp_path / "docker-simple-tune.yaml"
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        path.write_text(TASK.replace("0.8]", "0.85]"))
        screen_of(app).keeping.look_at_disk()
        await settled(pilot)
        assert said(app) == ["docker-simple-tune.yaml was changed by another program and read again"]
        await seen(pilot, "0.7, 0.85")

        await press(pilot, "down", "e")
        await typed(pilot, ", 0.9", "enter")
        mine = text_of(app)
        path.write_text(TASK + "# theirs, too\n")
        for _ in range(2):
            screen_of(app).keeping.look_at_disk()
            await settled(pilot)
        assert said(app).count("docker-simple-tune.yaml was changed by another program too; saving asks first") == 1
        await press(pilot, "ctrl+r")
        assert "save it first" in said(app)[-1]
        assert asked(app) == []
        await press(pilot, "ctrl+s")
        await seen(pilot, "was changed by another program. Write over")
        await press(pilot, "n")
        assert path.read_text().endswith("# theirs, too\n")
        await press(pilot, "ctrl+s", "y")
        assert path.read_text() == mine


async def test_a_start_never_runs_what_was_not_shown(tmp_path: Path) -> None:
    """The file changes between the last look at it and the start."""
    app = on_task(tmp_path)
    path = tmp_path / "docker-simple-tune.yaml"
    app.launcher.answer = finished_run(tmp_path / "runs", tmp_path / "other")  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        path.write_text(MORE)
        await press(pilot, "ctrl+r")
        assert asked(app) == []
        assert "look at the plan again" in said(app)[-1]
        await seen(pilot, "3 configurations")
        path.unlink()
        await press(pilot, "ctrl+r")
        assert asked(app) == [("start", path, MORE)]
        assert path.read_text() == MORE


async def test_a_new_task_is_a_template_until_it_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app: TunerApp = app_under_test(tmp_path)
    before = sorted(tmp_path.iterdir())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "n", "down", "enter")
        await seen(pilot, "vllm-task.yaml ● not saved yet")
        await seen(pilot, "✗ model")
        assert [each for each in tmp_path.iterdir() if each.suffix] == [each for each in before if each.suffix]
        assert screen_of(app).unsaved() == ""
        await press(pilot, "enter")
        await typed(pilot, "org/name", "enter")
        await seen(pilot, "3 configurations × 3 launches", "9 launches")
        assert screen_of(app).unsaved()
        await press(pilot, "ctrl+s")
        assert "model: org/name" in (tmp_path / "vllm-task.yaml").read_text()
        await press(pilot, "escape")
        await settled(pilot)
        await seen(pilot, "vllm-task.yaml")


async def test_leaving_and_opening_another_task_can_save_first(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    path = tmp_path / "docker-simple-tune.yaml"
    other = task_file(tmp_path, name="other.yaml")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await changed(pilot)
        app.open_task(other)
        await seen(pilot, "has changes that are not saved", "save and open it")
        await press(pilot, "n")
        await seen(pilot, "docker-simple-tune.yaml ● unsaved")
        app.open_task(other)
        await press(pilot, "s")
        await seen(pilot, "other.yaml", "✓ valid")
        assert path.read_text() == MORE

        await press(pilot, "delete")
        other.write_text(TASK + "# theirs\n")
        await press(pilot, "ctrl+q", "s")
        assert "other.yaml is not saved: another program has changed it. ctrl+s on F3 asks how" in said(app)
        assert app.is_running
        other.write_text(TASK)
        await press(pilot, "ctrl+s", "y", "u", "ctrl+q", "s")
    assert other.read_text() == TASK
    assert app.return_code == 0
