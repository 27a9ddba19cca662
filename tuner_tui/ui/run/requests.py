"""What a person asks of a run: of its runner, by commands; of the rest of the program, by the launcher."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

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
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import ReplayReader, RunView
from tuner_tui.task.model import Configuration
from tuner_tui.ui.ask import Ask
from tuner_tui.ui.confirmation import confirm_leaders, why_no_confirmation
from tuner_tui.ui.log.copy import CLIPBOARD_BYTES, clipboard_sequence, in_tmux, write_lines
from tuner_tui.ui.run import addition, demand
from tuner_tui.ui.screens.confirm import Confirm
from tuner_tui.ui.starting import launch_again, launch_more, resume_run, start_run

if TYPE_CHECKING:
    from tuner_tui.ui.screens.run import RunScreen

_NO_RUN = "no run is open; F2 lists them"
_REPLAY = "this is a replay: what happened cannot be changed any more"
_KIND = {
    "try": "nothing is compared here: one configuration is kept up until x stops it",
    "import": "an imported run cannot be launched again; its task can, from F3",
}


class Requests:
    """One method for each, called only where `why_not` has nothing against it; all answer at once, with a dialog, a
    sentence, or what they do."""

    def __init__(self, screen: RunScreen) -> None:
        self._screen = screen

    def why_not(self, name: str) -> str:
        """Why there is no sense in it now, in a sentence; "" where there is."""
        view = self._screen.tuner.view
        if view is None or view.snapshot is None:
            return view.trouble if view is not None else _NO_RUN
        if view.trouble and not view.alive and name != "copy":
            return view.trouble
        snapshot = view.snapshot
        if name == "copy":
            return "" if self._screen.launch is not None else "nothing is launched of it yet, so there is no command"
        if name == "try_out":
            if view.alive and not view.replay:
                return "a runner is at work: a second server would disturb its figures; x stops the run first"
            experiment = self._screen.experiment
            # An import that was not told of its task has none but what was made up for it.
            told = snapshot.kind != "import" or Path(snapshot.task.file).is_absolute()
            told = told and (experiment is None or experiment.flags_known)
            return "" if told else "it is not known what was started here: E opens a task to fill in"
        if name == "confirm":
            return why_no_confirmation(view)
        if view.replay:
            return "" if name == "pause" else _REPLAY
        if name == "load":
            if snapshot.kind != "try":
                return "load goes to a server that is kept up: t keeps this configuration up, once no run is under way"
            if not view.alive:
                return "the server is gone"
            ready = snapshot.launch is not None and snapshot.launch.start_s is not None
            return "" if ready else "the server does not answer yet"
        if snapshot.kind != "tune" and (name != "stop" or not view.alive):
            return _KIND[snapshot.kind] if view.alive or snapshot.kind == "import" else "the server is gone"
        if name == "resume":
            return self._why_no_resume(view, snapshot)
        if view.alive or (name in ("measure", "add") and self._finished(snapshot)):
            return ""
        going_on = "" if self._finished(snapshot) else "; r resumes it"
        return f"no runner works on {view.folder.name} any more{going_on}"

    def _why_no_resume(self, view: RunView, snapshot: Snapshot) -> str:
        if view.alive:
            return "the run goes on already"
        more = "the run is finished; + launches one experiment once more, a adds configurations"
        return more if self._finished(snapshot) else ""

    @staticmethod
    def _finished(snapshot: Snapshot) -> bool:
        return snapshot.finished is not None and snapshot.finished.reason == "finished"

    # Of the runner

    def _run(self) -> tuple[RunFolder, Snapshot]:
        view = self._screen.tuner.view
        assert view is not None
        assert view.snapshot is not None
        return view.folder, view.snapshot

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
        else:
            folder, snapshot = self._run()
            self._command(folder, Continue() if snapshot.paused else Pause())

    def skip(self) -> None:
        folder, snapshot = self._run()
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
        folder, snapshot = self._run()
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
        folder, snapshot = self._run()
        if (experiment := self._screen.experiment) is None:
            return
        if self._finished(snapshot):
            launch_again(self._screen.tuner, folder, (experiment.id,), 1)
        else:
            self._command(folder, Measure(experiment=experiment.id))

    def add(self) -> None:
        """Beginning from the experiment that is looked at; where it failed, with what would mend it. A run that is
        finished goes on with them."""
        folder, snapshot = self._run()
        if (experiment := self._screen.experiment) is None:
            return
        base = dict(experiment.configuration)

        def taken(configurations: tuple[Configuration, ...] | None) -> None:
            if configurations and self._finished(snapshot):
                launch_more(self._screen.tuner, folder, configurations)
            elif configurations:
                self._command(folder, AddConfigurations(configurations=configurations))

        mended = experiment.failure is not None and experiment.failure.fix is not None
        self._screen.app.push_screen(
            Ask(
                f"Add configurations, from #{experiment.id}" + (" with its fix" if mended else ""),
                addition.lines_for(snapshot, experiment),
                lambda typed: addition.judge(snapshot, base, typed),
                note="Several values with commas: all combinations; 'a, b' is one. Nothing: the flag is absent.",
            ),
            taken,
        )

    def load(self) -> None:
        folder, snapshot = self._run()

        def taken(load: Load | None) -> None:
            if load is not None:
                self._command(folder, load)

        self._screen.app.push_screen(Ask("Send load at the server", demand.lines_for(snapshot), demand.judge), taken)

    # Of the rest of the program

    def resume(self) -> None:
        folder, _ = self._run()
        resume_run(self._screen.tuner, folder)

    def confirm(self) -> None:
        view = self._screen.tuner.view
        assert view is not None
        confirm_leaders(self._screen.tuner, view)

    def try_out(self) -> None:
        folder, _ = self._run()
        if (experiment := self._screen.experiment) is None:
            return
        launcher = self._screen.tuner.launcher
        start_run(
            self._screen.tuner,
            f"starting #{experiment.id} to be tried …",
            lambda: launcher.try_again(folder, dict(experiment.configuration)),
        )

    async def copy(self) -> None:
        """The command that starts the launch that is looked at: into a file, and to the terminal's clipboard."""
        screen = self._screen
        folder, _ = self._run()
        launch = screen.launch
        assert launch is not None
        driver = screen.app._driver
        if driver is not None and len(launch.command.encode()) <= CLIPBOARD_BYTES:
            driver.write(clipboard_sequence(launch.command, in_tmux=in_tmux()))
        log = folder.launch(launch.number) / "container.log"
        try:
            path, _ = await asyncio.to_thread(write_lines, log, "command", [launch.command])
        except OSError as error:
            screen.say(f"the command cannot be written: {error.strerror}", "error")
            return
        screen.say(f"the command is in {path}, and offered to the terminal's clipboard")
