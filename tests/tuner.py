"""The program as a user runs it, and what it leaves on disk."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner_tui.runs.events import LaunchStarted, LevelFinished, ServerReady
from tuner_tui.runs.folder import RunFolder, list_runs
from tuner_tui.runs.journal import JournalReader
from tuner_tui.runs.state import RunState, Snapshot

TUNER = [sys.executable, "-m", "tuner_tui"]


def tuner(*arguments: object, check: int | None = 0, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Runs `tuner-tui ARGUMENTS…` to its end; `check` is the exit code expected, None for any."""
    done = subprocess.run([*TUNER, *map(str, arguments)], capture_output=True, text=True, timeout=timeout_s)
    if check is not None:
        assert done.returncode == check, done.stderr
    return done


def start(*arguments: object) -> subprocess.Popen[str]:
    """Starts `tuner-tui ARGUMENTS…` and does not wait."""
    return subprocess.Popen([*TUNER, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def state(folder: RunFolder) -> Snapshot:
    """The run as its journal has it now."""
    folded = RunState()
    for event in JournalReader(folder.journal).read():
        folded.apply(event)
    return folded.snapshot()


def until(condition: Callable[[], Any], within_s: float = 30.0) -> Any:
    """Waits for something on disk, where no event can be awaited across processes."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"did not come true within {within_s} s")


def only_run(runs_dir: Path) -> RunFolder:
    """The one run there is."""
    folders: list[RunFolder] = until(lambda: list_runs(runs_dir))
    assert len(folders) == 1
    return folders[0]


def in_launch(
    runs_dir: Path, kind: type[ServerReady | LaunchStarted | LevelFinished] = ServerReady, within_s: float = 30.0
) -> RunFolder:
    """The run, once a launch has come as far as `kind`."""
    folder = only_run(runs_dir)
    reader = JournalReader(folder.journal)
    until(lambda: any(isinstance(event, kind) for event in reader.read()), within_s)
    return folder


def containers() -> set[str]:
    """The ids of all containers, running or not; empty where no Docker Engine answers."""
    listed = subprocess.run(["docker", "ps", "-aq", "--no-trunc"], capture_output=True, text=True)
    return set(listed.stdout.split())
