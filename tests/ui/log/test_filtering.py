"""Filter, highlight, and going from match to match, in a log that stands still and in one that grows."""

from __future__ import annotations

from pathlib import Path

from tests.ui.log.panel_app import PanelApp, settled, shown_log
from tuner_tui.ui.log import document as document_module


def log_of(path: Path) -> Path:
    """100 lines, every tenth a decode batch."""
    path.write_text("".join(f"{n:03} {'Decode' if n % 10 == 0 else 'other'}\n" for n in range(100)))
    return path


def rows(app: PanelApp) -> list[str]:
    return [line for line in app.shown() if line]


async def test_only_matching_lines_are_shown_as_one_types(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"deco")
        await settled(app, pilot)
        await pilot.pause(0.3)
        assert rows(app)[0] == "000 Decode"
        await pilot.press("enter")
        await settled(app, pilot)
        assert rows(app) == [f"{n:03} Decode" for n in range(0, 100, 10)]
        assert app.status == "#1 · following · 10 of 100 lines · /deco"
        assert app.view.has_focus


async def test_a_leading_exclamation_mark_wants_the_others(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"!other", "enter")
        await settled(app, pilot)
        assert len(rows(app)) == 10


async def test_what_is_typed_is_no_markup(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("red\nother\n")
    async with shown_log(log) as (app, pilot):
        await pilot.press("slash", *"[d]$", "enter")
        await settled(app, pilot)
        assert rows(app) == ["red"]
        assert app.status == "#1 · following · 1 of 2 lines · /[d]$"


async def test_what_is_no_regular_expression_is_searched_as_a_text(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("f(x\nother\n")
    async with shown_log(log) as (app, pilot):
        await pilot.press("slash", *"f(", "enter")
        await settled(app, pilot)
        assert rows(app) == ["f(x"]
        assert app.status.endswith("1 of 2 lines · /f( · as text: missing ), unterminated subpatte…")


async def test_a_filter_that_nothing_passes_says_so(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"absent", "enter")
        await settled(app, pilot)
        assert rows(app) == ["no line matches /absent: esc shows all"]
        assert app.status == "#1 · following · 0 of 100 lines · /absent"
        await pilot.press("escape")
        await settled(app, pilot)
        assert rows(app)[-1] == "099 other"


async def test_escape_takes_the_filter_away_and_keeps_the_place(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log"), size=(80, 12)) as (app, pilot):
        await pilot.press("slash", *"Decode", "enter")
        await settled(app, pilot)
        await pilot.press("s", "n", "n", "n", "n")
        await settled(app, pilot)
        assert app.current == 30
        await pilot.press("escape")
        await settled(app, pilot)
        assert "030 Decode" in rows(app)
        assert "031 other" in rows(app)
        assert app.status == "#1 · paused at line 31 · 100 lines"


async def test_escape_in_the_prompt_clears_it_too(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"Decode")
        await pilot.pause(0.3)
        await pilot.press("escape")
        await settled(app, pilot)
        assert app.status == "#1 · following · 100 lines"
        assert app.view.has_focus


async def test_the_other_lines_come_back_for_highlighting(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log"), size=(80, 12)) as (app, pilot):
        await pilot.press("slash", *"Decode", "enter")
        await settled(app, pilot)
        await pilot.press("s", "n", "n", "ampersand")
        await settled(app, pilot)
        assert app.current == 10
        assert "010 Decode" in rows(app)
        assert "011 other" in rows(app)
        assert app.status == "#1 · paused at line 11 · 100 lines · 10 matches · /Decode"
        await pilot.press("n", "n")
        await settled(app, pilot)
        assert app.current == 30
        await pilot.press("N")
        assert app.current == 20
        await pilot.press("ampersand")
        await settled(app, pilot)
        assert rows(app) == [f"{n:03} Decode" for n in range(0, 100, 10)]


async def test_the_last_match_says_that_it_is(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("n")
        assert app.said == ["No filter: / sets one"]
        await pilot.press("slash", *"099", "enter")
        await settled(app, pilot)
        await pilot.press("n")
        await pilot.pause()
        assert app.current == 99
        await pilot.press("n", "N")
        await pilot.pause()
        assert app.said[1:] == ["No match below", "No match above"]


async def test_matches_are_marked_in_the_line(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"De", "enter")
        await settled(app, pilot)
        strip = app.screen._compositor.render_strips()[1]
        marked = [s.text for s in strip if s.style and s.style.bgcolor == app.view._appearance().match.bgcolor]
        assert marked == ["De"]
        await pilot.press("s", "n", "ampersand")
        await settled(app, pilot)
        assert app.current == 0
        strip = app.screen._compositor.render_strips()[1]
        look = app.view._appearance()
        grounds = [(s.text.strip(), s.style.bgcolor) for s in strip if s.style and s.text.strip()]
        # In the chosen line too.
        assert grounds == [
            ("▸", look.current.bgcolor),
            ("000", look.current.bgcolor),
            ("De", look.match.bgcolor),
            ("code", look.current.bgcolor),
        ]


async def test_a_filter_goes_on_while_the_log_grows_and_lines_are_torn(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.log")
    async with shown_log(log) as (app, pilot):
        await pilot.press("slash", *"Decode$", "enter")
        await settled(app, pilot)
        for piece in ("x Deco", "de", " not", "\ny Decode\nz De"):
            with log.open("a") as file:
                file.write(piece)
            await settled(app, pilot)
            whole = [line for line in log.read_text().split("\n") if line.endswith("Decode")]
            assert rows(app) == whole
        assert app.status.startswith("#1 · following · 11 of 103 lines")


async def test_a_large_log_is_searched_by_steps(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    lines = [f"{n:>6} {'needle' if n % 1000 == 0 else 'straw'} {'漢' if n % 7 else 'é'}" for n in range(30_000)]
    log.write_text("\n".join(lines) + "\n" + "x" * (document_module.STEP_BYTES * 2) + " needle\nneedle last")
    async with shown_log(log) as (app, pilot):
        await pilot.press("slash", *"needle", "enter")
        await settled(app, pilot)
        document = app.view.document
        assert document is not None
        # The line that is half a megabyte long is searched as far as it is shown.
        assert list(document.matches) == [*range(0, 30_000, 1000), 30_001]
        assert rows(app)[-1] == "needle last"


async def test_the_filter_stays_for_the_next_log(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"Decode", "enter")
        await settled(app, pilot)
        other = tmp_path / "b.log"
        other.write_text("one\ntwo Decode\n")
        app.panel.show(other, language=None, title="#2")
        await settled(app, pilot)
        assert rows(app) == ["two Decode"]


async def test_the_replays_limit_takes_matches_back(tmp_path: Path) -> None:
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        await pilot.press("slash", *"Decode", "enter")
        await settled(app, pilot)
        for lines, found in ((55, 6), (41, 5), (40, 4), (100, 10)):
            app.panel.limit_bytes = sum(len(f"{n:03} {'Decode' if n % 10 == 0 else 'other'}\n") for n in range(lines))
            await settled(app, pilot)
            assert len(rows(app)) == found


async def test_what_is_typed_right_behind_the_slash_is_for_the_prompt(tmp_path: Path) -> None:
    """Over a slow line keys come in one piece."""
    async with shown_log(log_of(tmp_path / "a.log")) as (app, pilot):
        for key in ("slash", "s", "T", "enter"):
            app.simulate_key(key)
        await pilot.pause()
        await settled(app, pilot)
        assert app.view.wanted is not None
        assert app.view.wanted.text == "sT"
        await pilot.press("slash", "slash", "enter")  # in place of what was there
        await settled(app, pilot)
        assert app.view.wanted.text == "/"
