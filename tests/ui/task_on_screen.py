"""The task screen on a file, for tests of what is done there."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.app_under_test import app_under_test, settled
from tests.ui.runs_on_disk import TASK, task_file
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.screens.task import TaskScreen


def on_task(tmp_path: Path, text: str = TASK, name: str = "docker-simple-tune.yaml") -> TunerApp:
    return app_under_test(tmp_path, task=task_file(tmp_path, text, name))


def screen_of(app: object) -> TaskScreen:
    """The task screen, whether or not a dialog lies over it."""
    screens = [each for each in app.screen_stack if isinstance(each, TaskScreen)]  # type: ignore[attr-defined]
    assert screens
    return screens[0]


def text_of(app: object) -> str:
    document = screen_of(app).document
    assert document is not None
    return document.text


def said(app: TunerApp) -> list[str]:
    """What toasts have said."""
    return [each.message for each in app._notifications]


async def press(pilot: Pilot[None], *keys: str) -> None:
    """One after the other, each when what the last one led to is there."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def typed(pilot: Pilot[None], text: str, *then: str) -> None:
    await pilot.press(*text)
    await settled(pilot)
    await press(pilot, *then)


async def filled(pilot: Pilot[None], text: str) -> None:
    """As if the line had been emptied, `text` typed, and Enter pressed; a long path takes seconds key by key."""
    pilot.app.screen.query(Input).first().value = text
    await settled(pilot)
    await press(pilot, "enter")
