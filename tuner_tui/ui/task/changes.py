"""What a person does to the grid: each change is a new text, asked for in a dialog where it takes words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.registry import ENGINES
from tuner_tui.task.conversion import CannotConvert, as_task_file
from tuner_tui.task.editing import find, remove_key, set_value
from tuner_tui.task.yaml_text import CannotEdit, dotted
from tuner_tui.ui.ask import ask_one
from tuner_tui.ui.screens.confirm import Confirm
from tuner_tui.ui.task.add_flag import TAKEN, AddFlag
from tuner_tui.ui.task.document import Document, free_name, new_document
from tuner_tui.ui.task.outlook import FlagRow, Outlook, Row, SettingRow, is_at, judge
from tuner_tui.ui.task.settings import LINKED, Setting, values_setting

if TYPE_CHECKING:
    from tuner_tui.ui.screens.task import TaskScreen

_TURNS = {"false": "[false, true]", "false, true": "true", "true": "false"}


class Changes:
    """One method for each. The row is the one under the cursor when its key is pressed; what is done to it waits until
    the change before it has been read."""

    def __init__(self, screen: TaskScreen) -> None:
        self._screen = screen

    def edit(self) -> None:
        self._with_row(self._edit)

    def remove(self) -> None:
        self._with_row(self._remove)

    def turn_switch(self) -> None:
        """A switch: both, on, off, and round again."""
        self._with_row(self._turn)

    def add(self) -> None:
        self._screen.once_read(self._add)

    def convert(self) -> None:
        """A file of the other format becomes a task file, beside it and not saved yet."""
        document, ahead = self._screen.document, self._screen.outlook
        if document is None or ahead is None or not ahead.foreign:
            self._screen.say("this is a task file already")
            return
        try:
            text = as_task_file(document.text, document.path, models_dir=self._screen.tuner.launcher.models_dir)
        except CannotConvert as error:
            self._screen.say(str(error), "warning")
            return
        path = free_name(document.path.parent, document.path.stem)
        self._screen.show_document(new_document(path, text))
        self._screen.say(f"made of {document.path.name}, which stays as it is; ctrl+s saves it as {path.name}")

    def undo(self) -> None:
        self._go("undo")

    def redo(self) -> None:
        self._go("redo")

    def _go(self, way: str) -> None:
        screen = self._screen
        document = screen.document
        if document is None:
            return
        step = screen.history.undo if way == "undo" else screen.history.redo
        text = step(document.text)
        while text == document.text:
            text = step(document.text)
        if text is None:
            screen.say(f"nothing to {way}")
            return
        screen.show_text(text)
        if screen.tab == "grid":
            screen.once_read(screen.grid.go_to_change)

    # What must be so before the grid changes anything

    def _with_row(self, do: Callable[[Row, Document], None]) -> None:
        screen = self._screen
        chosen = screen.grid.chosen
        if chosen is None:
            screen.say("there is no flag yet: a adds one")
            return

        def go() -> None:
            if self._reading() is not None and screen.document is not None and (row := screen.grid.row(chosen.key)):
                do(row, screen.document)

        screen.once_read(go)

    def _reading(self) -> Outlook | None:
        """What is read of the text, where the grid can change it; else a sentence says why not."""
        screen = self._screen
        document, ahead = screen.document, screen.outlook
        if document is None or ahead is None:
            return None
        if ahead.foreign:
            question = (
                f"{document.path.name} is in another format, which is planned and started as it is, but not edited. "
                "Make a task file of it?"
            )
            screen.app.push_screen(Confirm(question, yes="make one"), lambda sure: self.convert() if sure else None)
            return None
        if ahead.broken:
            screen.say("the YAML is broken, so the grid cannot change it; mend it first (ctrl+t)", "warning")
            return None
        return ahead

    # One change each

    def _edit(self, row: Row, document: Document) -> None:
        if isinstance(row, SettingRow):
            self._ask(document, row.setting, row.value if row.given else "")
        elif row.path == LINKED.path:
            node = find(document.text, LINKED.path)
            self._ask(document, LINKED, LINKED.shown(document.text, node) if node is not None else "")
        else:
            self._ask(document, values_setting(row.path, self._screen.grid.flag_of(row)), row.values)

    def _ask(self, document: Document, setting: Setting, value: str) -> None:
        title = setting.label + (f"   (without: {setting.absent})" if setting.absent else "")

        def accept(typed: str) -> str:
            if value and typed == value:
                return document.text
            if not typed.strip() and setting.absent:
                return remove_key(document.text, setting.path) if value else document.text
            return self._judged(document, setting, typed)

        self._screen.app.push_screen(ask_one(title, setting.hint, value, accept, setting.choices), self._take)

    def _judged(self, document: Document, setting: Setting, typed: str) -> str:
        """The text with `typed` in it. Raises ValueError with what would be wrong with it there."""
        text, value = document.text, setting.to_yaml(typed)
        if setting.instead_of and find(text, setting.instead_of) is not None:
            text = remove_key(text, setting.instead_of)
        text = set_value(text, setting.path, value)
        ahead = self._screen.outlook
        _, problems = judge(text, document.path, self._screen.tuner.launcher.models_dir)
        known = {(each.key, each.message) for each in (ahead.problems if ahead else ())}
        for each in problems:
            if each.severity != "error":
                continue
            here = is_at(each.key, setting.key)
            above = each.key == setting.path[0] and (each.key, each.message) not in known
            if here or above:
                raise ValueError(each.message)
        return text

    def _take(self, text: str | None) -> None:
        if text is not None:
            self._screen.change(text)

    def _add(self) -> None:
        if (ahead := self._reading()) is None:
            return
        if ahead.reading.engine not in ENGINES:
            self._screen.say("say which engine first: it decides which flags there are", "warning")
            return
        taken = [str(row.path[1]) for row in ahead.flags if len(row.path) > 1]
        if ahead.reading.space is not None and ahead.reading.space.linked:
            taken += list(ahead.reading.space.linked[0])
        known = catalogue(ENGINES[ahead.reading.engine].catalogue)
        self._screen.app.push_screen(AddFlag(known, taken), self._ask_values)

    def _ask_values(self, chosen: tuple[str, str] | None) -> None:
        screen, document = self._screen, self._screen.document
        if chosen is None or document is None:
            return
        if chosen[0] == TAKEN:
            self._edit_taken(chosen[1])
            return
        row = FlagRow(dotted(chosen), chosen, chosen[1], "", 0)
        flag = screen.grid.flag_of(row)
        value = "false, true" if flag is not None and flag.type == "bool" else ""
        if not value and flag is not None and flag.default is not None and not isinstance(flag.default, list | dict):
            value = str(flag.default)
        setting = values_setting(chosen, flag)

        def taken(text: str | None) -> None:
            if text is not None:
                screen.change(text)
                screen.once_read(lambda: screen.grid.go_to(row.key))

        screen.app.push_screen(
            ask_one(
                f"values of {setting.label}",
                setting.hint,
                value,
                lambda typed: self._judged(document, setting, typed),
                setting.choices,
                offered=True,
            ),
            taken,
        )

    def _edit_taken(self, name: str) -> None:
        ahead, document = self._screen.outlook, self._screen.document
        for row in ahead.flags if ahead is not None else ():
            if document is not None and row.path[-1] in (name, LINKED.path[-1]):
                self._screen.grid.go_to(row.key)
                self._edit(row, document)
                return

    def _remove(self, row: Row, document: Document) -> None:
        if isinstance(row, SettingRow) and not row.given:
            self._screen.say(f"{row.setting.label} is not in the file; what is shown holds without it")
            return
        if isinstance(row, SettingRow) and not row.setting.absent:
            self._screen.say(f"{row.setting.label} must be said; e changes it")
            return
        self._try(lambda: remove_key(document.text, row.path))

    def _turn(self, row: Row, document: Document) -> None:
        flag = self._screen.grid.flag_of(row) if isinstance(row, FlagRow) else None
        if not isinstance(row, FlagRow) or flag is None or flag.type != "bool":
            name = row.name if isinstance(row, FlagRow) else row.setting.label
            self._screen.say(f"{name} is no switch; e edits it")
            return
        self._try(lambda: set_value(document.text, row.path, _TURNS.get(row.values, "[false, true]")))

    def _try(self, change: Callable[[], str]) -> None:
        try:
            self._screen.change(change())
        except CannotEdit as error:
            self._screen.say(str(error), "warning")
