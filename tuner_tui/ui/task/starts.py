"""What is done with the plan: the task is started, one configuration of it tried, its command copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.report.words import configuration_words, duration_words
from tuner_tui.runs.events import Experiment
from tuner_tui.runs.folder import RunFolder
from tuner_tui.ui.screens.confirm import Confirm
from tuner_tui.ui.starting import start_run
from tuner_tui.ui.task.copy import copy_command
from tuner_tui.ui.task.head import mistake_words
from tuner_tui.ui.task.outlook import Outlook

if TYPE_CHECKING:
    from tuner_tui.ui.screens.task import TaskScreen

LONG_S = 3600.0
"""A start that is estimated to take longer is asked about."""


class Starts:
    """One method for each; all wait until the text is read and planned."""

    def __init__(self, screen: TaskScreen) -> None:
        self._screen = screen

    def start(self) -> None:
        self._screen.once_read(self._start)

    def try_out(self) -> None:
        self._screen.once_read(self._try_out)

    def copy(self) -> None:
        self._screen.once_read(self._copy)

    def _start(self) -> None:
        screen, ahead = self._screen, self._ready()
        if ahead is None or ahead.guess is None or ahead.task is None:
            return
        if ahead.trouble:
            screen.say(ahead.trouble, "error")
            return
        budget_s = ahead.task.search.budget_s
        total_s = ahead.guess.total_s if budget_s is None else min(ahead.guess.total_s, budget_s)
        doubts = []
        if total_s > LONG_S:
            doubts.append(f"{ahead.launches:,} launches, about {duration_words(total_s)}.")
        self._ask(doubts, lambda: self._begin("starting the task …", screen.tuner.launcher.start))

    def _ask(self, doubts: list[str], go: Callable[[], None]) -> None:
        """Begins at once where there is no doubt; a run under way is always one."""
        screen, view = self._screen, self._screen.tuner.view
        if view is not None and view.alive and not view.replay:
            disturbed = "on the same machine each disturbs the other's figures"
            doubts = [*doubts, f"{view.folder.name} is still running: {disturbed}."]
        if not doubts:
            go()
            return

        def answered(sure: bool | None) -> None:
            if sure:
                go()

        screen.app.push_screen(Confirm(f"{' '.join(doubts)} Start?", yes="start"), answered)

    def _try_out(self) -> None:
        chosen = self._screen.plan.chosen
        if self._ready() is None:
            return
        if not isinstance(chosen, Experiment):
            self._screen.say("choose a configuration in the plan first")
            return
        configuration, launcher = chosen.configuration, self._screen.tuner.launcher
        self._ask(
            [],
            lambda: self._begin(
                f"starting {configuration_words(configuration)} …",
                lambda path, text: launcher.try_out(path, configuration, text),
            ),
        )

    def _begin(self, words: str, start: Callable[[Path, str], RunFolder]) -> None:
        screen = self._screen
        if (document := screen.keeping.ready_to_start()) is None:
            return
        start_run(screen.tuner, words, lambda: start(document.path, document.text))

    def _ready(self) -> Outlook | None:
        """What comes of the text; None, with a sentence on why, where it cannot be started."""
        ahead = self._screen.outlook
        if ahead is None:
            return None
        if ahead.errors:
            self._screen.say(mistake_words(ahead.errors[0]), "error")
            return None
        if ahead.task is None or ahead.plan is None:
            self._screen.say(ahead.trouble or "there is no plan", "error")
            return None
        return ahead

    def _copy(self) -> None:
        screen, command = self._screen, self._screen.plan.command
        if not command:
            screen.say("choose a configuration in the plan first")
            return
        try:
            path = copy_command(screen.app, command)
        except OSError as error:
            screen.say(f"the command cannot be written: {error}", "error")
            return
        screen.say(f"offered to the terminal's clipboard, and written to {path}")
