"""The shipped themes where a terminal has 256 colours, which is what ssh usually leaves of more."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet

from tuner_tui.ui.theme_file import ThemeFile, ThemeFiles
from tuner_tui.ui.themes import shipped_themes

_FILES = [ThemeFiles().read(path) for path in sorted(shipped_themes().glob("*.yaml"))]
_THEMES = pytest.mark.parametrize("theme", [file for file in _FILES if not file.ansi], ids=lambda file: file.title)


def shown(color: str) -> ColorTriplet:
    """As Textual, by rich, brings it to 256."""
    return Color.parse(color).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()


def brightness(color: ColorTriplet) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@_THEMES
def test_what_lies_behind_the_text_is_grey(theme: ThemeFile) -> None:
    """A dark blue would become the pure one, 00005f, or black: bars and boxes too loud, or none."""
    greys = [shown(theme.colors[name]) for name in ("background", "surface", "panel")]
    assert all(len(set(grey)) == 1 for grey in greys)
    assert greys[0] != greys[2]


@_THEMES
def test_text_can_be_read(theme: ThemeFile) -> None:
    """4.5 to 1, WCAG's bound for text of usual size."""
    for text in ("foreground", "primary", "warning", "error", "success"):
        for behind in ("background", "surface"):
            dark, light = sorted((brightness(shown(theme.colors[text])), brightness(shown(theme.colors[behind]))))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, behind)


@_THEMES
@pytest.mark.parametrize(
    "side_by_side",
    [
        [f"series-{number}" for number in range(1, 7)],
        ["weights", "kv-cache", "graphs", "other-memory", "free-memory"],
    ],
)
def test_what_stands_side_by_side_stays_different(theme: ThemeFile, side_by_side: list[str]) -> None:
    figures = [theme.figures[name] for name in side_by_side]
    assert len({shown(figure) for figure in figures}) == len(figures)
