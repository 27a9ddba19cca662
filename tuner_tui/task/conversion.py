"""A task of the predecessor's format → the text of a task file, for those who want to change it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec

from tuner_tui.task.model import Task
from tuner_tui.task.reader import read_text
from tuner_tui.task.yaml_text import CannotEdit, plain_of


class CannotConvert(ValueError):
    """No task file can be made of the text; the message is a sentence."""


def as_task_file(text: str, path: Path, *, models_dir: Path | None = None) -> str:
    """What is read of `text`, which stands in the file at `path`, in the format of docs/task-file.md. It is read again
    and compared, so nothing of the task is lost or bent; comments, and keys that mean nothing here, are left out.
    Raises CannotConvert."""
    reading = read_text(text, path, models_dir=models_dir)
    if reading.task is None:
        first = next((each for each in reading.problems if each.severity == "error"), None)
        where = f"line {first.line}: {first.key}: {first.message}" if first else "it cannot be read"
        raise CannotConvert(f"no task file can be made of {path.name} while it has mistakes ({where})")
    written = _written(reading.task)
    if read_text(written, path, models_dir=models_dir).task != reading.task:
        raise CannotConvert(f"{path.name} holds something that a task file cannot say; write one by hand")
    return written


def _written(task: Task) -> str:
    benchmark = task.benchmark
    default_timeout_s = next(each.default for each in msgspec.structs.fields(Task) if each.name == "start_timeout_s")
    lines = [f"name: {_flow(task.name)}"]
    if task.description:
        lines.append(f"description: {_flow(task.description)}")
    lines += [f"engine: {task.engine}", f"model: {_flow(task.model.given)}"]
    if task.backend != "docker":
        lines.append(f"backend: {task.backend}")
    if task.space.parameters:
        lines += ["", "parameters:"]
    for each in task.space.parameters:
        only = each.values[0] if len(each.values) == 1 and not isinstance(each.values[0], list | dict) else each.values
        lines.append(f"  {_flow(each.name)}: {_flow(only)}")
    lines += ["", "benchmark:", f"  traffic: [{', '.join(json.dumps(scenario) for scenario in benchmark.traffic)}]"]
    lines.append(f"  concurrency: {_flow(benchmark.concurrency)}")
    if benchmark.max_requests is not None:
        lines.append(f"  max_requests: {benchmark.max_requests}")
    if benchmark.max_time_s is not None:
        lines.append(f"  max_time: {_duration(benchmark.max_time_s)}")
    if benchmark.request:
        lines.append(f"  request: {_flow(benchmark.request)}")
    lines += ["", f"objective: {task.objective.name}"]
    if task.start_timeout_s != default_timeout_s:
        lines.append(f"start_timeout: {_duration(task.start_timeout_s)}")
    return "\n".join(lines) + "\n"


def _duration(seconds: float) -> str:
    return f"{int(seconds // 60)}m" if seconds % 60 == 0 else f"{seconds!r}s".replace(".0s", "s")


def _flow(value: Any) -> str:
    """YAML on one line; a text in quotes only where it must be."""
    if isinstance(value, str):
        return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    try:
        return bool(plain_of(f"[{text}]") == [text] and plain_of(f"{text}: {text}") == {text: text})
    except CannotEdit:
        return False
