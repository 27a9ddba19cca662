"""Shorthand of these tests: a text → its reading, and its problems as a person sees them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tuner_tui.task.model import Task
from tuner_tui.task.reader import read
from tuner_tui.task.reading import Reading

REST = """
engine: simulated
model: tiny
benchmark: {traffic: ["D(100,100)"], concurrency: [1, 4], max_requests: 50}
"""


def reading_of(folder: Path, text: str, *, rest: str = "", name: str = "task.yaml") -> Reading:
    """Reads `text` (dedented) followed by `rest`, as a file in `folder`."""
    path = folder / name
    path.write_text(textwrap.dedent(text).lstrip("\n") + rest, encoding="utf-8")
    return read(path, models_dir=folder / "models")


def task_of(folder: Path, text: str = "", *, rest: str = REST, name: str = "task.yaml") -> Task:
    """The task of a text that must have no problem at all."""
    reading = reading_of(folder, text, rest=rest, name=name)
    assert said(reading) == [], said(reading)
    assert reading.task is not None
    return reading.task


def said(reading: Reading) -> list[str]:
    """Every problem as `line:column: [warning: ]key: message`."""
    return [
        str(problem).splitlines()[0].removeprefix(f"{reading.file}:").removeprefix(" ") for problem in reading.problems
    ]


def problems_of(folder: Path, text: str, *, rest: str = REST, name: str = "task.yaml") -> list[str]:
    """The problems of a text; where one is an error there is no task."""
    reading = reading_of(folder, text, rest=rest, name=name)
    assert (reading.task is None) == any(problem.severity == "error" for problem in reading.problems)
    return said(reading)
