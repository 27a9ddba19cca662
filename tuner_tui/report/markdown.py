"""report.md: one page for a colleague who was not there. GitHub's Markdown, readable as it is too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuner_tui.load.model import Distribution
from tuner_tui.report.deployment import chosen_experiment, launch_command
from tuner_tui.report.labels import differing_flags
from tuner_tui.report.words import (
    configuration_words,
    duration_words,
    load_words,
    milliseconds,
    split_common,
    value_with_unit,
    value_words,
)
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.search.limits import worst
from tuner_tui.search.verdict import metric_name, quantity

_MOST_ROWS = 100
"""Experiments in a table; results.csv has them all."""


def report(snapshot: Snapshot) -> bytes:
    """The page, in UTF-8."""
    parts = [
        _head(snapshot),
        _verdict(snapshot),
        _ranking(snapshot),
        _levels(snapshot),
        _winner(snapshot),
        _doubts(snapshot),
        _environment(snapshot),
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def _head(snapshot: Snapshot) -> str:
    task = snapshot.task
    lines = [f"# {_plain(task.name)}"]
    if snapshot.simulated:
        lines.append("> **SIMULATED**: no model ran; timing follows a performance model.")
    if task.description:
        lines.append(_plain(task.description))
    levels = ", ".join(level.name for level in snapshot.levels)
    goal = f"{task.objective.direction} {metric_name(task.objective)}"
    limits = ", ".join(f"{limit.name} ≤ {milliseconds(limit.most_s)}" for limit in task.limits)
    sought = f"Sought: {goal}" + (f", with {limits}" if limits else "") + f". Traffic: {levels}"
    if task.benchmark.max_requests:
        sought += f", {task.benchmark.max_requests} requests each"
    if task.benchmark.max_time_s:
        sought += f", {duration_words(task.benchmark.max_time_s)} at most each"
    lines.append(f"{task.engine}, model `{task.model.given}`. {sought}.")
    return "\n\n".join(lines)


def _verdict(snapshot: Snapshot) -> str:
    verdict = snapshot.verdict
    provisional = ", provisional" if verdict.provisional else ""
    lines = ["## Verdict", f"**{verdict.kind}{provisional}**: {_plain(verdict.sentence)}"]
    if verdict.evidence:
        lines.append(_plain(verdict.evidence))
    return "\n\n".join(lines)


def _ranking(snapshot: Snapshot) -> str:
    verdict = snapshot.verdict
    by_id = {each.id: each for each in snapshot.experiments}
    others = [each.id for each in snapshot.experiments if each.id not in verdict.ranking and each.counted]
    ids = [*verdict.ranking, *others]
    if not ids:
        return ""
    differing = differing_flags(snapshot)
    to_best = {each.experiment: str(each) for each in verdict.differences}
    to_baseline = {each.experiment: str(each) for each in verdict.against_baseline}
    head = ["", "#", *(f"`{name}`" for name in differing), "launches", metric_name(snapshot.objective), "to the best"]
    if to_baseline:
        head.append("to the baseline")
    if snapshot.task.limits and snapshot.objective.gates:
        head.append("limits")
    rows = []
    for each in ids[:_MOST_ROWS]:
        experiment = by_id[each]
        row = [_mark(snapshot, experiment), str(each)]
        row += [value_words(experiment.configuration, name) for name in differing]
        row.append(str(len(experiment.counted)))
        row.append(_score(snapshot, experiment))
        row.append(to_best.get(each, ""))
        if to_baseline:
            row.append("baseline" if experiment.baseline else to_baseline.get(each, ""))
        if snapshot.task.limits and snapshot.objective.gates:
            row.append(_limits(experiment))
        rows.append(row)
    lines = ["## Configurations", _table(head, rows)]
    if len(ids) > _MOST_ROWS:
        lines.append(f"{len(ids) - _MOST_ROWS:,} more are in results.csv.")
    common, _ = split_common([each.configuration for each in snapshot.experiments])
    if common:
        lines.append(f"All: {_plain(configuration_words(common))}.")
    return "\n\n".join(lines)


def _mark(snapshot: Snapshot, experiment: ExperimentState) -> str:
    verdict = snapshot.verdict
    if experiment.id == verdict.leader:
        return "≈ tied" if verdict.kind == "tie" else "★ best" if verdict.kind == "winner" else "★ ahead"
    if experiment.id in verdict.tied_with:
        return "≈ tied"
    return "" if experiment.id in verdict.ranking else experiment.status


def _score(snapshot: Snapshot, experiment: ExperimentState) -> str:
    return "–" if experiment.score is None else quantity(snapshot.objective, experiment.score.value)


def _limits(experiment: ExperimentState) -> str:
    """The worst limit in words."""
    if not experiment.limits:
        return "–"
    standing = worst(experiment.limits)
    return standing if standing == "keeps" else f"{standing}: {experiment.limits[0]}"


def _levels(snapshot: Snapshot) -> str:
    """The last launch of those at the head of the ranking, level by level."""
    by_id = {each.id: each for each in snapshot.experiments}
    shown = [by_id[each] for each in snapshot.verdict.ranking[:10]]
    rows = []
    for level in snapshot.levels:
        for experiment in shown:
            for result in experiment.counted[-1].results:
                if result.name != level.name:
                    continue
                metrics = result.metrics
                rows.append(
                    [
                        level.name if result.sought is None else f"{level.name} = {load_words(result)}",
                        str(experiment.id),
                        str(result.requests),
                        *_latencies(metrics.ttft_s),
                        *_latencies(metrics.tpot_s),
                        *_latencies(metrics.e2e_s),
                        value_with_unit(metrics.output_tokens_per_s, "tokens/s"),
                    ]
                )
    if not rows:
        return ""
    head = ["level", "#", "requests", "TTFT mean", "p99", "TPOT mean", "p99", "E2E mean", "p99", "output"]
    note = "Of the last launch of each; `*`: a percentile with too few requests behind it."
    return "\n\n".join(["## Levels", _table(head, rows), note])


def _latencies(distribution: Distribution | None) -> tuple[str, str]:
    if distribution is None:
        return "–", "–"
    doubt = "*" if "p99" in distribution.too_few_samples else ""
    return milliseconds(distribution.mean), milliseconds(distribution.p99) + doubt


def _winner(snapshot: Snapshot) -> str:
    leader = chosen_experiment(snapshot)
    if leader is None or not leader.flags_known:
        return ""
    command = launch_command(snapshot, leader)
    return f"## To serve with #{leader.id}\n\n```sh\n{command}\n```"


def _doubts(snapshot: Snapshot) -> str:
    """What bars a configuration, then what is to be known of the others' figures; each once for all launches."""
    lines: dict[str, list[str]] = {}
    for experiment in snapshot.experiments:
        for launch in experiment.counted:
            who = f"#{experiment.id}" if len(experiment.counted) == 1 else f"#{experiment.id} (launch {launch.number})"
            if launch.failure is not None:
                lines.setdefault(launch.failure.words, []).append(who)
            for flag in launch.validity:
                kind = "not valid" if flag.disqualifies else "note"
                at = f" at {flag.level}" if flag.level else ""
                words = f"{kind}, {flag.name}{at}: {flag.seen} (threshold: {flag.threshold}); {flag.advice}"
                lines.setdefault(words, []).append(who)
    ordered = sorted(lines, key=lambda line: line.startswith("note"))
    if not ordered:
        return "## Validity\n\nNo doubts: lengths, failures, caches and sample sizes were all in order."
    items = [f"- {_few(lines[line])}: {_plain(line)}" for line in ordered]
    return "## Validity\n\n" + "\n".join(items)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _environment(snapshot: Snapshot) -> str:
    return "\n".join(["## Measured", "", *(f"- {line}" for line in _environment_lines(snapshot))])


