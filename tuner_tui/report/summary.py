"""The table at the end of a run, best first."""

from __future__ import annotations

import math

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tuner_tui.load.model import Level, LevelMetrics
from tuner_tui.report.words import configuration_words, milliseconds
from tuner_tui.runs.state import ExperimentState, Snapshot
from tuner_tui.search.verdict import Verdict, quantity


def print_summary(snapshot: Snapshot, console: Console) -> None:
    """Prints the table, the verdict, and what was wrong with whatever failed."""
    console.print(summary(snapshot), highlight=False)


def summary(snapshot: Snapshot) -> RenderableType:
    """The whole summary. The best carries a star and a word, not only a colour."""
    verdict = snapshot.verdict
    parts: list[RenderableType] = []
    if snapshot.simulated:
        parts.append(Text("SIMULATED: no model ran; timing follows a performance model", style="yellow"))
    if snapshot.experiments:
        parts.append(_table(snapshot, verdict))
    parts += [_doubt(experiment) for experiment in snapshot.experiments if experiment.status in ("failed", "invalid")]
    if snapshot.finished and snapshot.finished.sentence:
        parts.append(Text(snapshot.finished.sentence, style="red"))
    mark = "★ " if verdict.leader is not None else ""
    parts.append(Text(f"{mark}{verdict.kind}: {verdict.sentence}", style="bold"))
    return Group(*parts)


def _table(snapshot: Snapshot, verdict: Verdict) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("")
    table.add_column("#", justify="right")
    table.add_column("configuration", overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("start", justify="right", no_wrap=True)
    for level in snapshot.levels:
        table.add_column(Text(f"{level.name}\nTTFT  TPOT  tok/s"), justify="right", no_wrap=True)
    for experiment in sorted(snapshot.experiments, key=_rank):
        table.add_row(*_row(snapshot, experiment, verdict))
    return table


def _rank(experiment: ExperimentState) -> tuple[float, int]:
    score = experiment.score.value if experiment.status == "succeeded" and experiment.score else math.inf
    return (score, experiment.id)


def _row(snapshot: Snapshot, experiment: ExperimentState, verdict: Verdict) -> list[Text]:
    mark, style = "", ""
    if experiment.id == verdict.leader:
        mark, style = ("≈ tied" if verdict.kind == "tie" else "★ best"), "bold green"
    elif experiment.id in verdict.tied_with:
        mark = "≈ tied"
    launch = experiment.counted[-1] if experiment.counted else None
    score: str = experiment.status
    if experiment.status == "succeeded" and experiment.score is not None:
        score = quantity(snapshot.objective, experiment.score.value)
    start = "–" if launch is None or launch.start_s is None else f"{launch.start_s:.1f} s"
    measured = {} if launch is None else {(r.scenario, r.concurrency): r.metrics for r in launch.results}
    cells = [mark, str(experiment.id), configuration_words(experiment.configuration), score, start]
    cells += [_level(level, measured.get((level.scenario, level.concurrency))) for level in snapshot.levels]
    return [Text(cell, style=style) for cell in cells]


def _level(level: Level, metrics: LevelMetrics | None) -> str:
    if metrics is None:
        return "–"
    ttft = milliseconds(metrics.ttft_s.mean if metrics.ttft_s else None)
    tpot = milliseconds(metrics.tpot_s.mean if metrics.tpot_s else None)
    return f"{ttft}  {tpot}  {metrics.output_tokens_per_s:.0f}"


def _doubt(experiment: ExperimentState) -> Text:
    """One line on why an experiment cannot win."""
    launch = experiment.counted[-1]
    if launch.failure is not None:
        line = f" | {launch.failure.line.strip()}" if launch.failure.line else ""
        words = f"#{experiment.id} failed ({launch.failure.failure_class}): {launch.failure.reason}{line}"
    else:
        flags = [flag for flag in launch.validity if flag.disqualifies]
        words = f"#{experiment.id} invalid: " + "; ".join(f"{flag.level}: {flag.seen}; {flag.advice}" for flag in flags)
    return Text(words, style="red")
