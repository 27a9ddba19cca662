"""A dialog with one line to type in: a value, a path. What it would lead to is judged while one types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.ui.line_input import LineDialog, LineInput


class Ask(LineDialog[str | None]):
    """Ends with what `accept` made of the typed text. `accept` runs in a thread and refuses by a ValueError whose
    sentence is shown; nothing is lost by that, the dialog stays. `choices`: values to choose from, with what each
    means; any other may be typed too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="ask.cancel"),
        Binding("down", "choose(1)", "Next choice", show=False),
        Binding("up", "choose(-1)", "Previous choice", show=False),
    ]

    def __init__(
        self,
        title: str,
        hint: str,
        value: str,
        accept: Callable[[str], str],
        choices: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._hint, self._value = title, hint, value
        self._accept = accept
        self._choices = choices or {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog ask"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield LineInput(self._value, id="ask-input", select_on_focus=False)
            yield Static("", id="ask-said", markup=False)
            if self._choices:
                yield OptionList(*map(self._option, self._choices), id="ask-choices")
            yield Static(self._hint, classes="dim", markup=False)

    def _option(self, name: str) -> Option:
        return Option(Text.assemble(name, (f"  {self._choices[name]}", "dim")), id=name)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_position = len(self._value)
        if self._choices:
            names = list(self._choices)
            self.query_one(OptionList).highlighted = names.index(self._value) if self._value in names else None

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        if event.value != self._value:
            self._judge(event.value, done=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self._judge(event.value, done=True)

    @work(thread=True, exclusive=True, group="ask", exit_on_error=False)
    def _judge(self, typed: str, *, done: bool) -> None:
        try:
            result, said = self._accept(typed), ""
        except (ValueError, OSError) as error:
            result, said = None, str(error)
        self.app.call_from_thread(self._show, typed, result, said, done)

    def _show(self, typed: str, result: str | None, said: str, done: bool) -> None:
        if not self.is_current or self.query_one(Input).value != typed:
            return
        if done and result is not None:
            self.dismiss(result)
            return
        words = self.query_one("#ask-said", Static)
        words.update(f"✗ {said}" if said else "")
        words.set_class(bool(said), "failed")

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(Input).value = str(event.option_id)
        self._judge(str(event.option_id), done=True)

    def action_choose(self, step: int) -> None:
        if not self._choices:
            return
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()
        if options.highlighted is not None:
            typed = self.query_one(Input)
            typed.value = str(options.get_option_at_index(options.highlighted).id)
            typed.cursor_position = len(typed.value)

    def action_cancel(self) -> None:
        self.dismiss(None)
