"""A log that grows is followed; one who scrolls up is left in peace."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.ui.log.panel_app import PanelApp, settled, shown_log, until
from tuner_tui.ui.log.document import LogDocument


def log_of(path: Path, lines: int) -> Path:
    path.write_text("".join(f"line {n}\n" for n in range(1, lines + 1)))
    return path


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


async def test_a_log_is_shown_from_its_end_and_followed(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 100)
    async with shown_log(log) as (app, pilot):
        assert app.shown()[-1] == "line 100"
        assert app.status == "#1 · following · 100 lines"
        append(log, "one\ntwo\n")
        await settled(app, pilot)
        assert app.shown()[-3:] == ["line 100", "one", "two"]


async def test_a_line_without_end_is_shown_and_goes_on(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 3)
    async with shown_log(log) as (app, pilot):
        append(log, "half")
        await settled(app, pilot)
        assert app.shown()[:4] == ["line 1", "line 2", "line 3", "half"]
        append(log, " whole\nnext")
        await settled(app, pilot)
        assert app.shown()[:5] == ["line 1", "line 2", "line 3", "half whole", "next"]


async def test_scrolling_up_ends_following_and_new_lines_are_counted(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 100)
    async with shown_log(log) as (app, pilot):
        await pilot.press("k", "up", "pageup")
        top = app.shown()[0]
        assert app.status == "#1 · paused at line 54 · 100 lines"
        append(log, "new\n" * 1234)
        await settled(app, pilot)
        assert app.shown()[0] == top
        assert app.status == "#1 · paused at line 54, +1,234 new lines · 1,334 lines"
        for key in ("s", "G", "end"):
            await pilot.press("g")
            await pilot.pause()
            assert app.shown()[0] == "line 1"
            await pilot.press(key)
            await pilot.pause()
            assert app.panel.following
            assert app.shown()[-1] == "new"


async def test_scrolling_down_to_the_end_follows_again(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 100)
    async with shown_log(log) as (app, pilot):
        following = [app.panel.following]
        for key in ("k", "j", "j"):
            await pilot.press(key)
            following.append(app.panel.following)
        assert following == [True, False, False, True]


async def test_the_program_may_end_following_too(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 100)
    async with shown_log(log) as (app, pilot):
        app.panel.following = False
        append(log, "new\n" * 50)
        await settled(app, pilot)
        assert app.shown()[-1] == "line 100"
        app.panel.following = True
        await pilot.pause()
        assert app.shown()[-1] == "new"


async def test_a_log_may_come_late_be_cut_replaced_and_deleted(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    async with shown_log(log) as (app, pilot):
        assert app.status == "#1 · following · 0 lines · no log yet"
        assert app.shown()[0] == "no log yet: it is shown as soon as it is written"
        log_of(log, 3)
        await settled(app, pilot)
        assert app.shown()[:3] == ["line 1", "line 2", "line 3"]
        assert app.said == []
        log.write_text("cut\n")
        await until(pilot, lambda: app.shown()[0] == "cut")
        assert app.shown()[1] == ""
        await until(pilot, lambda: app.said == ["The log was cut or replaced: this is the new one"])
        other = tmp_path / "other.log"
        other.write_text("another file\nof two lines\n")
        other.replace(log)
        await until(pilot, lambda: app.shown()[:2] == ["another file", "of two lines"])
        await until(pilot, lambda: len(app.said) == 2)
        log.unlink()
        await until(pilot, lambda: "the file is gone" in app.status)
        assert app.shown()[:2] == ["another file", "of two lines"]


async def test_a_folder_is_no_log(tmp_path: Path) -> None:
    async with shown_log(tmp_path) as (app, pilot):
        await until(pilot, lambda: "it is not a file" in app.status)


async def test_no_path_shows_nothing(tmp_path: Path) -> None:
    async with shown_log(None) as (app, pilot):
        assert app.status == "#1 · no log"
        for key in ("k", "g", "G", "n", "m", "o", "e", "c", "w", "t", "s", "&", "h", "l", "shift+up", "ctrl+s"):
            await pilot.press(key)
        app.panel.show(log_of(tmp_path / "a.log", 2), language=None, title="#2 launch 1")
        await settled(app, pilot)
        assert app.shown()[:2] == ["line 1", "line 2"]
        assert app.status.startswith("#2 launch 1 · ")


async def test_only_the_first_bytes_exist(tmp_path: Path) -> None:
    """As in a replay, where the log grows with the time that is shown."""
    log = log_of(tmp_path / "container.log", 9)
    async with shown_log(log) as (app, pilot):
        for limit, last in ((3 * 7, "line 3"), (5 * 7 + 4, "line"), (2 * 7, "line 2"), (9 * 7, "line 9")):
            app.panel.limit_bytes = limit
            await settled(app, pilot)
            assert [line for line in app.shown() if line][-1] == last
        app.panel.limit_bytes = 0
        await settled(app, pilot)
        assert [line for line in app.shown() if line] == ["nothing is in this log yet"]
        app.panel.limit_bytes = None
        await settled(app, pilot)
        assert app.shown()[8] == "line 9"


async def test_a_large_log_shows_its_end_first_and_then_has_all_lines(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"{n:>6} {'x' * 92}\n" for n in range(1, 22_001)))
    async with shown_log(log) as (app, pilot):
        assert app.shown()[-1].startswith(" 22000")
        assert app.status == "#1 · following · 22,000 lines"
        await pilot.press("g")
        await pilot.pause()
        assert app.shown()[0].startswith("     1")
        app.panel.jump_to_line(11_000)
        await pilot.pause()
        assert any(line.startswith(" 11000") for line in app.shown())


async def test_what_is_in_view_and_chosen_stays_while_the_head_comes_in_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = asyncio.Event()
    fill_in = LogDocument.fill_in

    async def later(self: LogDocument) -> bool:
        return await fill_in(self) if may.is_set() else False

    monkeypatch.setattr(LogDocument, "fill_in", later)
    log = tmp_path / "container.log"
    log.write_text("".join(f"{n:>6} {'x' * 92}\n" for n in range(1, 30_001)))
    app = PanelApp(log)
    async with app.run_test(size=(80, 12)) as pilot:
        await until(pilot, lambda: app.shown()[-1].startswith(" 30000"))
        assert app.status == "#1 · following · reading 0%"
        await pilot.press("pageup", "pageup", "shift+down", "shift+down")
        await pilot.pause()
        before = app.shown()
        assert before[0].startswith(" 29970")
        may.set()
        await settled(app, pilot)
        assert app.shown() == before
        assert app.view.viewport.choice.span == (29_969, 29_970)
        assert app.status == "#1 · paused at line 29,971 · 30,000 lines"


async def test_another_log_under_a_filter_is_searched_anew(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 100)
    async with shown_log(log) as (app, pilot):
        await pilot.press("slash", *"7$", "enter")
        await settled(app, pilot)
        log.write_text("17\nother\n27\n")
        await until(pilot, lambda: [line for line in app.shown() if line] == ["17", "27"])
        assert app.status == "#1 · following · 2 of 3 lines · /7$"


async def test_a_jump_to_a_line_that_is_not_known_yet_waits(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 50)
    async with shown_log(log) as (app, pilot):
        app.panel.jump_to_line(80)
        await pilot.pause()
        append(log, "".join(f"line {n}\n" for n in range(51, 201)))
        await settled(app, pilot)
        assert "line 80" in app.shown()
        assert not app.panel.following


async def test_nothing_is_painted_while_nothing_happens(tmp_path: Path) -> None:
    log = log_of(tmp_path / "container.log", 50)
    async with shown_log(log) as (app, _pilot):
        painted = []
        app.view.refresh = lambda *args, **kwargs: painted.append(args)  # type: ignore[method-assign, assignment]
        await asyncio.sleep(0.7)
        assert painted == []


async def test_the_same_log_again_changes_nothing_but_the_title(tmp_path: Path) -> None:
    """The screen says with every snapshot what is to be seen."""
    log = log_of(tmp_path / "container.log", 100)
    async with shown_log(log) as (app, pilot):
        await pilot.press("g")
        app.panel.show(log, language="sglang", title="#1 done")
        await settled(app, pilot)
        assert app.status == "#1 done · paused at line 1 · 100 lines"
        assert app.shown()[0] == "line 1"
