"""The two lines at the top: is it going well?"""

from __future__ import annotations

from datetime import datetime

from rich.style import Style
from rich.text import Text

from tuner_tui.report.words import duration_words
from tuner_tui.runs.progress import progress
from tuner_tui.runs.samples import Sample
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import RunView
from tuner_tui.search.verdict import quantity
from tuner_tui.ui.kind import kind_text
from tuner_tui.ui.run.bar import bar
from tuner_tui.ui.run.lines import Styles
from tuner_tui.ui.run.phase import phase_words

_SEPARATOR = "  "
_BOLD = Style(bold=True)


def head_text(
    view: RunView,
    width: int,
    style: Styles,
    *,
    now: datetime,
    preparing: Sample | None = None,
    last_words: str = "",
    replay: str = "",
) -> Text:
    """`now`: the moment shown. `preparing`: how far a pull or a download is. `last_words`: the runner's, should it have
    died. `replay`: how it is played back."""
    snapshot = view.snapshot
    assert snapshot is not None
    text = Text(no_wrap=True, overflow="ellipsis")
    name = Text(snapshot.task.name, "bold")
    name.truncate(width // 3, overflow="ellipsis")  # whole in the folder's name, above
    text.append_text(name)
    if snapshot.simulated:
        text.append(_SEPARATOR)
        text.append("SIMULATED", style("simulated"))
    if replay:
        text.append(_SEPARATOR)
        text.append(replay, "bold")
    text.append(_SEPARATOR)
    if view.alive:
        _under_way(text, snapshot, width, style, now=now, preparing=preparing)
    else:
        _over(text, view, snapshot, style, last_words)
    text.append("\n")
    if snapshot.kind == "try":
        return text.append("one configuration, kept up until it is stopped; nothing is compared", style("dim"))
    if view.trouble:
        return text.append(f"✗ {view.trouble}", style("error"))
    return text.append_text(verdict_text(snapshot, style))


def _under_way(
    text: Text, snapshot: Snapshot, width: int, style: Styles, *, now: datetime, preparing: Sample | None
) -> None:
    if snapshot.stopping:
        text.append("stopping", style("warning") + _BOLD)
        text.append(": the server is given time to end")
        return
    if snapshot.paused:
        text.append("‖ paused", style("warning") + _BOLD)
        rest = ", the launch under way is finished" if snapshot.launch is not None else ""
        text.append(f"{rest}; space goes on")
        return
    if snapshot.kind == "try":
        launch = snapshot.launch
        text.append("try: " + (launch.phase if launch is not None and launch.start_s is None else "up"))
        return
    if snapshot.preparation is not None:
        what = f"{snapshot.preparation.what} {snapshot.preparation.name}"
        phase = preparing.phase if preparing is not None else None
        text.append(phase_words(phase, now, 60) if phase is not None else f"preparing the {what}")
        return
    made = progress(snapshot, now)
    number = min(made.done + (1 if snapshot.launch is not None else 0), made.planned)
    words = f"launch {number} of {made.planned}" if snapshot.launch is not None else f"{made.done} of {made.planned}"
    sure = "over " if made.late else "about " if made.guessed else ""
    left = f"ETA {sure}{duration_words(made.left_s)}" if made.left_s >= 1 else "ETA now"
    figures = f" {made.share:4.0%}"
    room = width - text.cell_len - len(words) - len(figures) - len(left) - 3
    text.append(words + " ")
    if room >= 6:
        text.append(f"▕{bar(made.share, min(30, room - 2))}▏")
    text.append(f"{figures}  {left}")


def _over(text: Text, view: RunView, snapshot: Snapshot, style: Styles, last_words: str) -> None:
    done = f"{snapshot.launches_done} of {snapshot.launches_planned} launches"
    took = f" in {duration_words(snapshot.elapsed_s)}"
    tuned = snapshot.kind == "tune"
    after, again = (f" after {done}", "; r resumes") if tuned else ("", "")
    finished = snapshot.finished
    if view.trouble:
        text.append("✗ not followed any more", style("error") + _BOLD)
        text.append(after)
    elif view.condition == "died":
        text.append("✗ the runner died", style("error") + _BOLD)
        said = f"; it last said: {last_words}" if last_words else ""
        text.append(f"{after}{said}{again}")
    elif view.condition == "stopped":
        text.append("stopped", style("warning") + _BOLD)
        text.append(f"{after}{again}")
    elif view.condition == "failed":
        text.append("✗ failed", style("error") + _BOLD)
        why = f": {finished.sentence}" if finished is not None and finished.sentence else ""
        text.append(f"{why}{again}")
    elif snapshot.kind == "import":
        text.append(f"imported, {len(snapshot.experiments)} experiments")
    else:
        text.append(f"finished, {done}{took}")


def verdict_text(snapshot: Snapshot, style: Styles) -> Text:
    """Short while it may change, in full at the end."""
    verdict = snapshot.verdict
    if verdict.leader is None:
        return Text(verdict.sentence, style("dim"), no_wrap=True, overflow="ellipsis")
    text = Text(no_wrap=True, overflow="ellipsis")
    if not verdict.provisional:
        text.append_text(kind_text(verdict, style))
        return text.append(f"  {verdict.sentence}")
    mark, name = ("≈", "tied") if verdict.kind == "tie" else ("★", "winner")
    leader = next(each for each in snapshot.experiments if each.id == verdict.leader)
    score = quantity(snapshot.objective, leader.score.value) if leader.score is not None else ""
    text.append(f"{mark} #{leader.id} {score}", style(name) + _BOLD)
    others = len(verdict.tied_with)
    tied = f", tied with {others} other{'s' if others > 1 else ''}" if verdict.kind == "tie" and others else ""
    return text.append(f" leads so far{tied} (provisional)")
