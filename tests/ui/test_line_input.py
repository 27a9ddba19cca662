"""Keys that arrive in one piece, as over a slow line, act in the order in which they came."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.ui.app_under_test import app_under_test, settled
from tuner_tui.ui.task.ask import Ask


async def test_a_value_is_replaced_by_keys_typed_ahead_of_its_dialog(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    answers: list[str | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.push_screen(Ask("requests", "", "50", lambda typed: typed), answers.append)
        for key, character in (("backspace", "\x7f"), ("backspace", "\x7f"), ("1", "1"), ("2", "2"), ("enter", "\r")):
            app.post_message(events.Key(key, character))
        await settled(pilot)
        await settled(pilot)
    assert answers == ["12"]
