"""The tasks that Home lists: those opened lately, those in the working folder, and the samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_MOST_HERE = 8
"""Tasks of the working folder that are listed; o opens any."""
_MOST_PATH = 36


class TaskLine(NamedTuple):
    """`kind` says why it is listed: recent, here, or sample."""

    kind: str
    name: str
    engine: str
    what: str


def task_lines(recent: Sequence[str], models_dir: Path | None) -> dict[str, TaskLine]:
    """By path, each once. Reads them all; what it needs is imported when it is called, after the first paint."""
    from tuner_tui.task.found import tasks_in
    from tuner_tui.task.paths import is_file, working_folder
    from tuner_tui.task.samples import in_samples, samples

    kinds = [("recent", path) for path in map(Path, recent) if not in_samples(path)]
    kinds += [("here", path) for path in tasks_in(working_folder())[:_MOST_HERE]]
    kinds += [("sample", path) for path in samples()]
    found: dict[str, TaskLine] = {}
    for kind, path in kinds:
        if str(path) not in found and is_file(path):
            found[str(path)] = _line(kind, path, models_dir)
    return found


def _line(kind: str, path: Path, models_dir: Path | None) -> TaskLine:
    from tuner_tui.task.reader import read
    from tuner_tui.task.space import size

    task = read(path, models_dir=models_dir).task
    name = path.stem if kind == "sample" else _short(path)
    if task is None:
        return TaskLine(kind, name, "?", "has mistakes; Enter opens it and shows them")
    flags = ", ".join(each.name for each in task.space.parameters if len(each.values) > 1)
    number = size(task.space)
    count = f"{number:,} configuration{'' if number == 1 else 's'}" + (f": {flags}" if flags else "")
    return TaskLine(kind, name, task.engine, task.description or count)


def _short(path: Path) -> str:
    """From here where it lies here, else from home; of a long one the end."""
    from tuner_tui.task.paths import with_home, working_folder

    words = str(path)
    for folder, mark in ((working_folder(), ""), (with_home("~"), "~/")):
        if path.is_relative_to(folder):
            words = f"{mark}{path.relative_to(folder)}"
            break
    return words if len(words) <= _MOST_PATH else f"…{words[1 - _MOST_PATH :]}"
