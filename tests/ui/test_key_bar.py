"""The last line: the keys that do something now, whole, help always the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, screen_text, seen, settled
from tests.ui.runs_on_disk import finished_run, task_file
from tuner_tui.runs.view import ReplayReader, RunReader
from tuner_tui.ui.key_bar import Key, fitting
from tuner_tui.ui.keymap import keymap_file

KEYS = [
    Key("task.start", "ctrl+r", "^r", "Start"),
    Key("task.copy", "y", "y", "Copy command"),
    Key("task.undo", "u", "u", "Undo"),
    Key("app.help", "question_mark", "?", "Help"),
    Key("app.leave", "ctrl+q", "^q", "Leave"),
]


def words(width: int) -> str:
    keys, gap = fitting(KEYS, width)
    return (" " * gap).join(f"{key.display} {key.description}" for key in keys)


def test_help_is_the_last_and_what_does_not_fit_is_left_out_whole() -> None:
    everything = "^r Start  y Copy command  u Undo  ^q Leave  ? Help"
    assert words(len(everything)) == everything
    assert words(len(everything) - 1) == everything.replace("  ", " ")
    assert words(40) == "^r Start  y Copy command  u Undo  ? Help"
    assert words(37) == "^r Start y Copy command u Undo ? Help"
    assert words(29) == "^r Start u Undo ? Help"
    assert words(8) == "? Help"


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (160, 45)])
async def test_on_every_screen_the_keys_end_with_help(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, task=task_file(tmp_path), reader=RunReader(folder))
    async with app.run_test(size=size) as pilot:
        compare = "x Export" if size[0] >= 120 else "t Charts"
        for key, first in (("f2", "n New task"), ("f3", "^r Start"), ("f4", "+ Once more"), ("f5", compare)):
            await pilot.press(key)
            await settled(pilot)
            line = (await seen(pilot, first)).splitlines()[-1]
            assert line.startswith(first)
            assert line.endswith("? Help")
            assert size[0] == 40 or line.endswith(("^q Leave ? Help", "^q Leave  ? Help"))


async def test_a_click_presses_the_key(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        line = screen_text(app).splitlines()[-1]
        await pilot.click("#key-bar", offset=(line.index("Open a file"), 0))
        await pilot.pause()
        assert app.screen.focused is app.screen.query_one("#home-path")


async def test_the_users_own_keys_are_shown(tmp_path: Path) -> None:
    keymap_file().parent.mkdir(parents=True)
    keymap_file().write_text("home.demo: f8\napp.help: f7\n", encoding="utf-8")
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        line = screen_text(app).splitlines()[-1]
        assert "f8 Demo" in line
        assert line.endswith("f7 Help")


async def test_a_replay_that_is_opened_directly_has_its_keys(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=ReplayReader(folder, 1.0))
    async with app.run_test(size=(80, 24)) as pilot:
        line = (await seen(pilot, "REPLAY")).splitlines()[-1]
        assert "> Faster" in line
        assert line.endswith("? Help")
