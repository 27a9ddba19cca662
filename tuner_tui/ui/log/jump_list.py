"""The marks of a log in a list, to jump to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tuner_tui.ui.dialog import Dialog
from tuner_tui.ui.log.lines import harmless
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.row import GLYPHS


class JumpList(Dialog[int | None]):
    """The line (from 0) that was chosen, or None. The error that decides stands first, the rest in the log's order."""

    DEFAULT_CSS = """
    JumpList {
        align: center middle;
        & > Vertical {
            width: 90%;
            max-width: 120;
            height: auto;
            max-height: 80%;
            border: round $border;
            border-title-color: $text-accent;
            background: $surface;
        }
        & OptionList {
            height: auto;
            max-height: 100%;
            border: none;
            background: transparent;
            padding: 0;
            text-wrap: nowrap;
            text-overflow: ellipsis;
            &:focus { border: none; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,o", "leave", "Back", id="log.marks.back"),
        Binding("j", "down", "Down", show=False, id="log.marks.down"),
        Binding("k", "up", "Up", show=False, id="log.marks.up"),
    ]

    def __init__(self, marks: Sequence[Mark], near_line: int | None, title: str) -> None:
        super().__init__()
        self._marks = sorted(marks, key=lambda mark: (not mark.decides, mark.line))
        self._near_line = near_line
        self._title = title

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "enter goes there · esc back"
            yield OptionList(*(Option(_line(mark)) for mark in self._marks))

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        decides = bool(self._marks) and self._marks[0].decides
        near = self._near_line
        if near is not None and not decides:
            above = [at for at, mark in enumerate(self._marks) if mark.line <= near]
            options.highlighted = above[-1] if above else 0
        else:
            options.highlighted = 0
        options.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._marks[event.option_index].line)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()


def _line(mark: Mark) -> Text:
    clock = mark.at.replace("T", " ").rpartition(" ")[2][:8]
    text = Text(f"{GLYPHS[mark.kind]} {mark.line + 1:>6}  {clock:<8}  ", no_wrap=True, overflow="ellipsis")
    text.append(("most telling: " if mark.decides else "") + harmless(mark.text).replace("\t", " "))
    return text
