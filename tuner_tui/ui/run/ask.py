"""A dialog of a few lines to fill in, which says at once what they would do, or what is wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from tuner_tui.ui.line_input import LineInput

Result = TypeVar("Result")


class Line(NamedTuple):
    """One line: `key` names it, `hint` is shown while it is empty."""

    key: str
    label: str
    value: str = ""
    hint: str = ""


class Judged(NamedTuple, Generic[Result]):
    """What the lines come to: `words` say it. `result` None: they cannot be used, and `words` say why."""

    result: Result | None
    words: str


class Ask(ModalScreen[Result | None], Generic[Result]):
    """`judge` gets the lines by key; it is called in a thread, since it may read a catalogue. Enter takes the result,
    where there is one; Escape gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", id="ask.cancel"),
        Binding("down", "app.focus_next", "Next line", show=False),
        Binding("up", "app.focus_previous", "Line before", show=False),
    ]

    def __init__(
        self, title: str, lines: Sequence[Line], judge: Callable[[dict[str, str]], Judged[Result]], *, note: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._judge = judge
        self._note = note

    def compose(self) -> ComposeResult:
        width = max(len(line.label) for line in self._lines)
        with VerticalScroll(classes="dialog ask", can_focus=False):
            yield Static(self._title, classes="dialog-title", markup=False)
            for line in self._lines:
                with Horizontal(classes="ask-line"):
                    yield Label(f"{line.label:<{width}}  ", markup=False)
                    yield LineInput(line.value, placeholder=line.hint, id=f"ask-{self._lines.index(line)}")
            yield Static("", id="ask-words", markup=False)
            yield Static(self._note + "Enter takes it, Esc cancels", classes="dim", markup=False)

    def on_mount(self) -> None:
        self.query(Input).first().focus()
        self._look()

    def _values(self) -> dict[str, str]:
        return {line.key: self.query_one(f"#ask-{index}", Input).value for index, line in enumerate(self._lines)}

    @on(Input.Changed)
    def _look(self) -> None:
        self._judged(take=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._judged(take=True)

    @work(exclusive=True, group="judge")
    async def _judged(self, *, take: bool) -> None:
        judged = await asyncio.to_thread(self._judge, self._values())
        if take and judged.result is not None:
            self.dismiss(judged.result)
            return
        words = self.query_one("#ask-words", Static)
        words.update(judged.words)
        words.set_class(judged.result is None, "failed")

    def action_give_up(self) -> None:
        self.dismiss(None)
