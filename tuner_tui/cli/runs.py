"""`tuner-tui runs` and `stop`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from tuner_tui.runs.commands import Stop, append_command
from tuner_tui.runs.folder import default_runs_dir, find_run, list_runs
from tuner_tui.runs.lock import holder
from tuner_tui.runs.overview import Overview, age, overview

_PIPE_WIDTH = 500
_BEST_WIDTH = 22
"""Cells that the leader, or why a run cannot be read, gets beside the name in a terminal."""


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
    console = Console()
    if not console.is_terminal:
        # In a pipe a line has no end: `tuner-tui runs | grep llama` finds whole names.
        console = Console(width=_PIPE_WIDTH)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("state", "run", "launches", "best", "age"):
        most = _BEST_WIDTH if column == "best" and console.is_terminal else None
        table.add_column(
            column, no_wrap=column != "run", overflow="fold" if column == "run" else "ellipsis", max_width=most
        )
    for folder in folders:
        table.add_row(*(Text(cell) for cell in _row(overview(folder))))
    console.print(table, highlight=False)


def _row(run: Overview) -> list[str]:
    if run.condition == "unreadable":
        return ["unreadable", run.folder.name, "", run.trouble[:60], ""]
    name = run.folder.name + (" (simulated)" if run.simulated else " (imported)" if run.kind == "import" else "")
    return [run.condition, name, run.progress, run.best, age(run.created_at) if run.created_at else ""]


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
