"""`tuner-tui try`: one configuration, kept up."""

from __future__ import annotations

from pathlib import Path

import click
import yaml

from tuner_tui.cli.follow import Follower
from tuner_tui.cli.load import load, require_model, usable_gpus
from tuner_tui.cli.run import bad, make_run, require_backend, start_and_follow
from tuner_tui.engines.check import check
from tuner_tui.engines.gpus import gpus_needed
from tuner_tui.engines.launch import served_name
from tuner_tui.runs.events import Experiment
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.plan import plan
from tuner_tui.task.model import Configuration, Parameter, ParameterSpace, Task
from tuner_tui.task.problem import BadInput, Problem
from tuner_tui.task.reading import Reading


def try_task(path: Path, settings: tuple[str, ...], runs_dir: Path | None, models_dir: Path | None) -> int:
    """Launches one configuration and keeps it up until it is stopped or ends; returns the exit code."""
    task = load(path, models_dir)
    gpus = usable_gpus(task, strict=True)
    planned = plan(task, gpus)
    base: Configuration = planned.experiments[0].configuration if planned.experiments else {}
    configuration = _with_settings(task, base, settings)
    folder = prepare_try(task, configuration, runs_dir)

    def on_ready(url: str) -> None:
        click.echo(url)
        click.echo(f"model in requests: {served_name(task, configuration)}; up until Ctrl-C", err=True)

    follower = Follower(folder, on_ready=on_ready)
    code = start_and_follow(folder, follower)
    if code is not None:
        return code
    return 0 if follower.snapshot.finished and follower.snapshot.finished.reason == "stopped" else 1


def prepare_try(
    task: Task, configuration: Configuration, runs_dir: Path | None, *, text: bytes | None = None
) -> RunFolder:
    """The folder of a run that keeps `configuration` up, not started yet. `text`: as for `create_run`. Raises
    BadInput."""
    require_model(task)
    gpus = usable_gpus(task, strict=True)
    needed = gpus_needed(task.engine, configuration) if gpus else 0
    if needed > len(gpus):
        raise bad(task, "", f"the configuration needs {needed} GPUs, {len(gpus)} available")
    require_backend(task)
    experiment = Experiment(id=1, configuration=configuration, gpus_needed=needed)
    return make_run(task, [experiment], [], gpus, runs_dir, kind="try", text=text)


def _with_settings(task: Task, base: Configuration, settings: tuple[str, ...]) -> Configuration:
    """`base` with each FLAG=VALUE put in, its value read as YAML. Raises BadInput."""
    configuration = dict(base)
    problems: list[Problem] = []
    checked: list[Parameter] = []
    for setting in settings:
        flag, equals, text = setting.partition("=")
        flag = flag.strip().lstrip("-")
        if not flag:
            message = "expected FLAG=VALUE, such as --set mem-fraction-static=0.85"
            problems.append(Problem(file="--set", line=0, column=0, key=setting, message=message))
            continue
        try:
            value = yaml.safe_load(text) if equals else True
        except yaml.YAMLError:
            value = text
        same = next((name for name in configuration if name.replace("_", "-") == flag.replace("_", "-")), flag)
        configuration[same] = value
        if all(parameter.checked or parameter.name != same for parameter in task.space.parameters):
            checked.append(Parameter(name=same, values=(value,)))
    reading = Reading(file="--set", lines=[], engine=task.engine, space=ParameterSpace(parameters=tuple(checked)))
    problems += [problem for problem in check(reading) if problem.severity == "error"]
    if problems:
        raise BadInput(problems)
    return configuration
