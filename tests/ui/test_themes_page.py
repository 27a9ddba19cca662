"""docs/themes.md shows a theme that works and names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from tuner_tui.ui.theme_file import ThemeFiles
from tuner_tui.ui.themes import load_theme, shipped_themes

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "themes.md"


def test_the_example_is_a_theme(tmp_path: Path) -> None:
    [example, _] = re.findall(r"```yaml\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.S)
    path = tmp_path / "mine.yaml"
    path.write_text(example, encoding="utf-8")
    assert load_theme(path, ThemeFiles()).primary == "#7aa2f7"


def test_every_shipped_theme_is_named() -> None:
    text = _PAGE.read_text(encoding="utf-8")
    assert all(path.stem in text for path in shipped_themes().glob("*.yaml"))
