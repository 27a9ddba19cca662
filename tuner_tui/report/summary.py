"""The tables at the end of a run, best first."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tuner_tui.load.model import LevelResult
from tuner_tui.report.labels import differing_flags
from tuner_tui.report.words import (
    KIND_SIGNS,
    configuration_words,
    duration_words,
    load_words,
    milliseconds,
    split_common,
    value_words,
)
from tuner_tui.runs.progress import mean_launch_s
from tuner_tui.runs.state import ExperimentState, Snapshot
from tuner_tui.search.confirm import MOST
from tuner_tui.search.verdict import Verdict
from tuner_tui.search.words import quantity, rate_unit


def print_summary(snapshot: Snapshot, console: Console) -> None:
    """Prints the tables, the verdict, and what was wrong with whatever failed."""
    console.print(summary(snapshot), highlight=False)


def summary(snapshot: Snapshot) -> RenderableType:
    """The whole summary, 80 columns wide or less where the flags allow. The best carries a star and a word, not only
    a colour."""
    verdict = snapshot.verdict
    differing = differing_flags(snapshot)
    common, _ = split_common([experiment.configuration for experiment in snapshot.experiments if experiment.id != 0])
    places = {experiment: place for place, experiment in enumerate(verdict.ranking)}
    last = len(places)
    ranked = sorted(snapshot.experiments, key=lambda each: (places.get(each.id, last), each.id))
    parts: list[RenderableType] = []
    if snapshot.simulated:
        parts.append(Text("SIMULATED: no model ran; timing follows a performance model", style="yellow"))
    if any(experiment.counted for experiment in snapshot.experiments):
        parts.append(_ranking(snapshot, ranked, differing, verdict))
        measured = [experiment for experiment in ranked if experiment.counted and experiment.counted[-1].results]
        if measured:
            parts.append(_levels(snapshot, measured))
            if tools := snapshot.other_tools:
                parts.append(Text(f"measured by {', '.join(tools)}, by its definitions", style="dim"))
        if common:
            every = "all: " if len(snapshot.experiments) > 1 else ""
            parts.append(Text(every + configuration_words(common), style="dim"))
        if snapshot.baseline == 0:
            parts.append(Text("#0 is the baseline: none of the searched flags", style="dim"))
    parts += [_doubt(experiment) for experiment in snapshot.experiments if experiment.status in ("failed", "invalid")]
    for experiment in ranked:
        for check in experiment.limits[:1]:
            # A single one that breaks a limit is in the verdict's sentence.
            if check.standing != "keeps" and verdict.breaks != (experiment.id,):
                words = "breaks a limit" if check.standing == "breaks" else "may break a limit"
                parts.append(Text(f"#{experiment.id} {words}: {check}", style="red" if words[0] == "b" else "yellow"))
    if snapshot.finished and snapshot.finished.sentence:
        parts.append(Text(snapshot.finished.sentence, style="red"))
    parts.append(Text(f"{KIND_SIGNS[verdict.kind]} {verdict.kind}: {verdict.sentence}", style="bold"))
    if verdict.evidence:
        parts.append(Text(verdict.evidence, style="dim"))
    offer = snapshot.confirmation
    if offer is not None and snapshot.kind == "tune" and snapshot.finished and snapshot.finished.reason == "finished":
        about = duration_words((mean_launch_s(snapshot) or 0.0) * offer.launches * len(offer.experiments))
        worth_it = offer.launches < MOST
        parts.append(Text(offer.sentence + (f" About {about}: tuner-tui confirm {snapshot.run}" if worth_it else "")))
    return Group(*parts)


def _ranking(
    snapshot: Snapshot, ranked: Sequence[ExperimentState], differing: Sequence[str], verdict: Verdict
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("#", justify="right", no_wrap=True)
    for name in differing:
        table.add_column(_broken(name), justify="right", overflow="fold", min_width=6)
    repeated = any(len(experiment.counted) > 1 for experiment in ranked)
    differences = {difference.experiment: str(difference) for difference in verdict.differences} if repeated else {}
    if repeated:
        table.add_column("launches", justify="right", no_wrap=True)
    unit = rate_unit(snapshot.objective)
    table.add_column("\n".join(["score", *unit.split(" ", 1)]).strip(), justify="right", no_wrap=True)
    if differences:
        table.add_column("to the best", justify="right", no_wrap=True)
    else:
        table.add_column("start", justify="right", no_wrap=True)
        table.add_column("KV tokens", justify="right", no_wrap=True)
    for experiment in ranked:
        mark, style = "", ""
        if experiment.id == verdict.leader:
            mark = {"tie": "≈ tied", "borderline": "? limit"}.get(verdict.kind, "★ best")
            style = "bold green"
        elif experiment.id in verdict.tied_with:
            mark = "≈ tied"
        elif experiment.id in verdict.breaks:
            mark, style = "✗ limit", "red"
        elif experiment.id in verdict.borderline:
            mark = "? limit"
        elif experiment.baseline:
            mark = "baseline"
        launch = experiment.counted[-1] if experiment.counted else None
        score: str = experiment.status
        if experiment.outcome == "succeeded" and experiment.score is not None:
            score = quantity(snapshot.objective, experiment.score.value).removesuffix(f" {unit}")
        start = "–" if launch is None or launch.start_s is None else f"{launch.start_s:.1f} s"
        tokens = launch.memory.kv_cache_tokens if launch is not None else None
        cells = [mark, str(experiment.id), *(value_words(experiment.configuration, name) for name in differing)]
        if repeated:
            cells.append(str(len(experiment.counted)))
        cells.append(score)
        if differences:
            cells.append(differences.get(experiment.id, ""))
        else:
            cells += [start, "–" if tokens is None else f"{tokens:,}"]
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _levels(snapshot: Snapshot, ranked: Sequence[ExperimentState]) -> Table:
    """One block a level: what each configuration did there."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("level")  # the one that may be broken: of many words, not of figures
    for name in ("#", "requests", "TTFT\nmean", "TPOT\nmean", "E2E\nmean", "tok/s"):
        table.add_column(name, justify="right", no_wrap=True)
    for level in snapshot.levels:
        name = level.name
        for experiment in ranked:
            for result in experiment.counted[-1].results:
                if result.name == level.name:
                    who = str(experiment.id) if result.sought is None else f"{experiment.id} {load_words(result)}"
                    table.add_row(*(Text(cell) for cell in (name, who, *_figures(result))))
                    name = ""
    return table


def _broken(flag: str, width: int = 14) -> str:
    """A flag's name in lines of at most `width` characters where its hyphens allow."""
    lines = [""]
    for part in flag.replace("-", "-\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _figures(result: LevelResult) -> list[str]:
    metrics = result.metrics
    means = [each.mean if each else None for each in (metrics.ttft_s, metrics.tpot_s, metrics.e2e_s)]
    return [str(result.requests), *(milliseconds(mean) for mean in means), f"{metrics.output_tokens_per_s:.0f}"]


def _doubt(experiment: ExperimentState) -> Text:
    """One line on why an experiment cannot win."""
    launch = experiment.counted[-1]
    if launch.failure is not None:
        line = f" | {launch.failure.line.strip()}" if launch.failure.line else ""
        words = f"#{experiment.id} {launch.failure.words}{line}"
    else:
        flags = [flag for flag in launch.validity if flag.disqualifies]
        words = f"#{experiment.id} invalid: " + "; ".join(f"{flag.level}: {flag.seen}; {flag.advice}" for flag in flags)
    return Text(words, style="red")
