"""`tuner-tui export`."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import click

from tuner_tui.report.deployment import chosen_experiment
from tuner_tui.report.export import FORMATS, exported
from tuner_tui.report.results import replace_file
from tuner_tui.runs.folder import default_runs_dir, find_run
from tuner_tui.runs.view import read_run


def export_run(given: str, name: str | None, output: Path | None, experiment: int | None, runs_dir: Path | None) -> int:
    """Writes the file and prints its path; returns the exit code. Raises RunNotFound."""
    folder = find_run(given, (runs_dir or default_runs_dir()).expanduser())
    snapshot = read_run(folder)
    if name is None:
        name = _by_ending(output)
        if name is None:
            click.echo(f"tuner-tui: {output}: --format compose or --format k8s? Both are YAML", err=True)
            return 2
    chosen = chosen_experiment(snapshot, experiment)
    if experiment is not None and chosen is None:
        known = ", ".join(str(each.id) for each in snapshot.experiments[:20])
        click.echo(f"tuner-tui: {folder.name} has no experiment {experiment}; there are {known}", err=True)
        return 2
    try:
        data = exported(snapshot, name, chosen)
    except ValueError as error:
        another = " (--experiment N takes another one)" if chosen is None else ""
        click.echo(f"tuner-tui: {error}{another}", err=True)
        return 2
    if output is not None and _is_standard_output(output):
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        return 0
    path = folder.path / FORMATS[name].file if output is None else output
    if path.is_dir():
        path = path / FORMATS[name].file
    try:
        _write(path, data)
    except OSError as error:
        click.echo(f"tuner-tui: {path} cannot be written: {error.strerror or error}", err=True)
        return 2
    click.echo(path)
    return 0


def _is_standard_output(path: Path) -> bool:
    """`-`, or /dev/stdout by whatever name: the path, printed there too, would be no part of the report."""
    if str(path) == "-":
        return True
    with contextlib.suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    return False


def _write(path: Path, data: bytes) -> None:
    """To where a person named: like `>` through a link, and into what is there and is no file, such as a device or a
    pipe. A file is the old or the new, never half. Raises OSError."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(data)
    else:
        replace_file(path, data)


def _by_ending(output: Path | None) -> str | None:
    """The format that a file's name asks for: `md` where it asks for none, None where it may be one of two."""
    ending = output.suffix.lstrip(".").lower() if output is not None else ""
    return {"csv": "csv", "json": "json", "sh": "command", "yaml": None, "yml": None}.get(ending, "md")
