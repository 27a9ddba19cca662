"""Run: is it going well, and what is it doing right now?"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tuner_tui.ui.frame import TunerScreen


class RunScreen(TunerScreen):
    """Not built yet."""

    MODE = "run"

    def body(self) -> ComposeResult:
        yield Static("Is it going well, and what is it doing right now?", markup=False)
