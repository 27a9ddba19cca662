"""Configurations that are to join a run, from what a person typed: one value a flag, or several to combine."""

from __future__ import annotations

import itertools
import json

from tuner_tui.engines.check import check
from tuner_tui.report.labels import differing_flags
from tuner_tui.report.words import label
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.task.model import Configuration, Parameter, ParameterSpace, Value
from tuner_tui.task.nodes import Listing, compose, plain
from tuner_tui.task.reading import Reading
from tuner_tui.task.typed import list_yaml, pieces
from tuner_tui.task.yaml_text import canonical
from tuner_tui.ui.ask import Judged, Line

MORE = "other flags"
_MOST = 100


def lines_for(snapshot: Snapshot, experiment: ExperimentState) -> list[Line]:
    """The flags that differ, with the values of `experiment`; where its last launch failed and its mending is known,
    with those in place."""
    configuration = dict(experiment.configuration)
    fix = experiment.failure.fix if experiment.failure is not None else None
    changed: dict[str, Value] = {}
    if fix is not None:
        changed = {name: value for name, value in fix.set.items() if not isinstance(value, dict)}
    differing = differing_flags(snapshot)
    shown = {**configuration, **{_same(name, dict.fromkeys(differing)): value for name, value in changed.items()}}
    lines = [Line(name, name, _written(shown[name]) if name in shown else "", "absent") for name in differing]
    beside = [
        f"{name}={_written(value)}"
        for name, value in changed.items()
        if _same(name, dict.fromkeys(differing)) not in differing
    ]
    if fix is not None:
        beside += [f"{name}=" for name in fix.remove if name not in differing]
        lines = [line._replace(value="") if line.key in fix.remove else line for line in lines]
    return [*lines, Line(MORE, MORE, " ".join(beside), "flag=value flag=value, flag= takes it out")]


def judge(
    snapshot: Snapshot, base: Configuration, typed: dict[str, str]
) -> Judged[tuple[Configuration, ...]]:  # fmt: skip
    """`typed`: flag → text, and `MORE`. Checked against the engine's catalogue and what the run has already."""
    try:
        values = _read(typed, base)
    except ValueError as error:
        return Judged(None, str(error))
    fixed = {name: value for name, value in base.items() if name not in values}
    found: list[Configuration] = []
    for combination in itertools.product(*values.values()):
        chosen = {name: value for name, value in zip(values, combination, strict=True) if value is not _ABSENT}
        order = [*base, *(name for name in values if name not in base)]
        both = {**fixed, **chosen}
        found.append({name: both[name] for name in order if name in both})  # type: ignore[misc]
        if len(found) > _MOST:
            return Judged(None, f"more than {_MOST} configurations; give fewer values")
    if problem := _problem(snapshot, found):
        return Judged(None, problem)
    there = {each.id: each.configuration for each in snapshot.experiments}
    new = [each for each in found if each not in there.values()]
    if not new:
        same = next(number for number, each in there.items() if each == found[0])
        return Judged(None, f"#{same} is that already; + launches it once more")
    differing = sorted({name for each in (*there.values(), *new) for name in each if _differs(name, there, new)})
    words = "; ".join(label(each, differing) for each in new[:3]) + (" …" if len(new) > 3 else "")
    return Judged(tuple(new), f"{len(new)} configuration{'s' if len(new) > 1 else ''}: {words}")


_ABSENT = object()


def _differs(name: str, there: dict[int, Configuration], new: list[Configuration]) -> bool:
    values = [each.get(name) for each in (*there.values(), *new)]
    return any(value != values[0] for value in values)


def _read(typed: dict[str, str], base: Configuration) -> dict[str, list[object]]:
    """Flag → the values to combine. Raises ValueError with a sentence."""
    texts = {name: text for name, text in typed.items() if name != MORE}
    for part in _flags(typed.get(MORE, "")):
        flag, equals, text = part.partition("=")
        flag = flag.lstrip("-")
        if not flag:
            raise ValueError(f"{part}: expected flag=value")
        texts[_same(flag, {**base, **texts})] = text if equals else "true"
    return {name: _values(name, text) for name, text in texts.items()}


def _flags(typed: str) -> list[str]:
    """Split at blanks, but not after a comma, nor within brackets or quotes."""
    found: list[str] = []
    for piece in pieces(typed, " "):
        if found and found[-1].endswith(","):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def _values(name: str, text: str) -> list[object]:
    """As the values of a flag in the grid are read. Raises ValueError with a sentence."""
    if not text.strip():
        return [_ABSENT]
    item, faults = compose(list_yaml(pieces(text)))
    if faults or not isinstance(item, Listing):
        raise ValueError(f"{name}: {text!r} cannot be read; expected a value, or several with commas")
    return [plain(each) for each in item.items]


def _same(name: str, known: dict[str, object] | dict[str, Value] | Configuration) -> str:
    """The name under which the configuration has this flag: dashes and underscores are one."""
    return next((each for each in known if each.replace("_", "-") == name.replace("_", "-")), name)


def _problem(snapshot: Snapshot, configurations: list[Configuration]) -> str:
    unchecked = {each.name for each in snapshot.task.space.parameters if not each.checked}
    values: dict[str, list[Value]] = {}
    for configuration in configurations:
        for name, value in configuration.items():
            if name not in unchecked and value not in values.setdefault(name, []):
                values[name].append(value)
    parameters = tuple(Parameter(name=name, values=tuple(each)) for name, each in values.items())
    reading = Reading(
        file="", lines=[], engine=snapshot.task.engine, space=ParameterSpace(parameters=parameters)
    )  # fmt: skip
    problem = next((each for each in check(reading) if each.severity == "error"), None)
    if problem is None:
        return ""
    name = problem.key.removeprefix("parameters.").partition("[")[0]
    return f"{name}: {problem.message}"


def _written(value: Value) -> str:
    """As it is typed and read again: a text in quotes where it would be read as something else."""
    as_json = json.dumps(value, ensure_ascii=False)
    plainly = "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list) else str(value)
    tries = [plainly, "'" + plainly.replace("'", "''") + "'"] if isinstance(value, str | list | float) else []
    return next((each for each in tries if canonical(_values("", each)) == canonical([value])), as_json)
