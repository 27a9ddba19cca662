"""Task: what shall be tried, and what will it cost?"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from tuner_tui.ui.frame import TunerScreen


class TaskScreen(TunerScreen):
    """Not built yet."""

    MODE = "task"

    def body(self) -> ComposeResult:
        yield Static("What shall be tried, and what will it cost?", markup=False)
