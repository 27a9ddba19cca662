"""Choosing a flag to add: completed while one types, explained, and refused with the nearest name."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tuner_tui.engines.catalogue import Catalogue, Flag, plain
from tuner_tui.engines.flag_words import kind_words
from tuner_tui.ui.line_input import LineDialog, LineInput
from tuner_tui.ui.task.completion import candidates, refusal

TAKEN = "taken"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


class AddFlag(LineDialog[tuple[str, str] | None]):
    """Ends with the section (`parameters`, `unchecked` for a flag the catalogue does not know, or TAKEN for one that
    the task has already) and the flag."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="add.cancel"),
        Binding("down", "move(1)", "Next flag", show=False),
        Binding("up", "move(-1)", "Previous flag", show=False),
    ]

    def __init__(self, known: Catalogue, taken: list[str]) -> None:
        super().__init__()
        self._known = known
        self._taken = {flag.name: name for name in taken if (flag := known.find(name))}
        self._found: dict[str, Flag] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog add-flag"):
            yield Static(f"Add a flag of {self._known.title}", classes="dialog-title", markup=False)
            yield LineInput(placeholder="a name, a part of one, or what it does", id="add-input")
            yield Static("", id="add-said", classes="failed", markup=False)
            yield OptionList(id="add-list", markup=False)
            yield Static("", id="add-does", markup=False)
            yield Static("↑ ↓ choose · Enter takes it · Esc cancels", classes="dim", markup=False)

    def on_mount(self) -> None:
        self._offer("")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def _offer(self, typed: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        # With nothing typed, what could be added; else what is meant, even where the task has it.
        taken = () if typed.strip() else self._taken
        self._found = {flag.name: flag for flag in candidates(self._known, typed, taken)}
        options.add_options([self._option(flag) for flag in self._found.values()])
        said = ""
        if not self._fitting(typed):
            said = self._refusal(typed)
            if self._unchecked(typed):
                words = Text(f"{typed.strip()}, as it is: under unchecked", no_wrap=True)
                options.add_option(Option(words, id=f"unchecked {plain(typed.strip())}"))
        self.query_one("#add-said", Static).update(f"✗ {said}" if said else "")
        if options.option_count:
            # A name that is refused is not to be taken by mistake for the one beside it.
            options.highlighted = None if said else 0
        self._explain()

    def _option(self, flag: Flag) -> Option:
        if flag.name in self._taken:
            taken = Text.assemble(flag.name, ("  is in the task: Enter edits its values", "dim"), no_wrap=True)
            return Option(taken, id=f"{TAKEN} {flag.name}")
        words = Text.assemble((flag.name, "bold"), (f"  {kind_words(flag)}", "dim"), no_wrap=True, overflow="ellipsis")
        return Option(words, id=flag.name)

    def _fitting(self, typed: str) -> bool:
        """Whether anything is offered for what was typed, other than the other engine's word for it."""
        wanted = plain(typed.strip())
        if not wanted:
            return True
        return bool(self._found) and not (len(self._found) == 1 and self._foreign(wanted))

    def _foreign(self, wanted: str) -> bool:
        return (
            self._known.find(wanted) is None
            and "flag" in (said := refusal(self._known.engine, wanted))
            and (said.startswith("this is a "))
        )

    def _refusal(self, typed: str) -> str:
        name = plain(typed.strip())
        if not _NAME.fullmatch(name):
            return f"{typed!r} is not a flag's name; expected letters, digits and dashes"
        return refusal(self._known.engine, name)

    def _unchecked(self, typed: str) -> bool:
        name = plain(typed.strip())
        known = self._known.find(name)
        return known is None and bool(_NAME.fullmatch(name)) and not self._foreign(name) and len(name) > 3

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        options = self.query_one(OptionList)
        words = ""
        if options.highlighted is not None:
            chosen = str(options.get_option_at_index(options.highlighted).id)
            flag = self._found.get(chosen.removeprefix(f"{TAKEN} "))
            if flag is not None:
                words = f"{flag.does} {flag.trades}".strip() or "the catalogue knows its type only"
        self.query_one("#add-does", Static).update(words)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._take(str(options.get_option_at_index(options.highlighted).id))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        self._take(str(event.option_id))

    def _take(self, chosen: str) -> None:
        section, _, name = chosen.rpartition(" ")
        self.dismiss((section or "parameters", self._taken.get(name, name)))

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_cancel(self) -> None:
        self.dismiss(None)
