"""Compare: which one, and can I believe it?"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tuner_tui.ui.frame import TunerScreen


class CompareScreen(TunerScreen):
    """Not built yet."""

    MODE = "compare"

    def body(self) -> ComposeResult:
        yield Static("Which one, and can I believe it?", markup=False)
