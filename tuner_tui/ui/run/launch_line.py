"""The line between the table and the panels: whose figures and log those are."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tuner_tui.report.labels import differing_flags, experiment_label
from tuner_tui.report.words import duration_words
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.run.lines import Styles

_BOLD = Style(bold=True)


def launch_line(
    snapshot: Snapshot,
    experiment: ExperimentState,
    launch: Launch | None,
    width: int,
    style: Styles,
    *,
    live: bool,
) -> Text:
    """`live`: it is under way. `#2 mem-fraction-static 0.8  launch 5 (2 of 3) …`: as much as fits on a line, and on
    the next what came of it, where that is bad."""
    text = Text()
    text.append(f"#{experiment.id} ", _BOLD)
    text.append(experiment_label(experiment, differing_flags(snapshot)), _BOLD)
    if launch is None:
        return text.append("  not launched yet", style("dim"))
    launches = experiment.launches
    place = f" ({launches.index(launch) + 1} of {len(launches)})" if len(launches) > 1 else ""
    text.append(f"  launch {launch.number}{place}", style("dim"))
    more = []
    if live:
        more.append("live")
    elif launch.status in (None, "interrupted") and snapshot.kind == "tune":
        more.append("interrupted; it counts for nothing")
    if launch.gpus:
        more.append(f"GPU {', '.join(map(str, launch.gpus))}")
    if launch.start_s is not None:
        more.append(f"ready in {duration_words(launch.start_s)}")
    if live and launch.url:
        more.append(launch.url)
    for words in more:
        if text.cell_len + 2 + len(words) <= width:
            text.append(f"  {words}", style("dim"))
    disqualifying = next((flag for flag in launch.validity if flag.disqualifies), None)
    if disqualifying is not None:
        text.append(f"\n! invalid, cannot win: {disqualifying.seen}", style("error"))
    elif launch.failure is not None and launch.failure.failure_class != "stopped":
        failure = launch.failure
        text.append(f"\n✗ {failure.failure_class.replace('_', ' ')}: ", style("error") + _BOLD)
        text.append(failure.advice)
        text.append("  a adds it" if failure.fix is not None and snapshot.finished is None else "", style("dim"))
    return text
