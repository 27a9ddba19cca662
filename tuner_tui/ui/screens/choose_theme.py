"""Choosing a theme: each is shown while one moves over it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.ui.dialog import Dialog


class ChooseTheme(Dialog[None]):
    """The app keeps the theme that was chosen, or the one it had."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def compose(self) -> ComposeResult:
        self._before = self.app.theme
        with Vertical(classes="dialog"):
            yield Static("Theme", classes="dialog-title")
            yield OptionList(*(Option(name, id=name) for name in sorted(self.app.available_themes)))

    def on_mount(self) -> None:
        names = sorted(self.app.available_themes)
        self.query_one(OptionList).highlighted = names.index(self._before)

    @on(OptionList.OptionHighlighted)
    def _preview(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_id:
            self.app.theme = event.option_id

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss()

    def action_cancel(self) -> None:
        self.app.theme = self._before
        self.dismiss()

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()
