"""Dialogs where keys come in bursts, and where one opens above another."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.ui.app_under_test import app_under_test, seen, settled
from tests.ui.runs_on_disk import finished_run
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.screens.confirm import Confirm


async def closed(pilot: Pilot[None], app: TunerApp) -> None:
    while len(app.screen_stack) > 1:
        await pilot.pause()
    await settled(pilot)


async def test_of_several_enters_in_the_palette_one_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The action that was chosen is carried out once, and the app goes on."""
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    moved: list[str] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "WINNER")
        monkeypatch.setattr(app, "show_mode", moved.append)
        await pilot.press("ctrl+p", *"compare")
        await seen(pilot, "Compare")
        await pilot.press("down")
        for _ in range(5):
            app.simulate_key("enter")
        await closed(pilot, app)
        assert len(moved) == 1
        await pilot.press("ctrl+p")
        await seen(pilot, "Choose a theme")


@pytest.mark.parametrize("key", ["x", "space"])
async def test_enters_behind_the_one_that_closes_a_dialog_close_nothing_else(tmp_path: Path, key: str) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, "WINNER")
        await pilot.press("f5")
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert len(app.screen_stack) == 2
        for _ in range(4):
            app.simulate_key("enter")
        await closed(pilot, app)
        assert app.current_mode == "compare"


async def test_themes_are_chosen_at_once_after_the_start(tmp_path: Path) -> None:
    """Textual's own are not offered, and what is shown of ours can be taken."""
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f9")
        names = [option.id for option in app.screen.query_one(OptionList).options]
        assert names == ["colour-blind", "dark", "high-contrast", "light", "terminal"]
        await settled(pilot)
        await pilot.press("home", "enter")
        await closed(pilot, app)
        assert app.theme == "colour-blind"


async def test_a_dialog_below_another_closes_when_that_is_closed(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        lower, upper = Confirm("lower?"), Confirm("upper?")
        app.push_screen(lower, answers.append)
        app.push_screen(upper)
        await seen(pilot, "upper?")
        lower.dismiss(True)
        await pilot.pause()
        assert (app.screen, answers) == (upper, [])
        upper.dismiss(False)
        await closed(pilot, app)
        assert answers == [True]
