"""Reads a task file and checks its flags in the same go."""

from __future__ import annotations

from pathlib import Path

from tuner_tui.engines.check import check
from tuner_tui.task.model import Task
from tuner_tui.task.problem import BadInput, Problem
from tuner_tui.task.reader import read, read_text


def load_task(path: Path, models_dir: Path | None = None, *, text: str | None = None) -> tuple[Task, list[Problem]]:
    """The task in `path`, and the warnings about it in the order of the file; with `text`, the task that this would be
    in `path`.

    Raises BadInput with every problem, warnings too, when one of them is an error.
    """
    reading = read(path, models_dir=models_dir) if text is None else read_text(text, path, models_dir=models_dir)
    problems = sorted([*reading.problems, *check(reading)], key=lambda problem: (problem.line, problem.column))
    if reading.task is None or any(problem.severity == "error" for problem in problems):
        raise BadInput(problems)
    return reading.task, problems
