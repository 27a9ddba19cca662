"""What the screen asks of the rest of the program, so that it never touches a backend itself."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tuner_tui.runs.folder import RunFolder
from tuner_tui.task.model import Configuration, Task


class Launcher(Protocol):
    """Starts runs, detached. Every method may take seconds (a Docker Engine is asked, a process started): call them
    from a thread. All raise `task.problem.BadInput` for what the user can mend, `runs.start.RunnerNotStarted` where
    the runner ended before it had begun."""

    runs_dir: Path
    models_dir: Path | None

    def machine(self) -> str:
        """One line on where this is: `gpu-box-3 · 1 × H100 95 GB`."""
        ...

    def gpus(self, task: Task) -> tuple[int, ...]:
        """The GPUs that a plan of `task` may count on: those listed, else those found; () where none are asked for."""
        ...

    def start(self, task: Path, text: str | None = None) -> RunFolder:
        """A run of the task file; with `text`, of what the file would be with that in it. Nothing is written to it."""
        ...

    def try_out(self, task: Path, configuration: Configuration, text: str | None = None) -> RunFolder:
        """A run that keeps one configuration up. `text`: as for `start`."""
        ...

    def try_again(self, folder: RunFolder, configuration: Configuration) -> RunFolder:
        """A run that keeps one configuration of another run's task up, as that one had read it."""
        ...

    def resume(self, folder: RunFolder) -> None:
        """Goes on with a run that was stopped, died or failed."""
        ...

    def confirm(self, folder: RunFolder, experiments: tuple[int, ...], launches: int) -> None:
        """Launches these experiments of a finished run again."""
        ...

    def add(self, folder: RunFolder, configurations: tuple[Configuration, ...]) -> None:
        """Launches these configurations too, in a run that was finished."""
        ...
