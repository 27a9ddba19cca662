"""What a line looks like, and what of it never reaches the terminal."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tests.ui.log.panel_app import settled, shown_log
from tuner_tui.ui.log.levels import level_of
from tuner_tui.ui.log.lines import harmless, plain, styled

HOSTILE = (
    b"title \x1b]0;owned\x07end\n"
    b"clipboard \x1b]52;c;b3duZWQ=\x1b\\end\n"
    b"link \x1b]8;;http://example.org\x1b\\text\x1b]8;;\x1b\\end\n"
    b"move \x1b[2J\x1b[1;1H\x1b[?1049lend\n"
    b"device \x1bP1$r0m\x1b\\end\n"
    b"unfinished \x1b]0;never ends\n"
    b"controls \x00\x07\x08\x0b\x7f\x9b2Jend\n"
    b"c1 \xc2\x9b31mend\n"
    b"markup [bold red]not bold[/] [@click=app.quit]x[/]\n"
    b"direction \xe2\x80\xaegnp.exe\n"
    b"utf \xff\xfe\xc3end\n"
    b"reset \x1bc\x1b(0end\n"
)


async def test_hostile_bytes_are_shown_and_do_nothing(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_bytes(HOSTILE)
    async with shown_log(log) as (app, _pilot):
        assert app.shown()[:12] == [
            "title end",
            "clipboard end",
            "link textend",
            "move end",
            "device end",
            "unfinished ␛]0;never ends",
            "controls ␀␇␈␋␡�2Jend",
            "c1 end",
            "markup [bold red]not bold[/] [@click=app.quit]x[/]",
            "direction �gnp.exe",
            "utf ���end",
            "reset end",
        ]
        # The whole screen as it is sent: nothing but colours.
        console = app.console
        for strip in app.screen._compositor.render_strips():
            sent = strip.render(console)
            assert "\x1b" not in re.sub(r"\x1b\[[\d;]*m", "", sent)
            assert not re.search(r"[\x00-\x1a\x7f-\x9f]", sent)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_whatever_leave_a_control_character(data: bytes) -> None:
    line = data.replace(b"\n", b"").decode(errors="replace")
    shown, colours = styled(line)
    assert shown == plain(line)
    assert shown.replace("\t", "").isprintable()
    assert harmless(shown) == shown
    assert all(0 <= start < stop <= len(shown) for start, stop, _ in colours)


async def test_a_progress_bar_is_one_line_in_its_last_state(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_bytes(b"\rLoading:   0%\rLoading:  50%\rLoading: 100%\nnext\r\n\rrunning 1/9")
    async with shown_log(log) as (app, pilot):
        assert app.shown()[:3] == ["Loading: 100%", "next", "running 1/9"]
        with log.open("ab") as file:
            file.write(b"\rrunning 2/9\r")
        await settled(app, pilot)
        assert app.shown()[:3] == ["Loading: 100%", "next", "running 2/9"]


async def test_a_huge_line_is_cut_with_a_note(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_bytes(b"x" * 5_000_000 + b"\nshort\n" + b"0%\r" * 50_000 + b"100%\n")
    async with shown_log(log) as (app, pilot):
        assert app.shown()[1:3] == ["short", "100% … 150,004 bytes in this line"]
        await pilot.press("w", "g")
        await pilot.pause()
        assert app.shown()[0] == "x" * 78
        for _ in range(6):
            await pilot.press("pagedown")
        await pilot.pause()
        assert "x" * (10_000 % 78) + " … 5,000,000 bytes in this line" in app.shown()


async def test_wide_characters_and_tabs_keep_the_columns(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("漢字|end\na\tb\n漢\tb\n" + "漢" * 50 + "\n⚠️ x 🇩🇪 👋🏽|\n")
    async with shown_log(log, size=(40, 10)) as (app, pilot):
        assert app.shown()[:5] == ["漢字|end", "a       b", "漢      b", ("漢" * 19)[:19], "⚠ x DE 👋|"]
        await pilot.press("w")
        await pilot.pause()
        assert app.shown()[3:6] == ["漢" * 19, "漢" * 19, "漢" * 12]


async def test_wrapped_lines_are_scrolled_by_screen_lines(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"{n:02} " + "y" * 98 + "Z\n" for n in range(30)))
    async with shown_log(log, size=(40, 12)) as (app, pilot):
        await pilot.press("w")
        await pilot.pause()
        assert app.shown()[-1] == "y" * 25 + "Z"
        assert app.panel.following
        await pilot.press("g")
        await pilot.pause()
        assert app.shown()[0].startswith("00 yyy")
        await pilot.press("j", "j")
        await pilot.pause()
        assert app.shown()[:2] == ["y" * 25 + "Z", "01 " + "y" * 35]
        await pilot.press("k")
        await pilot.pause()
        assert app.shown()[1] == "y" * 25 + "Z"


async def test_long_lines_are_scrolled_sideways_by_two_thirds(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("".join(f"{n:03}" for n in range(100)) + "\nshort\n")
    async with shown_log(log, size=(62, 10)) as (app, pilot):
        await pilot.press("l")
        await pilot.pause()
        assert app.shown()[:2] == ["".join(f"{n:03}" for n in range(100))[40:100], ""]
        assert app.status == "#1 · following · 2 lines · from column 41"
        await pilot.press("right", "h", "left")
        await pilot.pause()
        assert app.shown()[1] == "short"


async def test_of_times_the_clock_is_shown_and_on_demand_nothing_or_all(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text("[2025-11-06 12:09:25 TP0] begin\n")
    async with shown_log(log) as (app, pilot):
        assert app.shown()[0] == "[12:09:25 TP0] begin"
        for line in ("[TP0] begin", "[2025-11-06 12:09:25 TP0] begin", "[12:09:25 TP0] begin"):
            await pilot.press("t")
            await pilot.pause()
            assert app.shown()[0] == line


def colour_of(app: object, row: int, column: int = 3) -> str:
    strip = app.screen._compositor.render_strips()[row + 1]  # type: ignore[attr-defined]
    at = 0
    for segment in strip:
        at += len(segment.text)
        if at > column:
            assert segment.style is not None
            assert segment.style.color is not None
            return str(segment.style.color.name)
    raise AssertionError


async def test_errors_are_red_with_their_whole_traceback_and_ansi_colours_stay(tmp_path: Path) -> None:
    log = tmp_path / "container.log"
    log.write_text(
        "[2025-11-06 12:09:25] quiet\n"
        "[2025-11-06 12:09:25] Scheduler hit an exception: Traceback (most recent call last):\n"
        '  File "x.py", line 1, in f\n'
        "    raise ValueError\n"
        "ValueError: no\n"
        "[2025-11-06 12:09:25] quiet\n"
        "    indented below nothing bad\n"
        "WARNING 11-23 13:37:02 [x.py:1] careful\n"
        "\x1b[38;2;1;2;3mgreen ERROR\x1b[0m\n"
    )
    async with shown_log(log) as (app, _pilot):
        colours = [colour_of(app, row, 30 if row in (0, 1, 5) else 3) for row in range(9)]
        quiet, error, warning = colours[0], colours[1], colours[7]
        assert len({quiet, error, warning}) == 3
        assert colours == [quiet, error, error, error, error, quiet, quiet, warning, "#010203"]


def test_levels_are_the_engines_own_words() -> None:
    assert level_of("(EngineCore pid=1) ERROR 11-23 13:36:59 [core.py:1510] x") == "error"
    assert level_of("W1106 12:09:25.143000 1 torch/x.py:2425] TORCH") == "warning"
    assert level_of("[rank0]:[W1106 12:09:31.419 x.cpp:514] Warning: Unable") == "warning"
    assert level_of("x.py:63: FutureWarning: The package") == "warning"
    assert level_of("torch.OutOfMemoryError: CUDA out of memory") == "error"
    assert level_of("DEBUG 11-23 13:36:59 [x.py:1] y") == "debug"
    assert level_of("INFO 11-23 [x.py:1] no error here, ERRORS=0") == ""
    assert level_of("y" * 200 + " ERROR") == ""


async def test_painting_past_textuals_styles_looks_the_same(tmp_path: Path) -> None:
    """`render_lines` leaves out what the view's own styles never ask for: should they, this tells."""
    log = tmp_path / "container.log"
    log.write_text("[2025-11-06 12:09:25] 漢字 one\n\x1b[31mtwo\x1b[0m ERROR\n" + "x" * 100 + "\n")
    async with shown_log(log, size=(60, 10)) as (app, _pilot):
        view = app.view

        def cells(strips: list[Strip]) -> list[list[tuple[str, Style | None]]]:
            columns = view.page_columns
            return [[(c, segment.style) for segment in strip for c in segment.text][:columns] for strip in strips]

        for crop in (Region(0, 0, 60, 9), Region(4, 1, 30, 2)):
            view._painting = True
            usual = ScrollView.render_lines(view, crop)
            view._painting = False
            own = view.render_lines(crop)
            assert cells(own) == cells(usual)
            assert [strip.cell_length for strip in own] == [crop.width] * crop.height
