"""Theme files are read once, until they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ui.app_under_test import app_under_test, settled
from tuner_tui.ui import theme_file
from tuner_tui.ui.theme_file import BadTheme, ThemeFiles
from tuner_tui.ui.themes import kept_themes


def write(path: Path, primary: str, changed_ns: int) -> Path:
    path.write_text(f'title: Mine\ncolors: {{primary: "{primary}"}}\n', encoding="utf-8")
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, kept = write(tmp_path / "mine.yaml", "#123456", 1), tmp_path / "cache" / "themes.json"
    files = ThemeFiles(kept)
    first = files.read(path)
    files.keep()
    monkeypatch.setattr(theme_file, "_read", None)
    assert ThemeFiles(kept).read(path) == first
    monkeypatch.undo()
    write(path, "#654321", 2)
    assert ThemeFiles(kept).read(path).colors == {"primary": "#654321"}
    path.unlink()
    with pytest.raises(BadTheme, match=r"mine.yaml: cannot be read"):
        ThemeFiles(kept).read(path)


@pytest.mark.parametrize("there", [b"", b"[]", b'{"/x.yaml": [1, 2, {"title": 3}]}', b"\xff"])
def test_what_was_kept_and_cannot_be_read_is_no_error(tmp_path: Path, there: bytes) -> None:
    kept = tmp_path / "themes.json"
    kept.write_bytes(there)
    assert ThemeFiles(kept).read(write(tmp_path / "mine.yaml", "#123456", 1)).title == "Mine"


async def test_the_second_start_reads_no_yaml_before_its_first_paint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app_under_test(tmp_path, theme="light").run_test(size=(80, 24)) as pilot:
        await settled(pilot)
    assert kept_themes().is_file()
    monkeypatch.setattr(theme_file, "_read", None)
    again = app_under_test(tmp_path, theme="light")
    async with again.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert again.theme == "light"
