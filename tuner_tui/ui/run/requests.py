"""What a person asks of a run: of its runner, by commands; of the rest of the program, by the launcher."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tuner_tui.report.words import duration_words
from tuner_tui.runs.commands import (
    AddConfigurations,
    AnyCommand,
    Continue,
    Load,
    Measure,
    Pause,
    Skip,
    Stop,
    append_command,
)
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import ReplayReader
from tuner_tui.task.model import Configuration
from tuner_tui.ui.log.copy import CLIPBOARD_BYTES, clipboard_sequence, in_tmux, write_lines
from tuner_tui.ui.run import addition, demand
from tuner_tui.ui.run.ask import Ask
from tuner_tui.ui.screens.confirm import Confirm
from tuner_tui.ui.starting import Starting

if TYPE_CHECKING:
    from tuner_tui.ui.screens.run import RunScreen

OF_A_RUNNER = frozenset(("pause", "skip", "measure", "add", "stop"))


class Requests:
    """One method for each; all answer at once, with a dialog, a sentence, or what they do."""

    def __init__(self, screen: RunScreen) -> None:
        self._screen = screen

    def possible(self, name: str) -> bool:
        """Whether there is any sense in it now. What a replay refuses is possible: the refusal says why."""
        view = self._screen.tuner.view
        if view is None or view.snapshot is None:
            return False
        snapshot = view.snapshot
        if name == "load":
            return snapshot.kind == "try" and view.alive
        if name == "resume":
            return not view.alive and snapshot.kind == "tune" and view.condition in ("stopped", "died", "failed")
        if name == "confirm":
            return not view.alive and self._finished(snapshot) and snapshot.confirmation is not None
        if name in ("skip", "pause", "add", "measure") and snapshot.kind != "tune":
            return view.replay and name == "pause"
        if name == "measure":
            return view.alive or view.replay or self._finished(snapshot)
        return name not in OF_A_RUNNER or view.alive or view.replay

    @staticmethod
    def _finished(snapshot: Snapshot) -> bool:
        return snapshot.kind == "tune" and snapshot.finished is not None and snapshot.finished.reason == "finished"

    # Of the runner

    def _listener(self) -> tuple[RunFolder, Snapshot] | None:
        """The run, if a runner works on it; else a sentence says why nothing can be asked of it."""
        screen = self._screen
        view = screen.tuner.view
        if view is None or view.snapshot is None:
            screen.say("no run is open; F2 lists them", "warning")
        elif view.replay:
            screen.say("this is a replay: what happened cannot be changed any more", "warning")
        elif not view.alive:
            screen.say(f"no runner works on {view.folder.name} any more", "warning")
        else:
            return view.folder, view.snapshot
        return None

    def _command(self, folder: RunFolder, command: AnyCommand) -> None:
        view = self._screen.tuner.view
        if view is None or view.folder != folder or not view.alive:  # a dialog may have been open for long
            self._screen.say(f"no runner works on {folder.name} any more", "warning")
            return
        try:
            append_command(folder.commands, command)
        except OSError as error:
            self._screen.say(f"{folder.commands} cannot be written: {error.strerror}", "error")

    def _sure(self, question: str, yes: str, do: Callable[[], None]) -> None:
        def answered(sure: bool | None) -> None:
            if sure:
                do()

        self._screen.app.push_screen(Confirm(question, yes=yes), answered)

    def pause(self) -> None:
        """Of a replay: its clock."""
        reader = self._screen.tuner.reader
        if isinstance(reader, ReplayReader):
            reader.paused = not reader.paused
        elif (found := self._listener()) is not None:
            folder, snapshot = found
            self._command(folder, Continue() if snapshot.paused else Pause())

    def skip(self) -> None:
        if (found := self._listener()) is None:
            return
        folder, snapshot = found
        launch = snapshot.launch
        if launch is None:
            self._screen.say("no launch is under way", "warning")
            return
        self._sure(
            f"Give up launch {launch.number} of #{launch.experiment}? It counts as failed, and the run goes on with "
            "the next.",
            "skip it",
            lambda: self._command(folder, Skip(launch=launch.number)),
        )

    def stop(self) -> None:
        if (found := self._listener()) is None:
            return
        folder, snapshot = found
        if snapshot.kind == "try":
            question = "Stop this server? It is removed; its log and the measurements stay."
        else:
            left = snapshot.launches_planned - snapshot.launches_done
            launches = f"{left} launch{'es' if left != 1 else ''} to go"
            given_up = " The launch under way is given up and its server removed." if snapshot.launch else ""
            question = f"Stop the run with {launches}?{given_up} What is measured is kept, and r goes on later."
        self._sure(question, "stop", lambda: self._command(folder, Stop()))

    def measure(self) -> None:
        """Once more; of a run that is finished by a runner that comes again for it."""
        screen = self._screen
        view, experiment = screen.tuner.view, screen.experiment
        if experiment is None or view is None or view.snapshot is None:
            return
        if not view.alive and not view.replay and self._finished(view.snapshot):
            self._again(view.folder, (experiment.id,), 1)
        elif (found := self._listener()) is not None:
            self._command(found[0], Measure(experiment=experiment.id))

    def add(self) -> None:
        """Beginning from the experiment that is looked at; where it failed, with what would mend it."""
        if (found := self._listener()) is None or (experiment := self._screen.experiment) is None:
            return
        folder, snapshot = found
        base = dict(experiment.configuration)

        def taken(configurations: tuple[Configuration, ...] | None) -> None:
            if configurations:
                self._command(folder, AddConfigurations(configurations=configurations))

        mended = experiment.failure is not None and experiment.failure.fix is not None
        self._screen.app.push_screen(
            Ask(
                f"Add configurations, from #{experiment.id}" + (" with its fix" if mended else ""),
                addition.lines_for(snapshot, experiment),
                lambda typed: addition.judge(snapshot, base, typed),
                note="Several values with commas: all combinations. Nothing: the flag is absent.\n",
            ),
            taken,
        )

    def load(self) -> None:
        if (found := self._listener()) is None:
            return
        folder, snapshot = found

        def taken(load: Load | None) -> None:
            if load is not None:
                self._command(folder, load)

        self._screen.app.push_screen(Ask("Send load at the server", demand.lines_for(snapshot), demand.judge), taken)

    # Of the rest of the program

    def _start(self, words: str, start: Callable[[], RunFolder]) -> None:
        def started(folder: RunFolder | None) -> None:
            if folder is not None:
                self._screen.tuner.open_run(folder)

        self._screen.app.push_screen(Starting(words, start), started)

    def resume(self) -> None:
        view = self._screen.tuner.view
        if view is None:
            return
        folder, launcher = view.folder, self._screen.tuner.launcher

        def start() -> RunFolder:
            launcher.resume(folder)
            return folder

        self._start(f"resuming {folder.name} …", start)

    def confirm(self) -> None:
        view = self._screen.tuner.view
        if view is None or view.snapshot is None or (offer := view.snapshot.confirmation) is None:
            return
        folder = view.folder
        took = [launch.total_s for each in view.snapshot.experiments for launch in each.counted]
        launches = len(offer.experiments) * offer.launches
        about = f", about {duration_words(launches * sum(took) / len(took))}" if took else ""
        self._sure(
            f"{offer.sentence}\nLaunch {len(offer.experiments)} of them, {offer.launches} more times each{about}?",
            "launch them",
            lambda: self._again(folder, offer.experiments, offer.launches),
        )

    def _again(self, folder: RunFolder, experiments: tuple[int, ...], launches: int) -> None:
        launcher = self._screen.tuner.launcher

        def start() -> RunFolder:
            launcher.confirm(folder, experiments, launches)
            return folder

        self._start(f"launching again in {folder.name} …", start)

    def try_out(self) -> None:
        view, experiment = self._screen.tuner.view, self._screen.experiment
        if view is None or experiment is None:
            return
        if view.alive and not view.replay:
            self._screen.say("a runner is at work: a second server would disturb its figures; x stops the run first")
            return
        self._try(view.folder, experiment)

    def _try(self, folder: RunFolder, experiment: ExperimentState) -> None:
        launcher = self._screen.tuner.launcher
        self._start(
            f"starting #{experiment.id} to be tried …",
            lambda: launcher.try_out(folder.task, dict(experiment.configuration)),
        )

    async def copy(self) -> None:
        """The command that starts the launch that is looked at: into a file, and to the terminal's clipboard."""
        screen = self._screen
        view, launch = screen.tuner.view, screen.launch
        if view is None or launch is None:
            screen.say("nothing is launched of it yet, so there is no command", "warning")
            return
        driver = screen.app._driver
        if driver is not None and len(launch.command.encode()) <= CLIPBOARD_BYTES:
            driver.write(clipboard_sequence(launch.command, in_tmux=in_tmux()))
        log = view.folder.launch(launch.number) / "container.log"
        try:
            path, _ = await asyncio.to_thread(write_lines, log, "command", [launch.command])
        except OSError as error:
            screen.say(f"the command cannot be written: {error.strerror}", "error")
            return
        screen.say(f"the command is in {path}, and offered to the terminal's clipboard")
