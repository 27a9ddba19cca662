"""`tuner-tui plan`."""

from __future__ import annotations

from pathlib import Path

import click

from tuner_tui.cli.load import load, require_dataset, require_tool, usable_gpus
from tuner_tui.engines.launch import launch_spec
from tuner_tui.report.words import configuration_words, duration_words
from tuner_tui.runs.events import hours, levels_of
from tuner_tui.runs.plan import estimate, plan
from tuner_tui.search.words import metric_name, seconds


def show_plan(path: Path, models_dir: Path | None) -> None:
    """Prints the plan to standard output; warnings to standard error. Raises BadInput."""
    task = load(path, models_dir)
    require_tool(task)
    notes = require_dataset(task)
    gpus = usable_gpus(task, strict=False)
    planned = plan(task, gpus)
    launches = task.search.launches * len(planned.experiments)
    guess = estimate(task, launches)

    levels = levels_of(task)
    click.echo(f"{task.name}: {task.engine}, model {task.model.given}, by {_where(task.backend)}")
    if task.engine == "simulated":
        click.echo("SIMULATED: no model runs; timing follows a performance model")
    configurations = _count(len(planned.experiments), "configuration")
    each = "1 launch" if task.search.launches == 1 else f"{task.search.launches} launches"
    click.echo(f"{configurations}, {each} each; objective: {task.objective.direction} {metric_name(task.objective)}")
    if task.limits:
        click.echo(
            "limits at every level: " + ", ".join(f"{each.name} ≤ {seconds(each.most_s)}" for each in task.limits)
        )
    click.echo(f"{_count(len(levels), 'level')}: " + ", ".join(level.name for level in levels))
    if task.benchmark.tool != "builtin":
        click.echo(f"measured by {task.benchmark.tool}")
    if gpus:
        names = ", ".join(map(str, gpus))
        click.echo(f"GPUs: up to {planned.gpus_needed} at a time, of {names}")
    else:
        click.echo("GPUs: no GPU asked for" if task.gpus == () or task.engine == "simulated" else "GPUs: no GPU")
    click.echo(
        f"time: about {duration_words(guess.total_s)} "
        f"(a start {duration_words(guess.start_s)}, load {duration_words(guess.load_s)} a launch; a guess)"
    )
    if task.search.budget_s is not None:
        click.echo(f"budget: {hours(task.search.budget_s)}; no launch begins that would not end within it")
    for note in (*planned.notes, *notes):
        click.echo(f"note: {note}")
    if planned.excluded:
        click.echo(f"\n{len(planned.excluded)} excluded:")
        for excluded in planned.excluded:
            click.echo(f"  {configuration_words(excluded.configuration)}: {excluded.reason}")
    for experiment in planned.experiments:
        spec = launch_spec(task, experiment.configuration, gpus[: experiment.gpus_needed])
        baseline = ", the baseline" if experiment.baseline else ""
        click.echo(f"\n#{experiment.id}  {configuration_words(experiment.configuration)}{baseline}")
        click.echo(f"  {spec.shell_line()}")
    if not planned.experiments:
        click.echo("\nnothing would be launched: every configuration is excluded", err=True)


def _where(backend: str) -> str:
    return "Docker" if backend == "docker" else "a process of this machine"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
