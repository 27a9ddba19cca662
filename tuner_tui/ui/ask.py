"""A dialog of one or a few lines to fill in, which says at once what they would do, or what is wrong with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.input import Selection
from textual.widgets.option_list import Option

from tuner_tui.ui.line_input import LineDialog, LineInput

Result = TypeVar("Result")


class Line(NamedTuple):
    """One line: `key` names it, `hint` is shown while it is empty. `offered`: the value is only an offer, and what is
    typed takes its place."""

    key: str
    label: str = ""
    value: str = ""
    hint: str = ""
    offered: bool = False


class Judged(NamedTuple, Generic[Result]):
    """What the lines come to: `words` say it. `result` None: they cannot be used, and `words` say why."""

    result: Result | None
    words: str


_STEPS = {"down": 1, "up": -1, "tab": 1, "shift+tab": -1}


class _AskLine(LineInput):
    """A line of an `Ask`. Keys that arrive in one piece are all sent to the line that had the focus when they came:
    those after a step to another line are that line's."""

    async def _on_key(self, event: events.Key) -> None:
        dialog = self.screen
        assert isinstance(dialog, Ask)
        if event.key in _STEPS:
            event.stop()
            event.prevent_default()
            dialog.move(_STEPS[event.key])
        elif dialog.in_turn is not self and event.key != "enter":
            await dialog.in_turn._on_key(event)
        else:
            await super()._on_key(event)

    def on_mouse_down(self) -> None:
        dialog = self.screen
        assert isinstance(dialog, Ask)
        dialog.in_turn = self


class Ask(LineDialog[Result | None], Generic[Result]):
    """`judge` gets the lines by key; it is called in a thread, since it may read a catalogue. Enter takes the result,
    where there is one; Escape gives up. Nothing is lost by a refusal: the dialog stays.

    `choices`, of a dialog of one line: values to choose from, with what each means; any other may be typed too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel", id="ask.cancel")]

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        judge: Callable[[dict[str, str]], Judged[Result]],
        *,
        note: str = "",
        choices: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._judge = judge
        self._note = note
        self._choices = choices or {}
        self.in_turn: _AskLine
        """The line that the next key is for."""

    def compose(self) -> ComposeResult:
        width = max(len(line.label) for line in self._lines)
        with VerticalScroll(classes="dialog ask", can_focus=False):
            yield Static(self._title, classes="dialog-title", markup=False)
            for index, line in enumerate(self._lines):
                with Horizontal(classes="ask-line"):
                    if width:
                        yield Label(f"{line.label:<{width}}  ", markup=False)
                    yield _AskLine(line.value, placeholder=line.hint, id=f"ask-{index}", select_on_focus=False)
            yield Static("", id="ask-words", markup=False)
            if self._choices:
                options = OptionList(*map(self._option, self._choices), id="ask-choices")
                options.can_focus = False  # the line keeps the keys; up and down choose
                yield options
            note = f"{self._note}\n" if self._note else ""
            yield Static(f"{note}Enter takes it, Esc cancels, ctrl+u empties the line", classes="dim", markup=False)

    def _option(self, name: str) -> Option:
        return Option(Text.assemble(name, (f"  {self._choices[name]}", "dim")), id=name)

    def on_mount(self) -> None:
        self.in_turn = self.query(_AskLine).first()
        for line, typed in zip(self._lines, self.query(Input), strict=True):
            end = len(typed.value)
            typed.selection = Selection(0 if line.offered else end, end)
        if self._choices:
            names, value = list(self._choices), self._lines[0].value
            self.query_one(OptionList).highlighted = names.index(value) if value in names else None
        if any(line.value for line in self._lines):
            self._judged(take=False)

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
        for words in self.query("#ask-words").results(Static):  # none where it was closed meanwhile
            words.update(judged.words)
            words.set_class(judged.result is None, "failed")

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self.query(Input).first().value = str(event.option_id)
        self._judged(take=True)

    def move(self, by: int) -> None:
        """To another line, or another choice."""
        if not self._choices:
            lines = list(self.query(_AskLine))
            self.in_turn = lines[(lines.index(self.in_turn) + by) % len(lines)]
            self.set_focus(self.in_turn)
            return
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()
        if options.highlighted is not None:
            typed = self.query(Input).first()
            typed.value = str(options.get_option_at_index(options.highlighted).id)
            typed.cursor_position = len(typed.value)

    def action_give_up(self) -> None:
        self.dismiss(None)


def ask_one(
    title: str,
    hint: str,
    value: str,
    accept: Callable[[str], Result],
    choices: Mapping[str, str] | None = None,
    *,
    offered: bool = False,
) -> Ask[Result]:
    """A dialog of one line, which ends with what `accept` makes of it; that refuses by a ValueError or OSError whose
    sentence is shown. `offered`: see `Line`."""

    def judge(typed: dict[str, str]) -> Judged[Result]:
        try:
            return Judged(accept(typed["value"]), "")
        except (ValueError, OSError) as error:
            return Judged(None, f"✗ {error}")

    return Ask(title, [Line("value", value=value, offered=offered)], judge, note=hint, choices=choices)
