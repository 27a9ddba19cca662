"""Keys that arrive in one piece, as over a slow line, act in the order in which they came."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.widgets import Input

from tests.ui.app_under_test import app_under_test, asked, screen_text, settled
from tests.ui.runs_on_disk import finished_run
from tests.ui.task_on_screen import on_task, text_of
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.ask import Ask, Judged, Line, ask_one

_NAMED = {"\x15": "ctrl+u", "\t": "tab", "\x7f": "backspace", "\r": "enter", "/": "slash", "-": "minus", " ": "space"}


def arrive(app: TunerApp, characters: str) -> None:
    for character in characters:
        app.post_message(events.Key(_NAMED.get(character, character), character))


async def test_a_value_is_replaced_by_keys_typed_ahead_of_its_dialog(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    answers: list[str | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.push_screen(ask_one("requests", "", "50", lambda typed: typed), answers.append)
        arrive(app, "\x7f\x7f12\r")
        await settled(pilot)
        await settled(pilot)
    assert answers == ["12"]


async def test_a_flag_is_added_by_keys_typed_ahead_of_its_dialog(tmp_path: Path) -> None:
    app = on_task(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        arrive(app, "achunked-pre\r")
        await settled(pilot)
        await settled(pilot)
        assert "values of chunked-prefill-size" in screen_text(app)
        arrive(app, "8192\r")
        await settled(pilot)
        await settled(pilot)
        assert "  chunked-prefill-size: 8192\n" in text_of(app)


async def test_a_filter_pasted_with_its_key_starts_nothing(tmp_path: Path) -> None:
    """Every letter of it is a command of the screen."""
    finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        arrive(app, "/dnoc")
        await settled(pilot)
        assert app.screen.query_one("#home-filter", Input).value == "dnoc"
        assert asked(app) == []
        assert app.current_mode == "home"


async def test_keys_after_a_step_to_another_line_are_that_lines(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    answers: list[dict[str, str] | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        lines = [Line("traffic", "traffic", "D(100,50)"), Line("concurrency", "concurrency", "8"), Line("more", "more")]
        app.push_screen(Ask("load", lines, lambda typed: Judged(typed, "")), answers.append)
        await settled(pilot)
        arrive(app, "\t\x1516\tx\r")
        await settled(pilot)
        await settled(pilot)
    assert answers == [{"traffic": "D(100,50)", "concurrency": "16", "more": "x"}]
