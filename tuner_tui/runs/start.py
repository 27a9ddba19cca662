"""Making a run folder and starting its runner, detached."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tuner_tui import __version__
from tuner_tui.runs.events import Excluded, Experiment, ExperimentsAdded, LaunchesAdded, RunCreated, RunStarted, now
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalReader, new_run
from tuner_tui.runs.lock import EXIT_LOCK_HELD
from tuner_tui.task.model import Task


class RunnerNotStarted(Exception):
    """The runner ended before it had begun; the message is what it had to say."""


def create_run(
    task: Task,
    experiments: Sequence[Experiment],
    excluded: Sequence[Excluded],
    gpus: tuple[int, ...],
    runs_dir: Path,
    *,
    kind: Literal["tune", "try"] = "tune",
    simulated: bool = False,
    text: bytes | None = None,
) -> RunFolder:
    """A run folder with the task as it stands and the first two events. `text` is what the task was read from, where
    that is not what its file holds. Raises OSError; no folder is left then."""
    moment = now()
    name = task.name if kind == "tune" else f"try-{task.name}"
    with new_run(runs_dir, name, moment) as (folder, journal):
        folder.task.write_bytes(Path(task.file).read_bytes() if text is None else text)
        journal.append(
            RunCreated(
                at=moment,
                run=folder.name,
                task=task,
                version=__version__,
                gpus=gpus,
                kind=kind,
                simulated=simulated,
                seed=random.SystemRandom().randrange(2**31),
            )
        )
        journal.append(ExperimentsAdded(experiments=tuple(experiments), excluded=tuple(excluded)))
    return folder


def start_runner(
    folder: RunFolder, added: LaunchesAdded | ExperimentsAdded | None = None, timeout_s: float = 30.0
) -> int:
    """Starts `python -m tuner_tui.runner FOLDER` in a session of its own; returns its pid once it took the run up.

    `added`: what is to be launched beyond what was planned, which it writes down first.
    It survives this process, its terminal and its SSH session. Raises RunnerNotStarted with the tail of runner.log.
    """
    reader = JournalReader(folder.journal)
    reader.read()
    more = [] if added is None else [msgspec.json.encode(added).decode()]
    with folder.runner_log.open("ab") as log:
        offset = log.tell()
        child = subprocess.Popen(
            # -P: a docker.py in the user's folder is not ours.
            [sys.executable, "-P", "-m", "tuner_tui.runner", str(folder.path), *more],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    ended = None
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ended = child.poll()
        # Another runner, started at the same moment, may have written it: then ours was refused the lock.
        if any(isinstance(event, RunStarted) and event.pid == child.pid for event in reader.read()):
            return child.pid
        if ended is not None:
            break
        time.sleep(0.02)
    else:
        child.kill()
        child.wait()
    if ended == EXIT_LOCK_HELD:
        lost = "; nothing was added: ask once more" if added is not None else ""
        raise RunnerNotStarted(f"another runner took {folder.name} up at the same moment{lost}")
    said = folder.runner_log.read_bytes()[offset:].decode(errors="replace").strip().splitlines()
    last = said[-1] if said else f"it said nothing in {timeout_s:.0f} s" if child.poll() is None else "it said nothing"
    raise RunnerNotStarted(f"the runner did not start: {last} (see {folder.runner_log})")
