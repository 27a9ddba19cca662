"""The app: four modes, the run that is looked at, themes, keys. Screens do the rest; a run's folder holds all state."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal
from textual.timer import Timer

from tuner_tui.ui.frame import AFTER_PAINT_S, HEIGHTS, MODES, WIDTHS, TunerScreen
from tuner_tui.ui.line_input import LineDialog, LineInput
from tuner_tui.ui.memory import keep, memory_file, recall
from tuner_tui.ui.offered_themes import OfferedThemes
from tuner_tui.ui.stylesheet import ParsedOnce

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.theme import Theme

    from tuner_tui.runs.folder import RunFolder
    from tuner_tui.runs.view import AnyReader, RunView
    from tuner_tui.ui.launcher import Launcher

POLL_S = 0.2
"""How often the run's folder is looked at while a runner works on it, or it is played back …"""
RESTING_POLL_S = 1.0
"""… and when it is over: somebody may resume it from elsewhere."""
_THEMES_POLL_S = 2.0
_HANG_UP_S = 2.0
_SCREENS_AFTER_S = 1.0
"""When the screens that are not shown are imported: not before what is shown has been read."""


# What a screen needs is imported when it is first shown: the first paint waits for nothing it does not show.


def _home() -> Screen[Any]:
    from tuner_tui.ui.screens.home import HomeScreen

    return HomeScreen()


def _task() -> Screen[Any]:
    from tuner_tui.ui.screens.task import TaskScreen

    return TaskScreen()


def _run() -> Screen[Any]:
    from tuner_tui.ui.screens.run import RunScreen

    return RunScreen()


def _compare() -> Screen[Any]:
    from tuner_tui.ui.screens.compare import CompareScreen

    return CompareScreen()


def _actions() -> type[Provider]:
    from tuner_tui.ui.palette import ActionsProvider

    return ActionsProvider


