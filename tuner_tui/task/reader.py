"""A task file → a `Reading`: the task where it can be carried out, and every problem in one go."""

from __future__ import annotations

from pathlib import Path

from tuner_tui.task import nodes
from tuner_tui.task.fields import Section, describe, nearest, note
from tuner_tui.task.predecessor import is_predecessor, read_predecessor
from tuner_tui.task.reading import Reading
from tuner_tui.task.space import expand
from tuner_tui.task.task_keys import read_task
from tuner_tui.task.variables import hide_secrets

_MAX_BYTES = 1 << 18


def read(path: Path, *, models_dir: Path | None = None) -> Reading:
    """Reads the task file at `path`; never raises for what a file may hold, or for one that is not there.

    `models_dir` is where bare model names are looked for if the task does not say. `task` is None where a problem
    is an error.
    """
    reading = Reading(file=str(path), lines=[])
    text = _text(path, reading)
    return reading if text is None else _read(text, path, reading, models_dir)


def read_text(text: str, path: Path, *, models_dir: Path | None = None) -> Reading:
    """As `read`, for a text that is not, or not yet, in the file at `path`."""
    return _read(text, path, Reading(file=str(path), lines=[]), models_dir)


def _read(text: str, path: Path, reading: Reading, models_dir: Path | None) -> Reading:
    text = nodes.without_json_tabs(text)
    reading.lines = [hide_secrets(line) for line in nodes.split_lines(text)]
    item, faults = nodes.compose(text)
    if item is not None:
        nodes.record_places(item, "", reading.places)
    for fault in faults:
        note(reading, fault.place, fault.key, fault.message)
    task = None
    if isinstance(item, nodes.Mapping) and item.entries:
        top = Section(reading, "", item)
        how = read_predecessor if is_predecessor(top.mapping.entries) else read_task
        task = how(top, file=path.absolute(), models_dir=models_dir)
    elif not faults:
        note(reading, (0, 0), "", _not_a_task(item))
    reading.task = None if _has_errors(reading) else task
    if reading.task:
        _check_constraints(reading)
    reading.problems.sort(key=lambda problem: (problem.line, problem.column))
    return reading


def _text(path: Path, reading: Reading) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except IsADirectoryError:
        note(reading, (0, 0), "", "is a folder; expected a task file")
        return None
    except FileNotFoundError:
        note(reading, (0, 0), "", _absent(path))
        return None
    except (OSError, ValueError) as error:
        said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        note(reading, (0, 0), "", f"cannot be read: {said}")
        return None
    if len(data) > _MAX_BYTES:
        note(reading, (0, 0), "", "is larger than 256 KiB; expected a task file")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        line = before.count("\n") + 1
        note(reading, (line, len(before) - before.rfind("\n")), "", "is not UTF-8 text; save the file as UTF-8")
        return None


def _absent(path: Path) -> str:
    try:
        beside = [each.name for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml", ".json")]
    except OSError:
        return "is not there"
    near = nearest(path.name, beside)
    return f"is not there; did you mean {path.parent / near}?" if near else "is not there"


def _not_a_task(item: nodes.Item | None) -> str:
    what = "expected keys with values, at least engine, model and benchmark"
    if item is None or (isinstance(item, nodes.Mapping) and not item.entries):
        return f"the file is empty; {what}"
    return f"{what}; found {describe(item)}"


def _has_errors(reading: Reading) -> bool:
    return any(problem.severity == "error" for problem in reading.problems)


def _check_constraints(reading: Reading) -> None:
    """Constraints that leave nothing are an error already here; those on `gpus` only where the task lists some."""
    task = reading.task
    if task is None or not task.space.constraints:
        return
    expansion = expand(task.space, len(task.gpus) if task.gpus else None)
    if not expansion.kept:
        first = expansion.excluded[0].reason
        reading.problems.append(
            reading.problem("constraints", f"no configuration is left of {expansion.total:,}: {first}")
        )
        reading.task = None
