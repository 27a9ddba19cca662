"""Copy and save: always a file, never a claim that the clipboard took it."""

from __future__ import annotations

import asyncio
import base64
from array import array
from pathlib import Path

import pytest

from tests.ui.log.panel_app import PanelApp, settled, shown_log, until
from tuner_tui.ui.log.copy import clipboard_sequence, write_lines
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.taking_out import all_texts


def log_of(path: Path) -> Path:
    path.write_text("".join(f"\x1b[32mline {n}\x1b[0m\n" for n in range(1, 101)))
    return path


def sent_to(app: PanelApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    assert app._driver is not None
    write = app._driver.write

    def both(data: str) -> None:
        if "]52;" in data:
            sent.append(data)
        write(data)

    monkeypatch.setattr(app._driver, "write", both)
    return sent


def test_the_clipboard_is_asked_once_and_through_tmux_once_more() -> None:
    bare = "\x1b]52;c;" + base64.b64encode("héllo".encode()).decode() + "\x07"
    assert clipboard_sequence("héllo", in_tmux=False) == bare
    assert clipboard_sequence("héllo", in_tmux=True) == bare + "\x1bPtmux;\x1b" + bare + "\x1b\\"


async def test_the_page_is_copied_where_nothing_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with shown_log(log_of(tmp_path / "container.log"), size=(80, 6)) as (app, pilot):
        sent = sent_to(app, monkeypatch)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.said))
        path = tmp_path / "container-copied.txt"
        assert app.said == [f"5 lines written to {path}, and offered to the terminal's clipboard"]
        lines = "".join(f"line {n}\n" for n in range(96, 101))
        assert path.read_text() == lines
        assert sent == [clipboard_sequence(lines.rstrip("\n"), in_tmux=False)]


async def test_inside_tmux_the_clipboard_is_asked_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    async with shown_log(log_of(tmp_path / "container.log"), size=(80, 6)) as (app, pilot):
        sent = sent_to(app, monkeypatch)
        await pilot.press("g", "shift+down", "c")
        await until(pilot, lambda: bool(app.said))
        assert sent == [clipboard_sequence("line 1", in_tmux=True)]


async def test_chosen_lines_are_copied(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "container.log"), size=(80, 12)) as (app, pilot):
        await pilot.press("g", "shift+down", "shift+down", "shift+down", "c")
        await until(pilot, lambda: bool(app.said))
        assert (tmp_path / "container-copied.txt").read_text() == "line 1\nline 2\nline 3\n"
        await pilot.press("shift+up", "c")
        await until(pilot, lambda: len(app.said) == 2)
        assert (tmp_path / "container-copied.txt").read_text() == "line 1\nline 2\n"
        await pilot.press("escape")
        assert app.view.viewport.choice.span is None


async def test_choosing_goes_beyond_the_page(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "container.log"), size=(80, 6)) as (app, pilot):
        await pilot.press("g", *["shift+down"] * 12, "c")
        await until(pilot, lambda: bool(app.said))
        assert app.said[0].startswith("12 lines")
        assert "line 12" in app.shown()


async def test_a_click_chooses_a_line_and_the_mouse_a_text(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "container.log"), size=(80, 12)) as (app, pilot):
        await pilot.press("g")
        await pilot.pause()
        await pilot.click("#log-view", offset=(10, 4))
        await pilot.pause()
        assert app.current == 4
        background = app.view._appearance().current.bgcolor
        strips = app.screen._compositor.render_strips()
        coloured = ["".join(s.text for s in strip if s.style and s.style.bgcolor == background) for strip in strips]
        assert [row.strip() for row in coloured if row] == ["▸line 5"]  # by a sign, too
        await pilot.mouse_down("#log-view", offset=(3, 1))
        await pilot.hover("#log-view", offset=(5, 2))
        await pilot.mouse_up("#log-view", offset=(5, 2))
        await pilot.pause()
        assert app.screen.get_selected_text() == "ne 2\nline "
        await pilot.press("c")
        await until(pilot, lambda: bool(app.said))
        assert (tmp_path / "container-copied.txt").read_text() == "ne 2\nline \n"


async def test_the_mouse_selects_wide_characters_and_wrapped_lines(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("漢字漢字 end\n" + "0123456789" * 5 + "\n")
    async with shown_log(log, size=(42, 12)) as (app, pilot):
        style = app.screen.get_component_rich_style("screen--selection")

        def coloured() -> list[str]:
            strips = app.screen._compositor.render_strips()
            rows = [[s.text for s in strip if s.style and s.style.bgcolor == style.bgcolor] for strip in strips]
            return ["".join(row) for row in rows if row]

        await pilot.mouse_down("#log-view", offset=(3, 0))
        await pilot.hover("#log-view", offset=(9, 0))
        await pilot.mouse_up("#log-view", offset=(9, 0))
        await pilot.pause()
        selected = app.screen.get_selected_text()
        assert selected == "字漢字 "
        assert coloured() == [selected]
        await pilot.press("w")
        await pilot.pause()
        await pilot.mouse_down("#log-view", offset=(36, 1))
        await pilot.hover("#log-view", offset=(5, 2))
        await pilot.mouse_up("#log-view", offset=(5, 2))
        await pilot.pause()
        selected = app.screen.get_selected_text()
        assert selected is not None
        assert "".join(coloured()) == selected
        assert selected.startswith("56789")


async def test_the_filtered_log_is_saved_whole(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "container.log"), size=(80, 12)) as (app, pilot):
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(app.said))
        path = tmp_path / "container-saved.txt"
        assert app.said == [f"100 lines written to {path}"]
        assert path.read_text() == "".join(f"line {n}\n" for n in range(1, 101))
        await pilot.press("slash", *"1$", "enter")
        await settled(app, pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(app.said) == 2)
        path = tmp_path / "container-filtered.txt"
        assert app.said[1] == f"10 lines written to {path}"
        assert path.read_text() == "".join(f"line {n}\n" for n in range(1, 100, 10))


def test_what_is_saved_is_what_is_shown_however_many_lines_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "container.log"
    lines = [f"{n:05} {'x' * (n % 90)}" for n in range(20_000)]
    log.write_text("\n".join(lines))
    document = LogDocument(log, "")

    async def read() -> None:
        await document.look()
        while await document.catch_up() or await document.fill_in():
            pass

    asyncio.run(read())
    assert list(all_texts(document, None)) == lines
    for every in (1, 3, 500):
        assert list(all_texts(document, array("I", range(0, 20_000, every)))) == lines[::every]
    assert list(all_texts(document, array("I"))) == []
    document.close()


async def test_much_is_not_offered_to_the_clipboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "container.log"
    log.write_text("x" * 9_000 + "\n" + ("y" * 9_000 + "\n") * 9)
    async with shown_log(log) as (app, pilot):
        sent = sent_to(app, monkeypatch)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.said))
        assert sent == []
        assert app.said == [f"10 lines written to {tmp_path / 'container-copied.txt'}"]


def test_a_failed_write_leaves_nothing_half_done(tmp_path: Path) -> None:
    log = tmp_path / "container.log"

    def broken() -> object:
        yield "one"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_lines(log, "copied", broken())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_where_the_log_lies_read_only_the_cache_folder_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path, count = write_lines(tmp_path / "container.log", "copied", ["one"])
    assert path == tmp_path / "cache" / "tuner-tui" / "container-copied.txt"
    assert count == 1
