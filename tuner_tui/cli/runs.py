"""`tuner-tui runs` and `stop`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from tuner_tui.cli.follow import Follower
from tuner_tui.runs.commands import Stop, append_command
from tuner_tui.runs.folder import RunFolder, default_runs_dir, find_run, list_runs
from tuner_tui.runs.journal import JournalUnreadable
from tuner_tui.runs.lock import holder
from tuner_tui.search.verdict import quantity


def show_runs(runs_dir: Path | None) -> None:
    """One line a run on standard output."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    where = (runs_dir or default_runs_dir()).expanduser()
    folders = list_runs(where)
    if not folders:
        click.echo(f"no run yet under {where}; `tuner-tui demo` makes one in under a minute", err=True)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("state", "run", "launches", "best", "age"):
        table.add_column(column, no_wrap=column != "run", overflow="fold")
    for folder in folders:
        table.add_row(*(Text(cell) for cell in _row(folder)))
    Console().print(table, highlight=False)


def _row(folder: RunFolder) -> list[str]:
    try:
        snapshot = Follower(folder).catch_up()
    except (JournalUnreadable, ValueError) as error:
        return ["unreadable", folder.name, "", str(error)[:60], ""]
    verdict = snapshot.verdict
    if holder(folder.lock) is not None:
        state = "paused" if snapshot.paused else "running"
    elif snapshot.finished is None:
        state = "died"
    else:
        state = snapshot.finished.reason if snapshot.finished.reason != "finished" else verdict.kind
    best = ""
    if verdict.leader is not None:
        leader = next(experiment for experiment in snapshot.experiments if experiment.id == verdict.leader)
        assert leader.score is not None
        mark = "≈" if verdict.kind == "tie" else "★"
        best = f"{mark} #{leader.id} {quantity(snapshot.objective, leader.score.value)}"
    name = folder.name + (" (simulated)" if snapshot.simulated else " (imported)" if snapshot.kind == "import" else "")
    progress = "try" if snapshot.kind == "try" else f"{snapshot.launches_done}/{snapshot.launches_planned}"
    return [state, name, progress, best, _age(snapshot.created_at)]


def _age(moment: datetime) -> str:
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(0, seconds)}s"


def stop_run(given: str, runs_dir: Path | None) -> int:
    """Asks a run to stop and waits until its runner is gone. Raises RunNotFound."""
    folder = find_run(given, (runs_dir or default_runs_dir()).expanduser())
    if holder(folder.lock) is None:
        click.echo(f"{folder.name} is not running", err=True)
        return 0
    append_command(folder.commands, Stop())
    click.echo(f"{folder.name}: stopping …", err=True)
    while holder(folder.lock) is not None:
        time.sleep(0.1)
    click.echo(f"{folder.name}: stopped; `tuner-tui resume {folder.name}` goes on", err=True)
    return 0
