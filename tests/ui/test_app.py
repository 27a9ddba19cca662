"""What holds on every screen: modes, keys, palette, help, themes, sizes, leaving."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from textual.command import CommandPalette

from tests.ui.app_under_test import app_under_test, screen_text, settled
from tests.ui.runs_on_disk import RecordedRun, finished_run, task_file, task_of
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.keymap import binding_ids, keymap_file
from tuner_tui.ui.theme_file import BadTheme, ThemeFiles
from tuner_tui.ui.themes import load_theme, load_themes, shipped_themes, user_themes


async def test_the_function_keys_lead_to_each_mode_and_escape_back_home(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key, mode in (("f3", "task"), ("f4", "run"), ("f5", "compare"), ("f2", "home")):
            await pilot.press(key)
            await settled(pilot)
            assert app.current_mode == mode
            assert f"[{mode.capitalize()}]" in screen_text(app).splitlines()[0]
        await pilot.press("f5", "escape")
        await settled(pilot)
        assert app.current_mode == "run"
        await pilot.press("escape")
        await settled(pilot)
        assert app.current_mode == "home"


async def test_the_machine_is_named_at_the_top(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert screen_text(app).splitlines()[0].endswith("gpu-box-3 · 1 × H100 95 GiB")


async def test_help_lists_the_keys_of_the_screen_with_the_names_a_keymap_uses(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(100, 45)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await settled(pilot)
        text = screen_text(app)
        assert "Home lists your runs, newest first" in text
        assert any({"d", "Demo", "home.demo"} <= set(line.replace("│", " ").split()) for line in text.splitlines())
        await pilot.press("escape")
        await settled(pilot)
        assert "home.demo" not in screen_text(app)


async def test_the_palette_lists_every_action_and_does_it(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"choose a th")
        await settled(pilot)
        assert "Choose a theme" in screen_text(app)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "colour-blind" in screen_text(app)


async def test_a_theme_is_shown_while_one_moves_over_it_and_escape_undoes_it(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f9")
        await settled(pilot)
        await pilot.press("up")
        await settled(pilot)
        assert app.theme == "colour-blind"
        await pilot.press("escape")
        await settled(pilot)
        assert app.theme == "dark"
        await pilot.press("f9", "down", "down", "enter")
        await settled(pilot)
        assert app.theme == "light"
        app.leave()
    again = app_under_test(tmp_path, theme="light")
    async with again.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert again.theme == "light"


@pytest.mark.parametrize("name", ["dark", "light", "high-contrast", "colour-blind", "terminal"])
async def test_every_shipped_theme_can_be_used(tmp_path: Path, name: str) -> None:
    app = app_under_test(tmp_path, theme=name)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.theme == name
        for key in ("f3", "f4", "f5"):
            await pilot.press(key)
            await settled(pilot)


def test_a_shipped_theme_lists_every_figure() -> None:
    themes, bad = load_themes(shipped_themes(), ThemeFiles())
    assert bad == []
    dark = set(themes["dark"].variables)
    assert all(set(theme.variables) >= {"winner", "kv-cache", "series-6"} for theme in themes.values())
    assert {name for name in dark if name.startswith(("series", "log"))} <= set(themes["terminal"].variables)


def _theme(text: str, name: str = "mine") -> Path:
    user_themes().mkdir(parents=True, exist_ok=True)
    path = user_themes() / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: X\ncolors: {primry: red}\n", "primary is missing"),
        ('title: X\ncolors: {primary: "#fff", acent: red}\n', "there is no 'acent'; did you mean accent?"),
        ('title: X\ncolors: {primary: "#ggg"}\n', "colors.primary: '#ggg' is no colour"),
        ('title: X\ncolors: {primary: "#fff"}\nfigures: {winer: red}\n', "did you mean winner?"),
        ("colors: [", "not YAML"),
        ("- 1\n", "object"),
    ],
)
def test_a_bad_theme_is_named_with_the_place_and_the_remedy(text: str, said: str) -> None:
    path = _theme(text)
    with pytest.raises(BadTheme, match=r"mine\.yaml") as caught:
        load_theme(path, ThemeFiles())
    assert said in str(caught.value)


async def test_the_users_theme_is_offered_and_a_bad_one_said_once(tmp_path: Path) -> None:
    _theme('title: Mine\ncolors: {primary: "#123456"}\n')
    _theme("colors: [", "broken")
    app = app_under_test(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert "mine" in app.available_themes
        assert "broken" not in app.available_themes
        assert len([note for note in app._notifications if "broken.yaml" in note.message]) == 1
        app._offer_themes()
        assert len([note for note in app._notifications if "broken.yaml" in note.message]) == 1


async def test_a_theme_changed_on_disk_is_seen_at_once(tmp_path: Path) -> None:
    import os

    path = _theme('title: Mine\ncolors: {primary: "#123456"}\n')
    app = app_under_test(tmp_path, theme="mine")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.theme == "mine"
        path.write_text('title: Mine\ncolors: {primary: "#654321"}\n', encoding="utf-8")
        os.utime(path, ns=(1, 1))
        app._offer_themes()
        await settled(pilot)
        assert app.current_theme.primary == "#654321"
        assert app.get_css_variables()["primary"] == "#644321"  # Textual's own rounding


async def test_the_users_keys_replace_ours_and_unknown_names_are_said(tmp_path: Path) -> None:
    keymap_file().parent.mkdir(parents=True)
    keymap_file().write_text("home.demo: f8\nhome.dmo: x\n", encoding="utf-8")
    run = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path)
    app.launcher.answer = run  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert any("'home.dmo'; did you mean home.demo?" in note.message for note in app._notifications)
        await pilot.press("d")
        await settled(pilot)
        assert app.current_mode == "home"
        await pilot.press("f8")
        await settled(pilot)
        assert app.current_mode == "run"


def test_every_binding_of_a_screen_has_a_name_of_its_own() -> None:
    ids = binding_ids()
    assert {"app.leave", "app.help", "home.demo", "home.resume"} <= ids


@pytest.mark.parametrize("size", [(250, 70), (160, 45), (120, 40), (80, 24), (40, 12)])
async def test_every_mode_can_be_shown_at_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_under_test(tmp_path, reader=RunReader(finished_run(tmp_path / "runs", tmp_path)))
    async with app.run_test(size=size) as pilot:
        for key in ("f2", "f3", "f4", "f5"):
            await pilot.press(key)
            await settled(pilot)
            assert "tuner-tui needs" not in screen_text(app)


async def test_a_terminal_too_small_is_told_so_and_recovers(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    async with app.run_test(size=(39, 11)) as pilot:
        await settled(pilot)
        assert "tuner-tui needs 40×12" in screen_text(app)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert "Runs" in screen_text(app)


async def test_leaving_a_live_run_says_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RecordedRun(tmp_path / "runs", task_of(task_file(tmp_path)))
    run.begin(1)
    from tuner_tui.runs import view
    from tuner_tui.runs.lock import Holder

    monkeypatch.setattr(view, "holder", lambda path: Holder(pid=1))
    app = app_under_test(tmp_path, reader=RunReader(run.folder))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+q")
        await pilot.pause()
    assert app.return_code == 0
    assert "goes on; `tuner-tui attach" in capsys.readouterr().err


async def test_remembered_state_that_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    app = app_under_test(tmp_path)
    (tmp_path / "screen.json").write_text('{"theme": 3')
    again = TunerApp(app.launcher, memory=tmp_path / "screen.json")
    async with again.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert again.theme == "dark"


def test_the_app_is_imported_without_what_only_the_runner_needs() -> None:
    code = (
        "import sys, tuner_tui.ui.app\n"
        "heavy = ('docker', 'aiohttp', 'plotext', 'requests', 'huggingface_hub')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
