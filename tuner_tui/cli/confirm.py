"""`tuner-tui confirm`."""

from __future__ import annotations

from pathlib import Path

import click

from tuner_tui.cli.load import require_tool
from tuner_tui.cli.run import follow, require_backend
from tuner_tui.report.words import duration_words
from tuner_tui.runs.events import LaunchesAdded
from tuner_tui.runs.folder import default_runs_dir, find_run
from tuner_tui.runs.lock import holder
from tuner_tui.runs.progress import mean_launch_s
from tuner_tui.runs.view import read_run
from tuner_tui.search.words import more_launches
from tuner_tui.task.paths import is_file


def confirm_run(given: str, launches: int | None, runs_dir: Path | None, *, as_json: bool) -> int:
    """Relaunches the leaders in the foreground; returns the exit code. Raises RunNotFound."""
    folder = find_run(given, (runs_dir or default_runs_dir()).expanduser())
    snapshot = read_run(folder)
    if (live := holder(folder.lock)) is not None:
        click.echo(f"tuner-tui: {folder.name} is running (process {live.pid}); confirm it when it is over", err=True)
        return 2
    if snapshot.kind == "import":
        told = Path(snapshot.task.file)  # what is relative in it is of its own folder
        task = told if told.is_absolute() and is_file(told) else folder.task
        click.echo(
            f"tuner-tui: {folder.name} was imported, so nothing can be launched again; `tuner-tui run {task}` "
            "measures the same anew",
            err=True,
        )
        return 2
    if snapshot.kind == "try":
        click.echo(f"tuner-tui: {folder.name} kept one configuration up; there is nothing to tell apart", err=True)
        return 2
    if snapshot.launches_done < snapshot.launches_planned:
        click.echo(f"tuner-tui: {folder.name} is not finished; `tuner-tui resume {folder.name}` goes on", err=True)
        return 2
    offer = snapshot.confirmation
    if offer is None:
        click.echo(f"tuner-tui: nothing to confirm: {snapshot.verdict.sentence}", err=True)
        return 2
    added = LaunchesAdded(experiments=offer.experiments, launches=launches or offer.launches)
    guess_s = (mean_launch_s(snapshot) or 0.0) * added.launches * len(added.experiments)
    names = ", ".join(f"#{experiment}" for experiment in added.experiments)
    more = more_launches(added.launches)
    click.echo(f"{folder.name}: {more} of {names}, about {duration_words(guess_s)}", err=True)
    require_backend(snapshot.task)
    require_tool(snapshot.task)
    return follow(folder, guess_s=guess_s, as_json=as_json, added=added)
