"""The help page: what the screen is for, and every key that does something on it now."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tuner_tui.ui.dialog import Dialog
from tuner_tui.ui.keymap import keymap_file


class HelpScreen(Dialog[None]):
    """Made from the bindings of `screen` as they are when help is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", id="help.close"),
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._about = screen
        self._keys = [
            (active.binding, active.node)
            for active in screen.active_bindings.values()
            if active.binding.description and active.enabled
        ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help") as page:
            page.can_focus = True
            text = getattr(self._about, "HELP_TEXT", "")
            if text:
                yield Static(text, markup=False)
            yield Static(self._table())
            yield Static(
                f"Every key can be changed: lines like `run.pause: p` in {keymap_file()}, by the last column's names",
                classes="dim",
                markup=False,
            )

    def _table(self) -> Table:
        rows: dict[tuple[str, str], list[str]] = {}
        for binding, _ in self._keys:
            rows.setdefault((binding.description, binding.id or ""), []).append(self.app.get_key_display(binding))
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for (description, name), keys in sorted(rows.items(), key=_place):
            table.add_row(Text(" ".join(dict.fromkeys(keys)), "bold"), Text(description), Text(name, "dim"))
        return table

    def action_scroll_down(self) -> None:
        self.query_one(VerticalScroll).scroll_down()

    def action_scroll_up(self) -> None:
        self.query_one(VerticalScroll).scroll_up()


def _place(row: tuple[tuple[str, str], list[str]]) -> tuple[bool, bool]:
    """The screen's own keys in its own order, then those of all screens, then those without a name."""
    name = row[0][1]
    return not name, name.startswith("app.")
