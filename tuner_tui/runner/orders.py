"""What the user asks of a running runner, and the journal's answer to each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.runs.commands import (
    AddConfigurations,
    AnyCommand,
    CommandReader,
    Continue,
    Load,
    Measure,
    Pause,
    Skip,
    Stop,
)
from tuner_tui.runs.events import CommandTaken, LaunchesAdded, RunContinued, RunPaused
from tuner_tui.runs.joining import joining

if TYPE_CHECKING:
    from tuner_tui.runner.run import Run

_POLL_S = 0.1


class Orders:
    """Reads commands.jsonl and carries each line out once."""

    def __init__(self, path: Path, run: Run) -> None:
        self._reader = CommandReader(path)
        # Read before the journal says that this runner is there: what is asked after that is asked of it.
        self._before = self._reader.read()
        self._run = run

    async def watch(self) -> None:
        """Forever; cancelled by its owner. What was asked before this runner came is refused as stale."""
        answered = {taken.id for taken in self._run.snapshot.commands}
        for command in self._before:
            if isinstance(command, str) or command.id not in answered:
                self._answer(command, "stale: it was asked before this runner took the run up")
        while True:
            for command in self._reader.read():
                self._answer(command, "not a command this version knows" if isinstance(command, str) else None)
            await asyncio.sleep(_POLL_S)

    def _answer(self, command: AnyCommand | str, refusal: str | None) -> None:
        """Carries `command` out, or refuses it; the answer is in the journal before the deed's own events."""
        if isinstance(command, str):
            self._run.emit(CommandTaken(id="", command=command[:200], accepted=False, why=refusal or ""))
            return
        name = str(command.__struct_config__.tag)
        refusal = refusal or self._refusal(command)
        self._run.emit(CommandTaken(id=command.id, command=name, accepted=refusal is None, why=refusal or ""))
        if refusal is None:
            self._carry_out(command)

    def _refusal(self, command: AnyCommand) -> str | None:
        snapshot = self._run.snapshot
        match command:
            case Skip():
                return self._run.skip_refusal(command.launch)
            case Pause():
                return "the run is paused already" if snapshot.paused else None
            case Continue():
                return None if snapshot.paused else "the run is not paused"
            case Measure():
                if all(each.id != command.experiment for each in snapshot.experiments):
                    return f"there is no experiment {command.experiment}"
                if snapshot.kind == "try":
                    return "this run keeps one configuration up; it measures nothing"
            case AddConfigurations():
                if not command.configurations:
                    return "there is no configuration in it"
                if snapshot.kind == "try":
                    return "this run keeps one configuration up; it measures nothing"
                try:
                    joining(snapshot, command.configurations)
                except ValueError as error:
                    return str(error)
            case Load():
                if snapshot.kind != "try":
                    return "this run measures by its plan; load on demand is for a configuration that is kept up"
                return self._run.load_refusal(command)
        return None

    def _carry_out(self, command: AnyCommand) -> None:
        match command:
            case Stop():
                self._run.stop()
            case Skip():
                self._run.skip()
            case Pause():
                self._run.emit(RunPaused())
            case Continue():
                self._run.emit(RunContinued())
            case AddConfigurations():
                self._run.emit(joining(self._run.snapshot, command.configurations))
            case Measure():
                self._run.emit(LaunchesAdded(experiments=(command.experiment,)))
            case Load():
                self._run.load(command)
