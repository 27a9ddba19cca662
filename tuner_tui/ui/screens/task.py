"""Task: what shall be tried, and what will it cost?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import ContentSwitcher, Static, TextArea

from tuner_tui.task.paths import is_file, with_home
from tuner_tui.ui.frame import TunerScreen
from tuner_tui.ui.screens.unsaved import Unsaved
from tuner_tui.ui.task.changes import Changes
from tuner_tui.ui.task.document import CannotOpen, Document, new_document, open_document
from tuner_tui.ui.task.grid import Grid
from tuner_tui.ui.task.head import head_text, said_words
from tuner_tui.ui.task.history import History
from tuner_tui.ui.task.keeping import Keeping
from tuner_tui.ui.task.outlook import Outlook, outlook, unforeseen
from tuner_tui.ui.task.plan_panel import PlanPanel
from tuner_tui.ui.task.starts import Starts
from tuner_tui.ui.task.yaml_editor import YamlEditor

_TYPING_S = 0.25
"""How long the user must pause in the YAML before it is read again."""
_DISK_S = 2.0

_EMPTY = (
    "No task is open. F2 leads Home: Enter on a task opens it, n makes a new one, o opens a file. "
    "On a run (F4), E edits its task."
)
_NONE_OPEN = "no task is open: F2 leads Home, Enter opens one there, n makes a new one"


class TaskScreen(TunerScreen):
    """Two views of one text: the grid and the YAML. Every change is a new text, read and planned in a thread; what
    changes it, keeps it and starts it are objects of their own."""

    MODE = "task"
    HELP_TEXT = (
        "A task says what shall be tried. Values are typed as 0.7, 0.8, a range as 2048..16384 ×2 or 0.7..0.9 +0.1; "
        "space turns a switch on, off, or tries both. The plan beside it is always that of the text as it stands. "
        "Tab goes from the flags to the settings to the plan; ctrl+t shows the YAML, which is the same text: comments "
        "and order stay. Undo and redo cover both.\n\n"
        "ctrl+r saves and starts. Samples stay as they are: a start has your changes all the same, ctrl+s makes a "
        "file of your own."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "start('start')", "Start", id="task.start"),
        Binding("ctrl+s", "keep('save')", "Save", id="task.save"),
        Binding("ctrl+shift+s,S", "keep('save_as')", "Save as", id="task.save-as", show=False),
        Binding("a", "change('add')", "Add flag", id="task.add"),
        Binding("e", "change('edit')", "Edit", id="task.edit"),
        Binding("delete,backspace", "change('remove')", "Remove", id="task.remove", key_display="del"),
        Binding("space", "change('turn_switch')", "Turn a switch", id="task.toggle", show=False),
        Binding("u,ctrl+z", "change('undo')", "Undo", id="task.undo"),
        Binding("U,ctrl+y", "change('redo')", "Redo", id="task.redo", show=False),
        Binding("ctrl+t", "other_tab", "Grid/YAML", id="task.tab"),
        Binding("t", "start('try_out')", "Try this", id="task.try"),
        Binding("y", "start('copy')", "Copy command", id="task.copy"),
        Binding("left_square_bracket,right_square_bracket", "other_tab", "Other tab", show=False),
        Binding("f8", "next_mistake", "Next mistake", id="task.mistake", show=False),
        Binding("c", "change('convert')", "Make a task file of it", id="task.convert"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.document: Document | None = None
        self.history = History()
        self.keeping = Keeping(self)
        self._changes = Changes(self)
        self._starts = Starts(self)
        self._ahead: Outlook | None = None
        self._waiting: list[Callable[[], None]] = []
        self._typing: Timer | None = None

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

    @property
    def grid(self) -> Grid:
        return self.query_one(Grid)

    @property
    def plan(self) -> PlanPanel:
        return self.query_one(PlanPanel)

    @property
    def tab(self) -> str:
        return self.query_one(ContentSwitcher).current or "grid"

    def on_mount(self) -> None:
        self.tuner.task_changed.subscribe(self, self._on_task)
        self.set_interval(_DISK_S, self._look_at_disk)
        self.query_one("#task-all").display = False
        remembered = self.tuner.remembered
        last = self.tuner.task_file or (Path(remembered.task) if remembered.task else None)
        if last is not None and (self.tuner.task_file is not None or is_file(last)):
            self._open(last)
        if remembered.tabs.get("task") == "yaml" and self.document is not None:
            self._show_tab("yaml")

    def _look_at_disk(self) -> None:
        if self.is_current:
            self.keeping.look_at_disk()

    # The document

    def _on_task(self, path: Path) -> None:
        document = self.document
        if document is not None and document.path == with_home(path).absolute() and document.changed:
            return
        if not self.unsaved():
            self._open(path)
            return

        def go_on(answer: str | None) -> None:
            if answer == "drop" or (answer == "save" and self.save_at_once()):
                self._open(path)
            elif self.document is not None:
                self.tuner.task_template = None
                self._remember(self.document)

        self.app.push_screen(Unsaved(f"{self.unsaved()} Open {path.name}?", "open it"), go_on)

    def _open(self, path: Path) -> bool:
        template, self.tuner.task_template = self.tuner.task_template, None
        try:
            document = open_document(path) if template is None else new_document(path, template, saved=template)
        except CannotOpen as error:
            self.say(str(error), "error")
            if self.document is None:
                self.query_one("#task-empty", Static).update(f"{error}\n\n{_EMPTY}")
            return False
        self.show_document(document)
        if self.tab == "grid":
            self.query_one("#flags").focus()
            if document.is_new:
                self.once_read(self.grid.go_to_mistake)
        return True

    def read_again(self) -> bool:
        """The document anew from its file. False, with a sentence on why, where that cannot be."""
        return self.document is not None and self._open(self.document.path)

    def show_document(self, document: Document) -> None:
        """Another document; its history begins here."""
        self.history.clear()
        self._waiting.clear()
        self._remember(document)
        self.query_one("#task-empty").display = False
        self.query_one("#task-all").display = True
        self._show_text_of(document)

    def _remember(self, document: Document) -> None:
        self.tuner.task_file = document.path
        if not document.is_new:
            self.tuner.remembered.opened(document.path)

    def saved(self, document: Document) -> None:
        """The text has gone into a file."""
        before, self.document = self.document, document
        self._remember(document)
        self._show_head()
        if before is not None and before.path != document.path:
            self._look_ahead()  # what is relative in it is of another folder now

    def change(self, text: str) -> None:
        """The text becomes `text`; undo brings the old one back."""
        if self.document is not None and text != self.document.text:
            self.history.record(self.document.text)
            self.show_text(text)

    def show_text(self, text: str) -> None:
        """Another text of the same document, that did not come from the editor."""
        if self.document is not None:
            self._show_text_of(self.document.with_text(text))

    def _show_text_of(self, document: Document) -> None:
        if self._typing is not None:
            self._typing.stop()
            self._typing = None
        self.document = document
        self.query_one(YamlEditor).load(document.text)
        self._show_head()
        self._look_ahead()

    @on(TextArea.Changed, "#yaml-editor")
    def _typed(self) -> None:
        editor = self.query_one(YamlEditor)
        if self.document is None or not editor.edited or editor.text == self.document.text:
            return
        if self._typing is None:
            self.history.record(self.document.text)
        else:
            self._typing.stop()
        self.document = self.document.with_text(editor.text)
        self._typing = self.set_timer(_TYPING_S, self._stopped_typing)
        self._show_head()

    def _stopped_typing(self) -> None:
        self._typing = None
        self._look_ahead()

    @on(YamlEditor.Step)
    def _step(self, event: YamlEditor.Step) -> None:
        self.action_change(event.way)

    # What comes of it

    @property
    def outlook(self) -> Outlook | None:
        """What comes of the text as it stands; None while that is not known yet."""
        ahead, document = self._ahead, self.document
        return ahead if ahead is not None and document is not None and ahead.text == document.text else None

    @work(thread=True, exclusive=True, group="outlook", exit_on_error=False)
    def _look_ahead(self) -> None:
        document = self.document
        assert document is not None
        try:
            ahead = outlook(document.text, document.path, self.tuner.launcher)
        except Exception as error:  # said, since an empty screen would leave a person with nothing to go by
            ahead = unforeseen(document.text, document.path, error)
        self.app.call_from_thread(self._show, ahead)

    def _show(self, ahead: Outlook) -> None:
        if self.document is None or ahead.text != self.document.text:
            return
        self._ahead = ahead
        self.grid.show(ahead)
        self.plan.show(ahead)
        self.query_one(YamlEditor).show_problems(ahead.problems)
        self._show_head()
        self._show_said()
        self.refresh_bindings()
        while self._waiting and self.outlook is not None:
            self._waiting.pop(0)()

    def once_read(self, do: Callable[[], None]) -> None:
        """Now, or as soon as the last change has been read; in the order asked for."""
        if self.outlook is not None and not self._waiting:
            do()
        else:
            self._waiting.append(do)

    def _show_head(self) -> None:
        document = self.document
        if document is not None:
            self.query_one("#task-head", Static).update(head_text(document, self.outlook, self.tab))
            self.set_title(document.path.stem + (" ●" if document.changed or document.is_new else ""))

    @on(TextArea.SelectionChanged, "#yaml-editor")
    def _show_said(self) -> None:
        if (ahead := self._ahead) is not None:
            here = self.query_one(YamlEditor).problem_here()
            self.query_one("#yaml-said", Static).update(said_words(here, ahead))

    def unsaved(self) -> str:
        if self.document is None or not self.document.changed:
            return ""
        return f"{self.document.path.name} has changes that are not saved."

    def save_at_once(self) -> bool:
        return self.keeping.save_at_once()

    # Tabs

    def action_other_tab(self) -> None:
        self._show_tab("yaml" if self.tab == "grid" else "grid")

    def _show_tab(self, tab: str) -> None:
        self.query_one(ContentSwitcher).current = tab
        self.set_class(tab == "yaml", "-yaml")
        self.tuner.remembered.tabs["task"] = tab
        self.query_one("#flags" if tab == "grid" else "#yaml-editor").focus()
        self._show_head()
        self.refresh_bindings()

    def action_back(self) -> None:
        if self.tab == "yaml":
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

    # Keys

    @on(Grid.Edit)
    def _edit(self) -> None:
        self.action_change("edit")

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        if action in ("change", "keep", "start", "other_tab", "next_mistake") and self.document is None:
            return _NONE_OPEN
        if action == "change" and self.is_mounted and parameters[0] not in ("undo", "redo", "convert"):
            return "that changes the grid: ctrl+t shows it" if self.has_class("-yaml") else ""
        if parameters == ("convert",) and not (self._ahead is not None and self._ahead.foreign):
            return "this is a task file already"
        return ""

    def action_change(self, name: str) -> None:
        getattr(self._changes, name)()

    def action_keep(self, name: str) -> None:
        getattr(self.keeping, name)()

    def action_start(self, name: str) -> None:
        getattr(self._starts, name)()
