"""`tuner-tui import`: results of genai-bench, or of the predecessor, made into a run and judged."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tuner_tui.cli.run import no_run_folder
from tuner_tui.engines.load_task import load_task
from tuner_tui.load.model import Distribution, LevelResult
from tuner_tui.report.files import write_results
from tuner_tui.report.results import results_json
from tuner_tui.report.words import milliseconds
from tuner_tui.runs.folder import default_runs_dir
from tuner_tui.runs.imported import make_imported_run, task_of
from tuner_tui.runs.state import Snapshot
from tuner_tui.runs.stored import EngineName, read_stored
from tuner_tui.runs.view import read_run
from tuner_tui.task.goal import NAMED
from tuner_tui.task.model import Task


def import_results(
    paths: Sequence[Path],
    *,
    task_file: Path | None,
    engine: EngineName | None,
    objective: str | None,
    runs_dir: Path | None,
    as_json: bool,
) -> int:
    """Makes the run and shows it; exit code 0 where there is a leader, 1 where not, 2 for what cannot be read.

    Raises BadInput for a bad task file.
    """
    given: Task | None = None
    if task_file is not None:
        given, _ = load_task(task_file, None)  # what a launch of it would want is no matter here
    try:
        stored = read_stored(paths)
        name = engine or (given.engine if given else None) or stored.engine
        if name is None:
            raise ValueError(f"{paths[0]}: the files do not tell the engine; say --engine sglang or --engine vllm")
        wanted = NAMED[objective] if objective else given.objective if given else NAMED["minimize_latency"]
        task = task_of(stored, objective=wanted, engine_name=name, given=given)
    except ValueError as error:
        click.echo(f"tuner-tui: {error}", err=True)
        return 2
    where = (runs_dir or default_runs_dir()).expanduser()
    try:
        folder = make_imported_run(stored, task, where, task_file)
        snapshot = read_run(folder)
        write_results(snapshot, folder)
    except OSError as error:
        click.echo(f"tuner-tui: {no_run_folder(where, error)}", err=True)
        return 2
    _show(snapshot, as_json=as_json)
    click.echo(f"run: {folder.path}", err=True)
    return 0 if snapshot.verdict.leader is not None else 1


def _show(snapshot: Snapshot, *, as_json: bool) -> None:
    from rich.console import Console

    from tuner_tui.report.summary import print_summary

    if as_json:
        sys.stdout.buffer.write(results_json(snapshot))
        sys.stdout.buffer.flush()
    console = Console(stderr=as_json)
    print_summary(snapshot, console)
    for line in scatter_words(snapshot):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def scatter_words(snapshot: Snapshot) -> list[str]:
    """Why two single launches are tied: their scatter within a level beside the difference that was to be seen."""
    verdict, objective = snapshot.verdict, snapshot.objective
    metric = {"e2e": "e2e_s", "ttft": "ttft_s", "tpot": "tpot_s"}.get(objective.metric)
    if verdict.kind != "tie" or verdict.leader is None or metric is None or objective.statistic != "mean":
        return []
    pair = {
        each.id: each.launches for each in snapshot.experiments if each.id in (verdict.leader, verdict.tied_with[0])
    }
    first, second = pair[verdict.leader], pair[verdict.tied_with[0]]
    if len(first) != 1 or len(second) != 1 or first[0].score is None or second[0].score is None:
        return []
    apart = abs(second[0].score.value - first[0].score.value)
    lines = [
        f"Their scores are {milliseconds(apart)} apart.",
        "Single requests scatter by far more (mean ± standard deviation):",
    ]
    for one, other in zip(first[0].results, second[0].results, strict=False):
        here, there = _distribution(one, metric), _distribution(other, metric)
        if here is not None and there is not None and one.level == other.level:
            requests = f"{here.n} requests each" if here.n == there.n else f"{here.n} and {there.n} requests"
            words = f"{_scatter(verdict.leader, here)}, {_scatter(verdict.tied_with[0], there)}, {requests}"
            lines.append(f"  {one.name}: {words}")
    lines.append("As far as these figures go, the order of the two is chance.")
    return lines


def _distribution(result: LevelResult, metric: str) -> Distribution | None:
    found: Distribution | None = getattr(result.metrics, metric)
    return found


def _scatter(experiment: int, found: Distribution) -> str:
    return f"#{experiment} {milliseconds(found.mean)} ± {milliseconds(found.std)}"
