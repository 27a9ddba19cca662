"""What has been parsed is not parsed again, and themes look as they do where they are parsed anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.css.parse import parse

from tests.ui.app_under_test import app_under_test, settled
from tuner_tui.ui import stylesheet
from tuner_tui.ui.app import TunerApp


def looks(app: TunerApp) -> dict[str, tuple[str, str]]:
    """Each widget of the screen → its colours."""
    return {
        f"{node.css_identifier}": (node.styles.background.hex, node.styles.color.hex)
        for node in app.screen.walk_children()
    }


async def test_a_theme_chosen_later_looks_like_one_chosen_at_the_start(tmp_path: Path) -> None:
    stylesheet._parsed.cache_clear()
    app = app_under_test(tmp_path, theme="light")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        light = looks(app)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        dark = looks(app)
        app.theme = "light"
        await pilot.pause()
        assert looks(app) == light != dark
        app.theme = "dark"
        await pilot.pause()
        assert looks(app) == dark


async def test_each_source_is_parsed_once_for_each_theme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stylesheet._parsed.cache_clear()
    parsed: list[tuple[object, ...]] = []

    def counted(scope: str, css: str, read_from: tuple[str, str], **how: Any) -> Any:
        parsed.append((read_from, how["tie_breaker"]))
        return parse(scope, css, read_from, **how)

    monkeypatch.setattr("textual.css.stylesheet.parse", counted)
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ("f3", "f4", "f5", "f2", "f3"):
            await pilot.press(key)
            await settled(pilot)
        variables = app.get_css_variables()
        assert any("home.tcss" in str(source) for source, _ in parsed)
        assert len(parsed) == len(set(parsed))
        there = len(parsed)
        counts = []
        for name in ("light", "dark", "light", "dark"):
            app.theme = name
            await pilot.pause()
            counts.append(len(parsed))
        assert counts[0] > there
        assert counts[1] == counts[2] == counts[3]
        assert app.get_css_variables() == variables