class TunerApp(App[None]):
    """`open_task`, `open_run` and `replay` choose what is looked at; `view` is the run as last read."""

    TITLE = "tuner-tui"
    CSS_PATH = "styles/app.tcss"
    MODES: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {
        "home": _home,
        "task": _task,
        "run": _run,
        "compare": _compare,
    }  # type: ignore[assignment]
    COMMANDS = App.COMMANDS | {_actions}
    PAUSE_GC_ON_SCROLL = True
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="app.help", key_display="?"),
        Binding("ctrl+p", "command_palette", "Palette", id="app.palette", show=False),
        Binding("ctrl+q", "leave", "Leave", id="app.leave", priority=True),
        Binding("f2", "mode('home')", "Home", id="app.home", show=False),
        Binding("f3", "mode('task')", "Task", id="app.task", show=False),
        Binding("f4", "mode('run')", "Run", id="app.run", show=False),
        Binding("f5", "mode('compare')", "Compare", id="app.compare", show=False),
        Binding("f9", "theme", "Choose a theme", id="app.theme", show=False),
    ]

    def __init__(
        self,
        launcher: Launcher,
        *,
        task: Path | None = None,
        reader: AnyReader | None = None,
        memory: Path | None = None,
    ) -> None:
        # The mode that is shown first, so that no other screen is made before it.
        self.DEFAULT_MODE = "run" if reader is not None else "task" if task is not None else "home"  # type: ignore[misc]
        self._css_variables: tuple[Theme, dict[str, str]] | None = None
        super().__init__()
        self.launcher = launcher
        self.machine = ""
        self.task_file = task
        """The task to be edited; the task screen reads it when `task_changed` is published."""
        self.task_template: str | None = None
        """The text of a new task, which has no file yet; the task screen takes it."""
        self.view: RunView | None = None
        """The run that is looked at; None where none was opened."""
        self.reader: AnyReader | None = None
        self.run_changed: Signal[RunView] = Signal(self, "run_changed")
        """Published on the loop whenever the run looked at is another, or has changed."""
        self.task_changed: Signal[Path] = Signal(self, "task_changed")
        self._memory_file = memory or memory_file()
        self.remembered = recall(self._memory_file)
        self.first_start = not self.remembered.seen
        self.remembered.seen = True
        self._themes = OfferedThemes()
        theme = self._themes.first(self.remembered.theme)
        self.register_theme(theme)
        self.set_reactive(App.theme, theme.name)
        self._css_variables = theme, super().get_css_variables()
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())
        self.ready = asyncio.Event()
        """Set once what waits for the first paint has been done."""
        self.reader = reader
        self._reading: AnyReader | None = None
        self._freezes = False
        """Whether the program has begun without the collector of garbage, and leaves it to this app to set it going."""
        self._polling: tuple[float, Timer] | None = None
        self._read()

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda theme: self._remember_theme(theme.name))
        self._restore_terminal_on_signals()
        self.call_after_refresh(self._read)
        self._poll_at(POLL_S)
        self.set_timer(2 * AFTER_PAINT_S, self._after_first_paint)

    def _after_first_paint(self) -> None:
        self._freezes = not gc.isenabled()
        self._freeze()
        gc.enable()
        self._offer_themes()
        self._load_keymap()
        self.set_interval(_THEMES_POLL_S, self._offer_themes)
        self._find_machine()
        self.set_timer(_SCREENS_AFTER_S, self._import_screens)
        self.ready.set()

    def _freeze(self) -> None:
        """What is there by now stays: it need not be looked through for garbage again and again, while keys wait."""
        if self._freezes:
            gc.freeze()

    @work(thread=True, exit_on_error=False)
    def _import_screens(self) -> None:
        """While nobody waits for it, so that F3 to F5 lead there at once: it takes up to half a second."""
        from tuner_tui.ui.screens import compare, run, task  # noqa: F401

        self.call_from_thread(self._freeze)

    # What is looked at

    def show_mode(self, mode: str) -> None:
        """Goes to a mode, out of any dialog."""
        if self.current_mode in MODES:
            while len(self.screen_stack) > 1:
                self.pop_screen()
        self.switch_mode(mode)

    def open_task(self, path: Path) -> None:
        """Edits the task at `path`. Asking about unsaved changes is the task screen's."""
        self.task_file = path
        self.show_mode("task")
        self.task_changed.publish(path)

    def new_task(self) -> None:
        """The least that can be tuned, in a text that has no file yet: nothing is written before it is saved or
        started."""
        from tuner_tui.engines.registry import ENGINES
        from tuner_tui.task.paths import working_folder
        from tuner_tui.task.templates import TEMPLATES
        from tuner_tui.ui.compare.choose import ChooseOne
        from tuner_tui.ui.task.document import free_name

        def chosen(engine: str | None) -> None:
            if engine is not None:
                self.task_template = TEMPLATES[engine]
                self.open_task(free_name(working_folder(), f"{engine}-task"))

        titles = {
            name: ENGINES[name].title + (", to try this out" if name == "simulated" else "") for name in TEMPLATES
        }
        self.push_screen(ChooseOne("A new task, for which engine?", list(titles.items())), chosen)

    def open_task_of(self, folder: RunFolder, file: Path) -> None:
        """Edits the task of a run: the `file` it came from where that is as it was, else a new text like the run's,
        beside that file, since what is relative in it is of that folder."""
        from tuner_tui.ui.task.document import free_name

        try:
            ran = folder.task.read_bytes()
        except OSError:
            self.notify(f"{folder.name} has no task file, it was not made by a task", markup=False)
            return
        text = ran.decode("utf-8-sig", errors="replace")
        try:
            same = file.read_bytes().decode("utf-8-sig", errors="replace") == text
        except OSError:
            same = False
        if not same:
            self.task_template = text
            file = free_name(file.parent, file.stem, file.suffix)
        self.open_task(file)
        if not same:
            self.notify("the run's own text, in no file of yours yet: ctrl+s keeps it in one", markup=False)

    def open_run(self, folder: RunFolder, mode: str = "run") -> None:
        """Looks at a run, live or over."""
        from tuner_tui.runs.view import RunReader

        self.watch_run(RunReader(folder), mode)

    def replay(self, folder: RunFolder, speed: float = 10.0) -> None:
        """Plays a run back. Raises what ReplayReader does."""
        from tuner_tui.runs.view import ReplayReader

        self.watch_run(ReplayReader(folder, speed))

    def watch_run(self, reader: AnyReader, mode: str = "run") -> None:
        self.reader = reader
        self.view = None
        self._poll_at(POLL_S)
        self._read()
        self.show_mode(mode)

    def why_nothing(self, no_run: str) -> str:
        """What a screen says where there is no run to show; `no_run` where none was opened."""
        if self.view is not None:
            return f"✗ {self.view.trouble}"
        return no_run if self.reader is None else f"reading {self.reader.folder.name} …"

    def _poll_at(self, interval_s: float) -> None:
        """From now on so often."""
        if self._polling is not None:
            before_s, timer = self._polling
            if before_s == interval_s:
                return
            timer.stop()
        self._polling = interval_s, self.set_interval(interval_s, self._poll)

    def _poll(self) -> None:
        if self.reader is None:
            return
        if self._polling is not None:
            self.reader.tick(self._polling[0])
        self._read()
        goes_on = self.view is None or self.view.alive
        self._poll_at(POLL_S if goes_on else RESTING_POLL_S)

    def _read(self) -> None:
        """What is little is read at once, so that it is there in the first paint; much in a thread."""
        reader = self.reader
        if reader is None or reader is self._reading:
            return
        if not reader.is_far_behind:
            self._take(reader, reader.read())
        elif self.is_running:
            self._reading = reader
            self._read_apart(reader)

    @work(thread=True, group="reader", exit_on_error=False)
    def _read_apart(self, reader: AnyReader) -> None:
        view = None
        try:
            view = reader.read()
            if view is not None and view.snapshot is not None:
                # Judged here, and then kept: whoever draws it does not wait.
                _ = view.snapshot.verdict, view.snapshot.confirmation
        finally:
            self.call_from_thread(self._taken, reader, view)

    def _taken(self, reader: AnyReader, view: RunView | None) -> None:
        if self._reading is reader:
            self._reading = None
            self._freeze()
        self._take(reader, view)

    def _take(self, reader: AnyReader, view: RunView | None) -> None:
        if view is None or reader is not self.reader:
            return
        self.view = view
        if self.is_running:
            self.run_changed.publish(view)

    @work(thread=True, exit_on_error=False)
    def _find_machine(self) -> None:
        words = self.launcher.machine()
        self.call_from_thread(self._show_machine, words)

    def _show_machine(self, words: str) -> None:
        self.machine = words
        for bar in self.screen.query("#mode-bar"):
            bar.refresh()

    # Themes and keys

    def get_css_variables(self) -> dict[str, str]:
        """Made once for a theme; Textual asks for each screen."""
        made = self._css_variables
        if made is None:
            return {}  # Textual's constructor asks for those of a theme that is never shown
        theme = self.current_theme
        if made[0] is not theme:
            made = self._css_variables = theme, super().get_css_variables()
        return made[1]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return self._themes.default_variables()

    def _offer_themes(self) -> None:
        if new := self._themes.offer(self):
            self.notify(
                "\n".join(new), title="Themes that cannot be used", severity="warning", markup=False, timeout=10
            )

    def _remember_theme(self, name: str) -> None:
        self.remembered.theme = name

    def _load_keymap(self) -> None:
        from tuner_tui.ui.keymap import BadKeymap, binding_ids, keymap_file, load_keymap, unknown_ids

        try:
            keymap = load_keymap(keymap_file())
        except BadKeymap as error:
            self.notify(str(error), severity="warning", markup=False, timeout=10)
            return
        if not keymap:
            return
        self.set_keymap(keymap)
        if unknown := unknown_ids(keymap, binding_ids()):
            self.notify("\n".join(unknown), title=str(keymap_file()), severity="warning", markup=False, timeout=10)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Themes by name, previewed while one moves; everything else comes from the bindings (`ui.palette`)."""
        yield SystemCommand("Save a screenshot", "An SVG of the screen, for a report", self.action_save_screenshot)

    def action_command_palette(self) -> None:
        from tuner_tui.ui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_theme(self) -> None:
        from tuner_tui.ui.screens.choose_theme import ChooseTheme

        self._offer_themes()  # where they were not yet, those of Textual would be offered, too
        self.push_screen(ChooseTheme())

    def action_save_screenshot(self) -> None:
        self.call_later(self._save_screenshot)

    def _save_screenshot(self) -> None:
        from tuner_tui.task.paths import working_folder

        folder = working_folder()
        try:
            path = self.save_screenshot(path=str(folder))
        except OSError as error:
            self.notify(f"no screenshot, {folder} takes no file: {error.strerror}", severity="error", markup=False)
        else:
            self.notify(f"screenshot: {path}", markup=False)

    def on_key(self, event: events.Key) -> None:
        """A key that no widget has had. Keys may have been on their way elsewhere when a line got the focus, or before
        its dialog was there: they are the line's, not commands."""
        taker = self.screen if isinstance(self.screen, LineDialog) else self.focused
        if isinstance(taker, LineDialog | LineInput) and taker.take(event):
            event.prevent_default()

    # Leaving

    def action_mode(self, mode: str) -> None:
        self.show_mode(mode)

    def action_help(self) -> None:
        from tuner_tui.ui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_leave(self) -> None:
        """At once, unless a screen has something unsaved, which it then asks about itself."""
        for mode in MODES:
            for screen in self._screen_stacks.get(mode, []):
                if isinstance(screen, TunerScreen) and (said := screen.unsaved()):
                    self._ask_before_leaving(screen, said)
                    return
        self.leave()

    def _ask_before_leaving(self, screen: TunerScreen, said: str) -> None:
        from tuner_tui.ui.screens.unsaved import Unsaved

        def answered(answer: str | None) -> None:
            if answer == "drop" or (answer == "save" and screen.save_at_once()):
                self.leave()

        self.push_screen(Unsaved(f"{said} Leave?", "leave"), answered)

    def leave(self) -> None:
        message = None
        if self.view is not None and self.view.alive and not self.view.replay:
            name = self.view.folder.name
            message = f"{name} goes on; `tuner-tui attach {name}` shows it again, `tuner-tui stop {name}` ends it"
        keep(self._memory_file, self.remembered)
        self.exit(message=message)

    def _restore_terminal_on_signals(self) -> None:
        """Textual leaves the terminal as it is when it is killed by one of these."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.leave)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _hang_up(self) -> None:
        """The terminal may be gone, and Textual would wait without end for what is still to be written to it."""
        self.leave()
        end = threading.Timer(_HANG_UP_S, os._exit, (0,))
        end.daemon = True
        end.start()
