"""What a screen shows, as a text that can be compared and read: its lines, and below them the style of each cell."""

from __future__ import annotations

import difflib
import os
import string
from importlib.metadata import version
from pathlib import Path

from rich.cells import cell_len
from rich.style import Style

from tuner_tui.ui.app import TunerApp

FOLDER = Path(__file__).resolve().parent / "snapshots"
_LETTERS = string.ascii_letters + string.digits


def drawn(app: TunerApp) -> str:
    """The lines as a terminal has them; then as many lines with a letter for each cell, and what the letters mean."""
    width, height = app.size
    letters: dict[str, str] = {}
    lines, styles = [], []
    for strip in app.screen._compositor.render_strips()[:height]:
        line, marks = "", ""
        for segment in strip:
            style = _words(segment.style)
            letter = letters.setdefault(style, _LETTERS[len(letters) % len(_LETTERS)])
            line += segment.text
            marks += letter * cell_len(segment.text)
        lines.append(line[:width].rstrip())
        styles.append(marks[:width])
    legend = [f"{letter}  {style}" for style, letter in letters.items()]
    return "\n".join([*lines, "", *styles, "", *legend, ""])


def _words(style: Style | None) -> str:
    """Without what only a mouse meets: links and handlers."""
    return str(style.without_color + Style(color=style.color, bgcolor=style.bgcolor)) if style else "none"


def compare(app: TunerApp, name: str) -> None:
    """With `TUNER_SNAPSHOTS=write` in the environment (`make snapshots`) the file is written instead."""
    path, now = FOLDER / f"{name}.txt", drawn(app)
    if os.environ.get("TUNER_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")
        return
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if now != before:
        difference = "\n".join(
            difflib.unified_diff(
                before.splitlines(), now.splitlines(), f"{name} as it was", "as it is", lineterm="", n=1
            )
        )
        raise AssertionError(
            f"{difference}\n\nIf that is meant: `make snapshots`, look at what git says has changed, and commit it. "
            f"(Drawn with Textual {version('textual')}; the files are of the version that pyproject.toml names.)"
        )
