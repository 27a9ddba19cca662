"""A dialog while a run starts, or goes on, in a thread: it says what, and ends with the run or with why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tuner_tui.runs.folder import RunFolder
from tuner_tui.task.model import Configuration
from tuner_tui.task.problem import BadInput
from tuner_tui.ui.dialog import Dialog

if TYPE_CHECKING:
    from tuner_tui.ui.app import TunerApp


class Starting(Dialog[RunFolder | None]):
    """`start` is called in a thread. Escape closes the dialog when it has failed; a start is never cut short, it would
    leave a runner nobody asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "close", "Close", id="starting.close")]

    def __init__(self, words: str, start: Callable[[], RunFolder]) -> None:
        super().__init__()
        self._words = words
        self._start = start
        self._failed = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._words, id="starting-words", markup=False)

    def on_mount(self) -> None:
        self._run()

    @work(thread=True, exit_on_error=False)
    def _run(self) -> None:
        try:
            folder = self._start()
        except BadInput as error:
            self.app.call_from_thread(self._fail, str(error))
        except OSError as error:
            named = f"{error.strerror}: {error.filename}" if error.filename else str(error)
            self.app.call_from_thread(self._fail, named)
        except Exception as error:  # whatever else it is: a dialog that waits without end could not be left
            self.app.call_from_thread(self._fail, str(error) or type(error).__name__)
        else:
            self.app.call_from_thread(self.dismiss, folder)

    def _fail(self, why: str) -> None:
        self._failed = True
        words = self.query_one("#starting-words", Static)
        words.update(f"{why}\n\nEsc closes this")
        words.add_class("failed")

    def action_close(self) -> None:
        if self._failed:
            self.dismiss(None)


def start_run(tuner: TunerApp, words: str, start: Callable[[], RunFolder]) -> None:
    """Starts a run, which is then looked at."""

    def started(folder: RunFolder | None) -> None:
        if folder is not None:
            tuner.open_run(folder)

    tuner.push_screen(Starting(words, start), started)


def resume_run(tuner: TunerApp, folder: RunFolder) -> None:
    """What is left of it is launched."""

    def start() -> RunFolder:
        tuner.launcher.resume(folder)
        return folder

    start_run(tuner, f"resuming {folder.name} …", start)


def launch_more(tuner: TunerApp, folder: RunFolder, configurations: tuple[Configuration, ...]) -> None:
    """These configurations join a run that was finished."""

    def start() -> RunFolder:
        tuner.launcher.add(folder, configurations)
        return folder

    start_run(tuner, f"adding to {folder.name} …", start)


def launch_again(tuner: TunerApp, folder: RunFolder, experiments: tuple[int, ...], launches: int) -> None:
    """So many launches more of each of these experiments."""

    def start() -> RunFolder:
        tuner.launcher.confirm(folder, experiments, launches)
        return folder

    start_run(tuner, f"launching again in {folder.name} …", start)