def _environment_lines(snapshot: Snapshot) -> Iterator[str]:
    yield f"run `{snapshot.run}`, tuner-tui {snapshot.version}, seed {snapshot.seed}"
    began = snapshot.started_at or snapshot.created_at
    if snapshot.kind == "import":
        yield f"{began:%Y-%m-%d %H:%M} UTC, read from the results of another program; nothing was launched"
    else:
        yield f"{began:%Y-%m-%d %H:%M} UTC, {duration_words(snapshot.elapsed_s)} under a runner"
    if snapshot.other_tools:
        yield f"by {', '.join(snapshot.other_tools)}, by its definitions"
    yield f"{snapshot.launches_done} launches of {snapshot.launches_planned} planned"
    if snapshot.image is not None:
        digest = snapshot.image.image_digest or snapshot.image.image_id
        yield f"image `{snapshot.image.name}`" + (f" (`{digest}`)" if digest else "")
    elif snapshot.task.backend == "process" and snapshot.kind != "import":
        yield "as a process of the machine"
    gpus = ", ".join(map(str, snapshot.gpus))
    yield f"GPUs {gpus}" if gpus else "no GPU asked for"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(_cell(each) for each in head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(each) for each in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """One line, in which nothing an engine or a task said becomes markup: no HTML, no image, no line of its own."""
    return " ".join(text.split()).replace("<", "&lt;").replace("![", "!\\[")
