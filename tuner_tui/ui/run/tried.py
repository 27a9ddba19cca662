"""What stands in place of the table where one configuration is kept up: where it answers, and what to do with it."""

from __future__ import annotations

from datetime import datetime

from rich.style import Style
from rich.text import Text

from tuner_tui.report.words import configuration_words, duration_words
from tuner_tui.runs.view import RunView
from tuner_tui.ui.run.lines import Styles

_BOLD = Style(bold=True)


def tried_text(view: RunView, now: datetime, style: Styles) -> Text:
    """The URL once it answers; before it what the server is doing; after it that it is gone."""
    snapshot = view.snapshot
    assert snapshot is not None
    text = Text()
    experiment = snapshot.experiments[0] if snapshot.experiments else None
    launch = snapshot.launch
    if launch is None or not view.alive:
        text.append("the server is gone", _BOLD) if not view.alive else text.append("about to start …", _BOLD)
        text.append("\n")
    elif snapshot.stopping:
        text.append("stopping …\n", _BOLD)
    elif launch.start_s is None:
        text.append("starting … the address comes when it answers\n", _BOLD)
    else:
        from tuner_tui.engines.launch import served_name

        up_s = (now - launch.started_at).total_seconds() - launch.start_s
        text.append(f" {launch.url} ", Style(bold=True, reverse=True))
        text.append(f"   up {duration_words(max(0.0, round(up_s)))}\n", _BOLD)
        text.append("model in requests  ", style("dim"))
        text.append(f"{served_name(snapshot.task, snapshot.experiments[0].configuration)}\n")
    if experiment is not None:
        text.append(f"{snapshot.task.model.given}  {configuration_words(experiment.configuration)}\n", style("dim"))
    if view.alive and not snapshot.stopping:
        ready = launch is not None and launch.start_s is not None
        text.append("l sends load at it   " if ready else "", style("dim"))
        text.append("y copies the command that starts it   x stops it", style("dim"))
    elif not view.alive:
        text.append("t keeps it up again   F2 leads back to your runs", style("dim"))
    return text
