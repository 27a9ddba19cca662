"""What comes of a task's text: its rows, its problems, its plan. Computed in a thread, shown as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path as FilePath

import yaml

from tuner_tui.engines.check import check
from tuner_tui.engines.registry import ENGINES
from tuner_tui.report.words import split_common, value_words
from tuner_tui.runs.plan import Estimate, Plan, estimate, plan
from tuner_tui.task.editing import find
from tuner_tui.task.model import Task
from tuner_tui.task.predecessor import is_predecessor
from tuner_tui.task.problem import BadInput, Problem
from tuner_tui.task.reader import read_text
from tuner_tui.task.reading import Reading
from tuner_tui.task.typed import source, typed_values
from tuner_tui.task.yaml_text import Path, dotted
from tuner_tui.ui.launcher import Launcher
from tuner_tui.ui.task.settings import LINKED, SETTINGS, Setting, other_settings


@dataclass(frozen=True)
class FlagRow:
    """A flag with its values as typed. `count` is how many are tried, 0 where they could not be read."""

    key: str
    path: Path
    name: str
    values: str
    count: int


@dataclass(frozen=True)
class SettingRow:
    setting: Setting
    value: str
    given: bool
    """Whether the file says it; else `value` is what holds without."""

    @property
    def key(self) -> str:
        return self.setting.key

    @property
    def path(self) -> Path:
        return self.setting.path


Row = FlagRow | SettingRow


@dataclass(frozen=True)
class Outlook:
    """`task` is None where a problem is an error. `trouble` says why there is no plan, where the text is not at
    fault."""

    text: str
    reading: Reading
    problems: tuple[Problem, ...]
    broken: bool
    """The text cannot be parsed, so there are no rows."""
    foreign: bool
    """A file of the predecessor: shown, planned and started, not edited."""
    flags: tuple[FlagRow, ...]
    settings: tuple[SettingRow, ...]
    task: Task | None = None
    plan: Plan | None = None
    guess: Estimate | None = None
    launches: int = 0
    differing: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    def problem_at(self, key: str) -> Problem | None:
        """The first one at a row, errors before warnings."""
        found = [each for each in self.problems if is_at(each.key, key)]
        return min(found, key=lambda each: each.severity != "error", default=None)


def is_at(problem_key: str, key: str) -> bool:
    """Whether a problem's key is that of a row, or lies below it."""
    return problem_key == key or problem_key.startswith((f"{key}.", f"{key}["))


def judge(text: str, path: FilePath, models_dir: FilePath | None) -> tuple[Reading, list[Problem]]:
    """The reading of a text, and every problem of it in the order of the file."""
    reading = read_text(text, path, models_dir=models_dir)
    return reading, sorted([*reading.problems, *check(reading)], key=lambda each: (each.line, each.column))


def outlook(text: str, path: FilePath, launcher: Launcher) -> Outlook:
    """May take seconds: the machine is asked for its GPUs, and a large grid is expanded."""
    reading, problems = judge(text, path, launcher.models_dir)
    try:
        root = find(text, ())
    except ValueError:
        root = None
    keys = [name for name, _ in _named(root)]
    foreign = is_predecessor(keys)
    shown = Outlook(
        text=text,
        reading=reading,
        problems=tuple(problems),
        broken=not keys,
        foreign=foreign,
        flags=tuple(_flag_rows(text, root, reading)),
        settings=tuple(_foreign_rows(text, root) if foreign else _setting_rows(text, root, reading)),
    )
    task = reading.task
    if task is None or shown.errors:
        return shown
    try:
        gpus = launcher.gpus(task)
        planned = plan(task, gpus)
    except BadInput as error:
        return replace(shown, task=task, trouble="; ".join(each.message for each in error.problems))
    except Exception as error:  # whatever a machine may answer becomes a sentence
        return replace(shown, task=task, trouble=f"no plan can be made: {error}")
    launches = task.search.launches * len(planned.experiments)
    return replace(
        shown,
        task=task,
        plan=planned,
        guess=estimate(task, launches),
        launches=launches,
        differing=tuple(split_common([each.configuration for each in planned.experiments if each.id])[1]),
        trouble="" if planned.experiments else "nothing would be launched: every configuration is excluded",
    )


def unforeseen(text: str, path: FilePath, error: Exception) -> Outlook:
    """What is shown of a text that `outlook` has failed at: it can be edited on, and saved."""
    message = f"the program does not know how to show this text ({type(error).__name__}: {error}); undo leads back"
    reading = Reading(file=str(path), lines=[])
    return Outlook(
        text=text, reading=reading, problems=(reading.problem("", message),), broken=True, foreign=False, flags=(),
        settings=(),
    )  # fmt: skip


def _flag_rows(text: str, root: yaml.Node | None, reading: Reading) -> list[FlagRow]:
    counts = {each.name: len(each.values) for each in reading.space.parameters} if reading.space else {}
    rows = []
    for section in ("parameters", "unchecked"):
        node = _child(root, section)
        for flag, value in _named(node):
            path: Path = (section, flag)
            name = flag + (" (unchecked)" if section == "unchecked" else "")
            rows.append(FlagRow(dotted(path), path, name, typed_values(text, value), counts.get(flag, 0)))
    linked = _child(root, "linked")
    if linked is not None:
        groups = reading.space.linked if reading.space else ()
        names = ", ".join(groups[0]) if groups else ""
        values = " | ".join(" ".join(value_words(group, name) for name in group) for group in groups)
        name = f"linked: {names}" if names else "linked"
        rows.append(FlagRow("linked", ("linked",), name, values or LINKED.shown(text, linked), len(groups)))
    return rows


def _setting_rows(text: str, root: yaml.Node | None, reading: Reading) -> list[SettingRow]:
    rows = []
    for setting in (*SETTINGS, *other_settings(root)):
        node = root
        for part in setting.path:
            node = _child(node, str(part))
        if node is not None and node.start_mark.index < node.end_mark.index:
            rows.append(SettingRow(setting, setting.shown(text, node), True))
            continue
        absent = _without(setting, reading)
        rows.append(SettingRow(setting, absent or "missing", False))
    return rows


def _without(setting: Setting, reading: Reading) -> str:
    """What holds where the file says nothing."""
    task = reading.task
    if setting.path == ("image",) and task is not None and task.backend == "process":
        return "none: a process"
    if setting.path == ("image",) and reading.engine in ENGINES:
        return ENGINES[reading.engine].default_image
    if setting.path == ("gpus",) and reading.engine == "simulated":
        return "none, simulated"
    if setting.path == ("objective",) and task is not None:
        return task.objective.name
    return setting.absent


def _foreign_rows(text: str, root: yaml.Node | None) -> list[SettingRow]:
    """The file's own keys, as they stand."""
    rows = []
    for key, value in _named(root):
        if key == "parameters":
            continue
        if isinstance(value, yaml.MappingNode):
            pairs: list[tuple[Path, yaml.Node]] = [((key, inner), below) for inner, below in _named(value)]
        else:
            pairs = [((key,), value)]
        for path, node in pairs:
            rows.append(SettingRow(Setting(dotted(path), path, ""), source(text, node), True))
    return rows


def _named(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    """What a mapping holds by name; YAML has lists and mappings for keys, too, which the reader calls mistakes."""
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _named(node) if key == name), None)
