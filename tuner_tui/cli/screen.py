"""`tuner-tui [TASK]`, `attach`, `replay`: the terminal app."""

from __future__ import annotations

import gc
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner_tui.runs.view import AnyReader


def show_screen(
    *,
    task: Path | None = None,
    run: str | None = None,
    replay_speed: float | None = None,
    runs_dir: Path | None = None,
    models_dir: Path | None = None,
    mouse: bool = True,
) -> int:
    """Runs the app until it is left; returns the exit code. `run` is attached to, or with a speed played back.

    Raises RunNotFound and JournalUnreadable.
    """
    if why := _no_screen(task, run):
        return _refused(f"tuner-tui: {why}")
    if task is not None and not task.is_file():
        return _refused(f"{task}: there is no such file")
    reader: AnyReader | None = None
    if run is not None:
        from tuner_tui.runs.folder import default_runs_dir, find_run
        from tuner_tui.runs.view import ReplayReader, RunReader

        folder = find_run(run, (runs_dir or default_runs_dir()).expanduser())
        try:
            reader = RunReader(folder) if replay_speed is None else ReplayReader(folder, replay_speed)
        except ValueError as error:
            return _refused(f"tuner-tui: {error}")
    calm_textual()
    # Until the first paint nothing becomes garbage, and looking for it takes 7 % of the time; the app turns it on.
    gc.disable()
    # Only now: Textual reads its settings from the environment when it is imported.
    from tuner_tui.cli.launcher import CommandLauncher
    from tuner_tui.ui.app import TunerApp

    app = TunerApp(CommandLauncher(runs_dir, models_dir), task=task, reader=reader)
    app.run(mouse=mouse)
    return app.return_code or 0


def _refused(sentence: str) -> int:
    """The exit code, once the reason is said. Not by click: the screen does without importing it."""
    sys.stderr.write(sentence + "\n")
    return 2


def _no_screen(task: Path | None, run: str | None) -> str:
    """Why the app cannot be shown here, with the command that does without; "" where it can."""
    if "TEXTUAL_DRIVER" in os.environ:
        return ""  # of `serve`: its browser is the terminal
    without = f"tuner-tui run {shlex.quote(str(task)) if task else 'TASK'}" if run is None else "tuner-tui runs"
    if os.environ.get("TERM", "") in ("dumb", ""):
        return f"this terminal (TERM={os.environ.get('TERM', '')}) cannot show a screen; without one: {without}"
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        return f"this is no terminal; without a screen: {without}"
    return ""


def calm_textual() -> None:
    """Few frames and no animation: over SSH every frame is bytes. What the user has set stays."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    if "SSH_CONNECTION" in os.environ:
        os.environ.setdefault("TEXTUAL_FPS", "20")  # else 60: a key's answer waits for its frame
