"""Dialogs that choose: which experiments are shown, which run stands beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, SelectionList, Static
from textual.widgets.option_list import Option
from textual.widgets.selection_list import Selection

from tuner_tui.ui.dialog import Dialog


class ChooseExperiments(Dialog[tuple[int, ...] | None]):
    """The ids that were ticked; () where none is, which means all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Show these", id="choose.take", priority=True),
        Binding("escape", "give_up", "Cancel", id="choose.cancel"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(self, experiments: Sequence[tuple[int, str]], ticked: Sequence[int]) -> None:
        super().__init__()
        self._experiments = experiments
        self._ticked = frozenset(ticked)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static("Which experiments?", classes="dialog-title")
            yield SelectionList[int](
                *(Selection(Text(f"#{each} {name}"), each, each in self._ticked) for each, name in self._experiments)
            )
            yield Static("space ticks, Enter shows them, none ticked shows all", classes="dim")

    def action_take(self) -> None:
        self.dismiss(tuple(self.query_one(SelectionList).selected))

    def action_give_up(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(SelectionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(SelectionList).action_cursor_up()


class ChooseOne(Dialog[str | None]):
    """One of several, by key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", id="choose.cancel"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
    ]

    def __init__(
        self, title: str, options: Sequence[tuple[str, str]], empty: str = "there is nothing to choose"
    ) -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._empty = empty

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Static(self._title, classes="dialog-title", markup=False)
            if self._options:
                yield OptionList(*(Option(Text(words), id=key) for key, words in self._options))
            else:
                yield Static(self._empty, markup=False)

    def on_mount(self) -> None:
        for options in self.query(OptionList):
            options.highlighted = 0

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_give_up(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        for options in self.query(OptionList):
            options.action_cursor_down()

    def action_up(self) -> None:
        for options in self.query(OptionList):
            options.action_cursor_up()
