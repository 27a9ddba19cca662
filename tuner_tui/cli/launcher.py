"""What the screen asks of the rest of the program (`ui.launcher`), carried out as the commands do it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from tuner_tui.runs.folder import RunFolder, default_runs_dir

if TYPE_CHECKING:
    from tuner_tui.task.model import Configuration, Task


class CommandLauncher:
    """Blocks: an Engine is asked, a process started. Its caller uses a thread. What a method needs is imported when it
    is called: the screen's first paint waits for none of it."""

    def __init__(self, runs_dir: Path | None = None, models_dir: Path | None = None) -> None:
        self.runs_dir = (runs_dir or default_runs_dir()).expanduser()
        self.models_dir = models_dir

    def machine(self) -> str:
        from tuner_tui.backends.gpus import find_gpus

        host = socket.gethostname().partition(".")[0]
        gpus = find_gpus()
        if not gpus:
            return f"{host} · no GPU"
        kinds = {(gpu.name.removeprefix("NVIDIA "), round(gpu.memory_gib)) for gpu in gpus}
        if len(kinds) == 1:
            [(name, memory_gib)] = kinds
            return f"{host} · {len(gpus)} × {name} {memory_gib} GiB"
        return f"{host} · {len(gpus)} GPUs"

    def gpus(self, task: Task) -> tuple[int, ...]:
        from tuner_tui.cli.load import usable_gpus

        return usable_gpus(task, strict=False)

    def start(self, task: Path, text: str | None = None) -> RunFolder:
        from tuner_tui.cli.run import prepare_run
        from tuner_tui.engines.load_task import load_task
        from tuner_tui.runs.start import start_runner

        read, _ = load_task(task, self.models_dir, text=text)
        folder, _ = prepare_run(read, self.runs_dir, say=lambda note: None, text=_encoded(text))
        start_runner(folder)
        return folder

    def try_out(self, task: Path, configuration: Configuration, text: str | None = None) -> RunFolder:
        from tuner_tui.engines.load_task import load_task

        read, _ = load_task(task, self.models_dir, text=text)
        return self._keep_up(read, configuration, _encoded(text))

    def try_again(self, folder: RunFolder, configuration: Configuration) -> RunFolder:
        from tuner_tui.engines.load_task import load_task
        from tuner_tui.runs.view import read_run

        snapshot, text = read_run(folder), folder.task.read_bytes()
        # Not read from the run's folder anew: what is relative in it is of the folder that the file came from.
        task = snapshot.task
        if snapshot.kind == "import":  # which had no need of the model, wherever that is
            task, _ = load_task(Path(task.file), self.models_dir, text=text.decode("utf-8-sig"))
        return self._keep_up(task, configuration, text)

    def _keep_up(self, task: Task, configuration: Configuration, text: bytes | None) -> RunFolder:
        from tuner_tui.cli.try_ import prepare_try
        from tuner_tui.runs.start import start_runner

        folder = prepare_try(task, configuration, self.runs_dir, text=text)
        start_runner(folder)
        return folder

    def resume(self, folder: RunFolder) -> None:
        from tuner_tui.runs.start import start_runner

        self._require_backend(folder)
        start_runner(folder)

    def confirm(self, folder: RunFolder, experiments: tuple[int, ...], launches: int) -> None:
        from tuner_tui.runs.events import LaunchesAdded
        from tuner_tui.runs.start import start_runner

        self._require_backend(folder)
        start_runner(folder, LaunchesAdded(experiments=experiments, launches=launches))

    def add(self, folder: RunFolder, configurations: tuple[Configuration, ...]) -> None:
        from tuner_tui.runs.joining import joining
        from tuner_tui.runs.start import RunnerNotStarted, start_runner
        from tuner_tui.runs.view import read_run

        self._require_backend(folder)
        try:
            start_runner(folder, joining(read_run(folder), configurations))
        except ValueError as error:
            raise RunnerNotStarted(str(error)) from error

    def _require_backend(self, folder: RunFolder) -> None:
        from tuner_tui.cli.run import require_backend
        from tuner_tui.runs.view import RunReader

        view = RunReader(folder).read()
        if view is not None and view.snapshot is not None:
            require_backend(view.snapshot.task)


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
