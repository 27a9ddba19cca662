"""The app as a test starts it: nothing of the user's own, and a launcher that writes down what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.view import AnyReader
from tuner_tui.task.model import Configuration, Task
from tuner_tui.ui.app import TunerApp
from tuner_tui.ui.memory import Remembered, keep


class RecordingLauncher:
    """Starts nothing. `answer` is the folder that a start gives; `refusal` is raised instead where set."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self.models_dir: Path | None = None
        self.asked: list[tuple[object, ...]] = []
        self.answer: RunFolder | None = None
        self.refusal: Exception | None = None

    def machine(self) -> str:
        return "gpu-box-3 · 1 × H100 95 GiB"

    def gpus(self, task: Task) -> tuple[int, ...]:
        return task.gpus if task.gpus is not None else ()

    def _give(self, *asked: object) -> RunFolder:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        assert self.answer is not None
        return self.answer

    def start(self, task: Path, text: str | None = None) -> RunFolder:
        return self._give("start", task, text)

    def try_out(self, task: Path, configuration: Configuration, text: str | None = None) -> RunFolder:
        return self._give("try_out", task, configuration, text)

    def try_again(self, folder: RunFolder, configuration: Configuration) -> RunFolder:
        return self._give("try_again", folder, configuration)

    def resume(self, folder: RunFolder) -> None:
        self.asked.append(("resume", folder))

    def confirm(self, folder: RunFolder, experiments: tuple[int, ...], launches: int) -> None:
        self.asked.append(("confirm", folder, experiments, launches))

    def add(self, folder: RunFolder, configurations: tuple[Configuration, ...]) -> None:
        self.asked.append(("add", folder, configurations))


def app_under_test(
    tmp_path: Path,
    *,
    task: Path | None = None,
    reader: AnyReader | None = None,
    welcome: bool = False,
    theme: str = "",
) -> TunerApp:
    memory = tmp_path / "screen.json"
    if not welcome:
        keep(memory, Remembered(seen=True, theme=theme))
    return TunerApp(RecordingLauncher(tmp_path / "runs"), task=task, reader=reader, memory=memory)


def asked(app: TunerApp) -> list[tuple[object, ...]]:
    launcher = app.launcher
    assert isinstance(launcher, RecordingLauncher)
    return launcher.asked


def screen_text(app: TunerApp) -> str:
    """What the terminal shows, as plain lines."""
    width = app.size.width
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text[:width].rstrip() for strip in strips)


async def seen(pilot: Pilot[None], *texts: str, most_s: float = 30.0) -> str:
    """Waits until all of `texts` are on the screen; what is on it then. For screens whose workers never end.

    A text may be broken over lines: where it breaks depends on the paths before it.
    """
    ends = time.monotonic() + most_s
    while True:
        await pilot.pause()
        shown = screen_text(pilot.app)  # type: ignore[arg-type]
        unbroken = " ".join(shown.split())
        missing = [text for text in texts if text not in shown and text not in unbroken]
        if not missing:
            return shown
        assert time.monotonic() < ends, f"{missing} not on the screen:\n{shown}"
        await asyncio.sleep(0.02)


async def settled(pilot: Pilot[None]) -> None:
    """Until what waits for the first paint is done, every worker but a log's has ended, and what it posted is shown."""
    app = pilot.app
    assert isinstance(app, TunerApp)
    async with asyncio.timeout(60):
        await app.ready.wait()
    await pilot.pause(0.005)
    async with asyncio.timeout(60):
        for worker in [worker for worker in app.workers if worker.group != "log"]:
            with contextlib.suppress(WorkerCancelled):
                await worker.wait()
    await pilot.pause()
