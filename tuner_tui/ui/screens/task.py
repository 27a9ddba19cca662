"""Task: what shall be tried, and what will it cost?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import ContentSwitcher, Static, TextArea

from tuner_tui.engines.catalogue import catalogue
from tuner_tui.engines.registry import ENGINES
from tuner_tui.report.words import configuration_words, duration_words
from tuner_tui.runs.events import Experiment
from tuner_tui.runs.folder import RunFolder
from tuner_tui.task.editing import CannotEdit, dotted, remove_key, set_value
from tuner_tui.ui.frame import TunerScreen
from tuner_tui.ui.screens.confirm import Confirm
from tuner_tui.ui.starting import Starting
from tuner_tui.ui.task.add_flag import AddFlag
from tuner_tui.ui.task.ask import Ask
from tuner_tui.ui.task.copy import copy_command
from tuner_tui.ui.task.document import (
    CannotOpen,
    Document,
    draft,
    free_name,
    open_document,
    save,
    stamp_of,
)
from tuner_tui.ui.task.grid import Grid
from tuner_tui.ui.task.outlook import FlagRow, Outlook, SettingRow, is_at, judge, outlook
from tuner_tui.ui.task.plan_panel import PlanPanel
from tuner_tui.ui.task.settings import LINKED, Setting, flag_setting
from tuner_tui.ui.task.yaml_editor import YamlEditor

LONG_S = 3600.0
"""A start that is estimated to take longer is asked about."""
_TYPING_S = 0.25
"""How long the user must pause in the YAML before it is read again."""
_DISK_S = 2.0
_MOST_UNDO = 200

_EMPTY = "No task is open. F2 leads Home: Enter on a sample opens it, o opens a file, n makes a new task."
_FOREIGN = "a file of that other format is shown, planned and started as it is; to change it, edit its text"


class TaskScreen(TunerScreen):
    """Two views of one text: the grid and the YAML. Every change is a new text, read and planned in a thread."""

    MODE = "task"
    HELP_TEXT = (
        "A task says what shall be tried. Values are typed as `0.7, 0.8`, a range as `2048..16384 ×2` or\n"
        "`0.7..0.9 +0.1`; space turns a switch on, off, or tries both. The plan on the right is always that of the\n"
        "text as it stands. Tab goes from the flags to the settings to the plan; ctrl+t shows the YAML, which is the\n"
        "same text: comments and order stay. ctrl+r saves and starts; samples stay as they are, a start runs a copy."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start", "Start", id="task.start"),
        Binding("ctrl+s", "save", "Save", id="task.save"),
        Binding("ctrl+shift+s,S", "save_as", "Save as", id="task.save-as", show=False),
        Binding("a", "add", "Add flag", id="task.add"),
        Binding("e", "edit", "Edit", id="task.edit"),
        Binding("delete,backspace", "remove", "Remove", id="task.remove", key_display="del"),
        Binding("space", "turn_switch", "Turn a switch", id="task.toggle", show=False),
        Binding("ctrl+t", "other_tab", "Grid/YAML", id="task.tab"),
        Binding("t", "try_out", "Try this", id="task.try"),
        Binding("y", "copy", "Copy command", id="task.copy"),
        Binding("u", "undo", "Undo", id="task.undo"),
        Binding("left_square_bracket,right_square_bracket", "other_tab", "Other tab", show=False),
        Binding("f8", "next_mistake", "Next mistake", id="task.mistake", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.document: Document | None = None
        self.outlook: Outlook | None = None
        self._history: list[str] = []
        self._typing: Timer | None = None
        self._said_disk: object = None

    def body(self) -> ComposeResult:
        yield Static(_EMPTY, id="task-empty", markup=False)
        with Vertical(id="task-all"):
            yield Static("", id="task-head", markup=False)
            with Horizontal(id="task-body"):
                with ContentSwitcher(initial="grid", id="task-left"):
                    yield Grid()
                    with Vertical(id="yaml"):
                        yield YamlEditor()
                        yield Static("", id="yaml-said", markup=False)
                yield PlanPanel()

    def on_mount(self) -> None:
        self.tuner.task_changed.subscribe(self, self._on_task)
        self.set_interval(_DISK_S, self._look_at_disk)
        self.query_one("#task-all").display = False
        last = self.tuner.task_file or (Path(self.tuner.remembered.task) if self.tuner.remembered.task else None)
        if last is not None and (self.tuner.task_file is not None or last.is_file()):
            self._open(last)
        if self.tuner.remembered.tabs.get("task") == "yaml" and self.document is not None:
            self._show_tab("yaml")

    # The document

    def _on_task(self, path: Path) -> None:
        document = self.document
        if document is not None and document.path == path.expanduser().absolute() and document.changed:
            return
        if not self.unsaved():
            self._open(path)
            return

        def go_on(sure: bool | None) -> None:
            if sure:
                self._open(path)
            elif self.document is not None:
                self.tuner.task_file = self.document.path

        question = f"{self.unsaved()} Open {path.name} without saving them?"
        self.app.push_screen(Confirm(question, yes="open", no="stay"), go_on)

    def _open(self, path: Path) -> None:
        try:
            document = open_document(path)
        except CannotOpen as error:
            self.say(str(error), "error")
            if self.document is None:
                self.query_one("#task-empty", Static).update(f"{error}\n\n{_EMPTY}")
            return
        self._history.clear()
        self.tuner.task_file = document.path
        self.tuner.remembered.task = str(document.path)
        self._show_document(document)
        self.query_one("#task-empty").display = False
        self.query_one("#task-all").display = True
        if self.query_one(ContentSwitcher).current == "grid":
            self.query_one("#flags").focus()

    def _show_document(self, document: Document) -> None:
        """Another document, or another text of it that did not come from the editor."""
        self.document = document
        self.query_one(YamlEditor).load(document.text)
        self._look_ahead()

    def change(self, text: str) -> None:
        """The text becomes `text`; `u` brings the old one back."""
        document = self.document
        if document is None or text == document.text:
            return
        self._history.append(document.text)
        del self._history[:-_MOST_UNDO]
        self._show_document(document.with_text(text))

    @on(TextArea.Changed, "#yaml-editor")
    def _typed(self) -> None:
        editor = self.query_one(YamlEditor)
        if self.document is None or not editor.edited or editor.text == self.document.text:
            return
        if self._typing is None:
            self._history.append(self.document.text)
            del self._history[:-_MOST_UNDO]
        else:
            self._typing.stop()
        self.document = self.document.with_text(editor.text)
        self._typing = self.set_timer(_TYPING_S, self._stopped_typing)
        self._show_head()

    def _stopped_typing(self) -> None:
        self._typing = None
        self._look_ahead()

    @work(thread=True, exclusive=True, group="outlook", exit_on_error=False)
    def _look_ahead(self) -> None:
        document = self.document
        assert document is not None
        self.app.call_from_thread(self._show, outlook(document.text, document.path, self.tuner.launcher))

    def _show(self, ahead: Outlook) -> None:
        if self.document is None or ahead.text != self.document.text:
            return
        self.outlook = ahead
        self.query_one(Grid).show(ahead)
        self.query_one(PlanPanel).show(ahead)
        self.query_one(YamlEditor).show_problems(ahead.problems)
        self._show_head()
        self._show_said()

    def _show_head(self) -> None:
        document, ahead = self.document, self.outlook
        if document is None:
            return
        text = Text()
        text.append(document.path.name, "bold")
        text.append(" ● unsaved" if document.changed else "", "bold")
        text.append("  sample" if document.is_sample else "", "dim")
        current = self.query_one(ContentSwitcher).current
        text.append("  ")
        for name, words in (("grid", "Grid"), ("yaml", "YAML")):
            text.append(f"[{words}]" if name == current else f" {words} ", "bold reverse" if name == current else "dim")
        if ahead is not None and ahead.text == document.text:
            errors = ahead.errors
            if not errors:
                text.append("  ✓ valid")
                if warnings := len(ahead.problems):
                    text.append(f", {warnings} warning{'s' if warnings > 1 else ''}")
            else:
                first = errors[0]
                more = f" (+{len(errors) - 1})" if len(errors) > 1 else ""
                where = f"line {first.line}: " if first.line and not first.key else ""
                key = first.key.removeprefix("parameters.").partition("[")[0]
                text.append(f"\n✗{more} {where}{key + ': ' if key else ''}{first.message}", "bold")
        self.query_one("#task-head", Static).update(text)
        self.set_title(document.path.stem + (" ●" if document.changed else ""))

    @on(TextArea.SelectionChanged, "#yaml-editor")
    def _show_said(self) -> None:
        """Below the YAML: the mistake in the cursor's line, else the first one there is."""
        ahead = self.outlook
        if ahead is None:
            return
        problem = self.query_one(YamlEditor).problem_here() or next(iter(ahead.problems), None)
        words = "✓ no mistakes"
        if problem is not None:
            mark = "✗" if problem.severity == "error" else "!"
            key = f"{problem.key}: " if problem.key else ""
            many = f"  ({len(ahead.problems)} in all, F8 goes to the next)" if len(ahead.problems) > 1 else ""
            place = f"line {problem.line}: " if problem.line else ""
            words = f"{mark} {place}{key}{problem.message}{many}"
        self.query_one("#yaml-said", Static).update(words)

    def unsaved(self) -> str:
        if self.document is None or not self.document.changed:
            return ""
        return f"{self.document.path.name} has changes that are not saved."

    def _look_at_disk(self) -> None:
        """A file that another program has changed is read again, or, with changes here, told of once."""
        document = self.document
        if document is None or not self.is_current or (stamp := stamp_of(document.path)) == document.stamp:
            return
        if stamp == self._said_disk:
            return
        self._said_disk = stamp
        if stamp is None:
            self.say(f"{document.path.name} is no longer on the disk; ctrl+s writes it again", "warning")
        elif document.changed:
            self.say(f"{document.path.name} was changed by another program too; saving asks first", "warning")
        else:
            self._open(document.path)
            self.say(f"{document.path.name} was changed by another program and read again")

    # Tabs

    def action_other_tab(self) -> None:
        if self.document is not None:
            self._show_tab("yaml" if self.query_one(ContentSwitcher).current == "grid" else "grid")

    def _show_tab(self, tab: str) -> None:
        self.query_one(ContentSwitcher).current = tab
        self.set_class(tab == "yaml", "-yaml")
        self.tuner.remembered.tabs["task"] = tab
        self.query_one("#flags" if tab == "grid" else "#yaml-editor").focus()
        self._show_head()
        self.refresh_bindings()

    def action_back(self) -> None:
        if self.query_one(ContentSwitcher).current == "yaml":
            self._show_tab("grid")
        else:
            super().action_back()

    def action_next_mistake(self) -> None:
        ahead = self.outlook
        if ahead is None or not ahead.problems:
            self.say("no mistakes")
            return
        self._show_tab("yaml")
        self.query_one(YamlEditor).action_next_problem()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the YAML, letters are typed, and an empty screen has nothing to edit."""
        grid_only = ("add", "edit", "remove", "turn_switch", "undo")
        needs_task = (*grid_only, "start", "save", "save_as", "try_out", "copy", "other_tab", "next_mistake")
        if action in needs_task and self.document is None:
            return False
        return not (action in grid_only and self.is_mounted and self.has_class("-yaml"))

    # Editing

    def _may_edit(self) -> bool:
        ahead = self.outlook
        if ahead is None or self.document is None or ahead.text != self.document.text:
            return False
        if ahead.foreign:
            self.say(_FOREIGN)
            return False
        if ahead.broken:
            self.say("the YAML is broken, so the grid cannot change it; mend it first (ctrl+t)", "warning")
            return False
        return True

    def action_edit(self) -> None:
        self.query_one(Grid).post_message(Grid.Edit())

    @on(Grid.Edit)
    def _edit(self) -> None:
        row = self.query_one(Grid).chosen
        if row is None or not self._may_edit():
            return
        if isinstance(row, SettingRow):
            self._ask(row.setting, row.value if row.given else "")
        elif row.path == LINKED.path:
            assert self.outlook is not None
            self._ask(LINKED, self._source(LINKED))
        else:
            self._ask(self._of_flag(row), row.values)

    def _source(self, setting: Setting) -> str:
        from tuner_tui.task.editing import find

        assert self.document is not None
        node = find(self.document.text, setting.path)
        return setting.shown(self.document.text, node) if node is not None else ""

    def _of_flag(self, row: FlagRow) -> Setting:
        flag = self.query_one(Grid).flag_of(row)
        hint = "0.7, 0.8 tries both; 2048..16384 ×2 doubles; 0.7..0.9 +0.1 counts up; null is the engine's default"
        setting = flag_setting(str(row.path[1]), str(row.path[0]), hint)
        if flag is not None and flag.type == "bool":
            return Setting(
                setting.label, setting.path, flag.does or hint, "", setting.to_yaml, setting.shown,
                {"false, true": "try both", "true": "on", "false": "off"},
            )  # fmt: skip
        if flag is not None and flag.choices:
            return Setting(
                setting.label, setting.path, f"several with commas: {flag.choices[0]}, …", "", setting.to_yaml,
                setting.shown, {str(each): "" for each in flag.choices},
            )  # fmt: skip
        return setting

    def _ask(self, setting: Setting, value: str) -> None:
        document = self.document
        assert document is not None
        title = f"{setting.label}" + ("" if not setting.absent else f"   (without: {setting.absent})")

        def accept(typed: str) -> str:
            if not typed.strip() and setting.absent:
                return remove_key(document.text, setting.path) if value else document.text
            return self._judged(document, setting, typed)

        self.app.push_screen(Ask(title, setting.hint, value, accept, setting.choices), self._take)

    def _judged(self, document: Document, setting: Setting, typed: str) -> str:
        """The text with `typed` in it. Raises ValueError with what would be wrong with it there."""
        text = set_value(document.text, setting.path, setting.to_yaml(typed))
        _, problems = judge(text, document.path, self.tuner.launcher.models_dir)
        known = {(each.key, each.message) for each in (self.outlook.problems if self.outlook else ())}
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
            self.change(text)

    def action_add(self) -> None:
        ahead = self.outlook
        if not self._may_edit() or ahead is None:
            return
        if ahead.reading.engine not in ENGINES:
            self.say("say which engine first: it decides which flags there are", "warning")
            return
        taken = [str(row.path[1]) for row in ahead.flags if len(row.path) > 1]
        if ahead.reading.space is not None and ahead.reading.space.linked:
            taken += list(ahead.reading.space.linked[0])
        known = catalogue(ENGINES[ahead.reading.engine].catalogue)
        self.app.push_screen(AddFlag(known, taken), self._added)

    def _added(self, chosen: tuple[str, str] | None) -> None:
        if chosen is None:
            return
        row = FlagRow(dotted(chosen), chosen, chosen[1], "", 0)
        flag = self.query_one(Grid).flag_of(row)
        value = "false, true" if flag is not None and flag.type == "bool" else ""
        if not value and flag is not None and flag.default is not None and not isinstance(flag.default, list | dict):
            value = str(flag.default)
        document = self.document
        assert document is not None
        setting = self._of_flag(row)

        def taken(text: str | None) -> None:
            self._take(text)
            self._then_go_to(row.key)

        accept: Callable[[str], str] = lambda typed: self._judged(document, setting, typed)  # noqa: E731
        self.app.push_screen(Ask(f"values of {setting.label}", setting.hint, value, accept, setting.choices), taken)

    def _then_go_to(self, key: str) -> None:
        """Once the new row is there."""

        def go() -> None:
            if self.outlook is not None and self.document is not None and self.outlook.text == self.document.text:
                self.query_one(Grid).go_to(key, "flags")
            elif tries:
                tries.pop()
                self.set_timer(0.05, go)

        tries = list(range(40))
        go()

    def action_remove(self) -> None:
        row = self.query_one(Grid).chosen
        if row is None or not self._may_edit() or self.document is None:
            return
        path = row.path if isinstance(row, FlagRow) else row.setting.path
        if isinstance(row, SettingRow) and (not row.given or not row.setting.absent):
            self.say(f"{row.setting.label} {'must be said' if row.given else 'is not in the file'}")
            return
        try:
            self.change(remove_key(self.document.text, path))
        except CannotEdit as error:
            self.say(str(error), "warning")

    def action_turn_switch(self) -> None:
        """A switch: both, on, off, and round again."""
        row = self.query_one(Grid).chosen
        if not isinstance(row, FlagRow) or not self._may_edit() or self.document is None:
            return
        flag = self.query_one(Grid).flag_of(row)
        if flag is None or flag.type != "bool":
            self.say(f"{row.name} is no switch; e edits its values")
            return
        turn = {"false": "[false, true]", "false, true": "true", "true": "false"}
        try:
            self.change(set_value(self.document.text, row.path, turn.get(row.values, "[false, true]")))
        except CannotEdit as error:
            self.say(str(error), "warning")

    def action_undo(self) -> None:
        if self.document is None or not self._history:
            self.say("nothing to undo")
            return
        self._show_document(self.document.with_text(self._history.pop()))

    # Saving

    def action_save(self) -> None:
        document = self.document
        if document is None:
            return
        if not document.may_be_saved:
            self.action_save_as()
        elif stamp_of(document.path) not in (document.stamp, None):
            question = f"{document.path.name} was changed by another program. Write over it?"
            self.app.push_screen(Confirm(question, yes="write over"), self._save_if)
        else:
            self._save(document.path)

    def _save_if(self, sure: bool | None) -> None:
        if sure and self.document is not None:
            self._save(self.document.path)

    def _save(self, path: Path) -> bool:
        assert self.document is not None
        try:
            self.document = save(self.document, path)
        except OSError as error:
            self.say(f"{path} cannot be written: {error.strerror}", "error")
            return False
        self.tuner.task_file = path
        self.tuner.remembered.task = str(path)
        self._show_head()
        self.say(f"saved: {path}")
        return True

    def action_save_as(self) -> None:
        document = self.document
        if document is None:
            return
        folder = Path.cwd() if document.is_sample else document.path.parent
        value = str(free_name(folder, document.path.stem, document.path.suffix or ".yaml"))
        why = "samples stay as they are; your own goes to" if document.is_sample else "save as"

        def accept(typed: str) -> str:
            path = Path(typed.strip()).expanduser().absolute()
            if not typed.strip() or path.is_dir():
                raise ValueError("type a file's name")
            if not path.parent.is_dir():
                raise ValueError(f"the folder {path.parent} is not there")
            if path.exists():
                raise ValueError(f"{path.name} is there already; take another name")
            return str(path)

        def taken(path: str | None) -> None:
            if path is not None and self._save(Path(path)):
                self._look_ahead()

        self.app.push_screen(
            Ask(why, "a path; relative ones are of the folder tuner-tui was started in", value, accept), taken
        )

    # Starting

    def action_start(self) -> None:
        ahead = self._ready()
        if ahead is None or ahead.guess is None or ahead.task is None:
            return
        if ahead.trouble:
            self.say(ahead.trouble, "error")
            return
        budget_s = ahead.task.search.budget_s
        total_s = ahead.guess.total_s if budget_s is None else min(ahead.guess.total_s, budget_s)
        if total_s <= LONG_S:
            self._start(True)
            return
        question = f"{ahead.launches:,} launches, about {duration_words(total_s)}. Start?"
        self.app.push_screen(Confirm(question, yes="start"), self._start)

    def _start(self, sure: bool | None) -> None:
        if not sure or (path := self._file_to_start()) is None:
            return
        self.app.push_screen(
            Starting(f"starting {path.stem} …", lambda: self.tuner.launcher.start(path)), self._started
        )

    def action_try_out(self) -> None:
        ahead, chosen = self._ready(), self.query_one(PlanPanel).chosen
        if ahead is None:
            return
        if not isinstance(chosen, Experiment):
            self.say("choose a configuration in the plan first")
            return
        if (path := self._file_to_start()) is None:
            return
        words = f"starting {configuration_words(chosen.configuration)} …"
        self.app.push_screen(
            Starting(words, lambda: self.tuner.launcher.try_out(path, chosen.configuration)), self._started
        )

    def _ready(self) -> Outlook | None:
        """What comes of the text as it stands; None, with a word on why, where it cannot be started."""
        ahead = self.outlook
        if self.document is None or ahead is None or ahead.text != self.document.text:
            self.say("the plan is being made; once more in a moment")
            return None
        if ahead.errors:
            first = ahead.errors[0]
            key = f"{first.key}: " if first.key else ""
            self.say(f"{key}{first.message}", "error")
            return None
        if ahead.task is None or ahead.plan is None:
            self.say(ahead.trouble or "there is no plan", "error")
            return None
        return ahead

    def _file_to_start(self) -> Path | None:
        """The file with the text as it stands: saved first; for a sample, or where it cannot be saved, a copy."""
        document = self.document
        assert document is not None
        if not document.changed:
            return document.path
        if document.may_be_saved:
            if stamp_of(document.path) not in (document.stamp, None):
                self.say(f"{document.path.name} was changed by another program; save it first (ctrl+s)", "warning")
                return None
            return document.path if self._save(document.path) else None
        try:
            path = draft(document)
        except OSError as error:
            self.say(f"no copy can be written to start from: {error}", "error")
            return None
        self.say(f"runs a copy with your changes: {path}; ctrl+s keeps them in a file of your own")
        return path

    def _started(self, folder: RunFolder | None) -> None:
        if folder is not None:
            self.tuner.open_run(folder)

    def action_copy(self) -> None:
        command = self.query_one(PlanPanel).command
        if not command:
            self.say("choose a configuration in the plan first")
            return
        try:
            path = copy_command(self.app, command)
        except OSError as error:
            self.say(f"the command cannot be written: {error}", "error")
            return
        self.say(f"offered to the terminal's clipboard, and written to {path}")
