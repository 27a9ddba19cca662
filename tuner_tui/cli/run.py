"""`tuner-tui run`, `demo` and `resume`: start a runner, follow it, say how it ended."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import click

from tuner_tui.cli.follow import Follower
from tuner_tui.cli.load import load, require_dataset, require_model, require_tool, usable_gpus
from tuner_tui.engines.registry import engine
from tuner_tui.report.results import results_json
from tuner_tui.runs.events import Excluded, Experiment, LaunchesAdded
from tuner_tui.runs.folder import RunFolder, default_runs_dir, find_run
from tuner_tui.runs.lock import holder
from tuner_tui.runs.plan import estimate, plan
from tuner_tui.runs.start import RunnerNotStarted, create_run, start_runner
from tuner_tui.runs.state import Snapshot
from tuner_tui.runs.view import read_run
from tuner_tui.task.model import Task
from tuner_tui.task.problem import BadInput, Problem


def run_task(path: Path, runs_dir: Path | None, models_dir: Path | None, *, as_json: bool) -> int:
    """Runs a task in the foreground; returns the exit code. Raises BadInput before anything is started."""
    task = load(path, models_dir)
    folder, launches = prepare_run(task, runs_dir, say=lambda note: click.echo(f"note: {note}", err=True))
    return follow(folder, guess_s=estimate(task, launches).total_s, as_json=as_json)


def prepare_run(
    task: Task, runs_dir: Path | None, say: Callable[[str], None], *, text: bytes | None = None
) -> tuple[RunFolder, int]:
    """The folder of a run of `task`, not started yet, and its number of launches; the plan's notes go to `say`.
    `text`: as for `create_run`.

    Raises BadInput where it could not be carried out on this machine.
    """
    require_model(task)
    require_tool(task)
    notes = require_dataset(task)
    gpus = usable_gpus(task, strict=True)
    planned = plan(task, gpus)
    for note in (*planned.notes, *notes):
        say(note)
    if not planned.experiments:
        reasons = "; ".join(dict.fromkeys(excluded.reason for excluded in planned.excluded))
        raise bad(task, "", f"nothing to launch: every configuration is excluded ({reasons})")
    require_backend(task)
    folder = make_run(task, planned.experiments, planned.excluded, gpus, runs_dir, text=text)
    return folder, task.search.launches * len(planned.experiments)


def make_run(
    task: Task,
    experiments: Sequence[Experiment],
    excluded: Sequence[Excluded],
    gpus: tuple[int, ...],
    runs_dir: Path | None,
    kind: Literal["tune", "try"] = "tune",
    *,
    text: bytes | None = None,
) -> RunFolder:
    """A new run folder. Raises BadInput where none can be made."""
    where = (runs_dir or default_runs_dir()).expanduser()
    simulated = engine(task.engine).simulated
    try:
        return create_run(task, experiments, excluded, gpus, where, kind=kind, simulated=simulated, text=text)
    except OSError as error:
        raise bad(task, "", no_run_folder(where, error)) from error


def no_run_folder(where: Path, error: OSError) -> str:
    return f"no run folder can be made under {where}: {error.strerror} (--runs-dir chooses another place)"


def bad(task: Task, key: str, message: str) -> BadInput:
    """A problem with the task as a whole, or with what it needs of this machine."""
    return BadInput([Problem(file=task.file, line=0, column=0, key=key, message=message)])


def require_backend(task: Task) -> None:
    """Raises BadInput where the task wants Docker and no Engine answers, before a run is made of it."""
    if task.backend != "docker":
        return
    from tuner_tui.backends.backend import BackendUnavailable
    from tuner_tui.backends.docker_connection import connect

    try:
        connect().close()
    except BackendUnavailable as error:
        raise bad(task, "backend", str(error)) from error


def resume_run(given: str, runs_dir: Path | None, *, as_json: bool) -> int:
    """Goes on with a run in the foreground; returns the exit code. Raises RunNotFound."""
    folder = find_run(given, (runs_dir or default_runs_dir()).expanduser())
    snapshot = read_run(folder)
    if (live := holder(folder.lock)) is not None:
        click.echo(f"tuner-tui: {folder.name} is running already (process {live.pid})", err=True)
        return 2
    if snapshot.kind == "try":
        click.echo(f"tuner-tui: {folder.name} kept one configuration up; `tuner-tui try` launches it again", err=True)
        return 2
    done = snapshot.launches_done >= snapshot.launches_planned
    if done and snapshot.finished is not None and snapshot.finished.reason == "finished":
        click.echo(f"{folder.name}: nothing is left to do", err=True)
        return _end(snapshot, folder, as_json=as_json)
    left = snapshot.launches_planned - snapshot.launches_done
    click.echo(f"{folder.name}: {snapshot.launches_done} of {snapshot.launches_planned} launches are done", err=True)
    require_backend(snapshot.task)
    require_tool(snapshot.task)
    return follow(folder, guess_s=estimate(snapshot.task, left).total_s, as_json=as_json)


def follow(folder: RunFolder, *, guess_s: float, as_json: bool, added: LaunchesAdded | None = None) -> int:
    """Starts the runner of `folder` and follows it to its end."""
    follower = Follower(folder, guess_s=guess_s)
    code = start_and_follow(folder, follower, added)
    ended = _end(follower.snapshot, folder, as_json=as_json)
    if code in (130, 143):
        click.echo(f"interrupted; `tuner-tui resume {folder.name}` goes on", err=True)
    return ended if code is None else code


def start_and_follow(folder: RunFolder, follower: Follower, added: LaunchesAdded | None = None) -> int | None:
    """Starts the runner and follows it to its end; the exit code as `Follower.follow` has it, 1 if it did not start."""
    follower.introduce(added.launches * len(added.experiments) if added is not None else 0)
    with follower.signals():
        try:
            start_runner(folder, added)
        except RunnerNotStarted as error:
            click.echo(f"tuner-tui: {error}", err=True)
            return 1
        return follower.follow()


def _end(snapshot: Snapshot, folder: RunFolder, *, as_json: bool) -> int:
    """Shows the result; exit code 0 where there is a leader, else 1."""
    from rich.console import Console

    from tuner_tui.report.summary import print_summary

    if as_json:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.buffer.write(results_json(snapshot))
            sys.stdout.buffer.flush()
    console = Console(stderr=as_json)
    print_summary(snapshot, console)
    if folder.results.exists():  # none was written where the runner never came as far
        click.echo(f"results: {folder.results}", err=True)
    return 0 if snapshot.verdict.leader is not None else 1
