"""Home: recent runs, tasks, the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, asked, screen_text, seen, settled
from tests.ui.runs_on_disk import finished_run, task_file
from tuner_tui.runs import folder
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalUnreadable
from tuner_tui.task.samples import sample


async def test_the_first_start_explains_itself_in_three_lines(tmp_path: Path) -> None:
    app = app_under_test(tmp_path, welcome=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        text = screen_text(app)
    assert "Welcome. This finds the launch flags" in text
    assert "no run yet; d runs the demo" in text
    again = app_under_test(tmp_path)
    async with again.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert "Welcome" not in screen_text(again)


async def test_a_finished_run_is_listed_with_its_leader_and_opened_by_enter(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        text = screen_text(app)
        line = next(line for line in text.splitlines() if "docker-simple-tune" in line)
        assert "winner" in line
        assert "★ #2" in line
        assert "4/4" in line
        await pilot.press("enter")
        await settled(pilot)
        assert app.current_mode == "run"
        assert app.view is not None
        assert app.view.condition == "winner"


async def test_the_filter_hides_runs_that_do_not_fit(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"stopped")
        await pilot.pause()
        assert "no run fits the filter" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "docker-simple-tune" in screen_text(app)


async def test_d_starts_the_demo_and_shows_it(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    app.launcher.answer = run  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await settled(pilot)
        assert asked(app) == [("start", sample("demo"), None)]
        assert app.current_mode == "run"


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (OSError(28, "No space left on device", "/data/runs"), "No space left on device: /data/runs"),
        (JournalUnreadable("journal.jsonl:3: not an event"), "journal.jsonl:3: not an event"),
    ],
)
async def test_a_start_that_is_refused_says_why_and_leads_back(tmp_path: Path, refusal: Exception, why: str) -> None:
    app = app_under_test(tmp_path)
    app.launcher.refusal = refusal  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await settled(pilot)
        assert why in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        assert app.current_mode == "home"
        assert "Runs" in screen_text(app)


async def test_tasks_of_the_folder_and_those_had_open_are_listed_and_a_path_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    task_file(here, name="mine.yaml")
    task_file(here / "below", name="other.yaml")
    (here / "notes.yaml").write_text("- milk\n")
    monkeypatch.chdir(here)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        text = screen_text(app)
        assert "here    mine.yaml         sglang     2 configurations: mem-fraction-static" in text
        assert "notes.yaml" not in text
        await pilot.press("o", "b", "e")
        await seen(pilot, "below/")
        await pilot.press("tab", "o")
        await seen(pilot, "below/other.yaml")
        await pilot.press("tab", "enter")
        await seen(pilot, "[Task]", "other.yaml", "✓ valid")
        await pilot.press("f2")
        await seen(pilot, "recent  below/other.yaml", "here    mine.yaml")


async def test_resume_is_offered_only_where_something_is_left(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        await pilot.pause()
        assert "Resume" not in screen_text(app).splitlines()[-1]
        await pilot.press("r")
        await seen(pilot, "is over; nothing is")


async def test_a_run_that_cannot_be_read_is_one_line_of_the_list_and_told_whole_below(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs", tmp_path)
    broken = tmp_path / "runs" / ("2026-11-24-" + "a-very-long-name-" * 5)
    broken.mkdir()
    (broken / "journal.jsonl").write_text('{"type":"something else","at":"2026-11-24T00:00:00Z"}\n')
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        text = await seen(pilot, "unreadable", "not an event this version knows")
        assert app.screen.query_one("#runs").max_scroll_x == 0
        line = next(line for line in text.splitlines() if "unreadable" in line)
        assert "why: below" in line
        assert "★ #2 0.20" in next(line for line in text.splitlines() if "winner" in line)
        await pilot.press("down")
        await pilot.pause()
        assert "not an event this version knows" not in screen_text(app)


async def test_a_folder_of_runs_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(runs_dir: Path) -> list[RunFolder]:
        raise PermissionError(13, "Permission denied", str(runs_dir))

    monkeypatch.setattr(folder, "list_runs", refused)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "runs cannot be read: Permission denied" in screen_text(app).replace("\n", " ")
