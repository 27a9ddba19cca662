"""Launching the leaders again until they can be told apart: whether there is any sense in it, and asking how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner_tui.report.words import duration_words
from tuner_tui.runs.progress import mean_launch_s
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import RunView
from tuner_tui.search.words import more_launches
from tuner_tui.ui.ask import Ask, Judged, Line
from tuner_tui.ui.starting import launch_again

if TYPE_CHECKING:
    from tuner_tui.ui.app import TunerApp

_MOST_LAUNCHES = 50
_MOST_NAMED = 6


def why_no_confirmation(view: RunView) -> str:
    """Why the leaders cannot be launched again, in a sentence; "" where they can."""
    snapshot = view.snapshot
    if snapshot is None:
        return view.trouble
    if view.replay:
        return "this is a replay: what happened cannot be changed any more"
    if snapshot.kind == "import":
        return "an imported run cannot be launched again; its task can, from F3"
    if snapshot.kind == "try":
        return "nothing is compared here: one configuration is kept up"
    if view.alive:
        return "the leaders can be launched again when the run is over"
    if snapshot.finished is None or snapshot.finished.reason != "finished":
        return "the run is not finished; r on F4 resumes it"
    return "" if snapshot.confirmation is not None else f"nothing to confirm: {snapshot.verdict.sentence}"


def offer_words(snapshot: Snapshot, launches: int | None = None) -> str:
    """What launching the leaders again would take; "" where nothing is open."""
    offer = snapshot.confirmation
    if offer is None:
        return ""
    each = launches or offer.launches
    mean_s = mean_launch_s(snapshot)
    about = f", about {duration_words(mean_s * each * len(offer.experiments))}" if mean_s is not None else ""
    names = ", ".join(f"#{experiment}" for experiment in offer.experiments[:_MOST_NAMED])
    others = "" if len(offer.experiments) <= _MOST_NAMED else f" and {len(offer.experiments) - _MOST_NAMED} others"
    return f"confirm: {more_launches(each)} of {names}{others}{about}"


def confirm_leaders(tuner: TunerApp, view: RunView) -> None:
    """Asks how often, starts it, and shows the run. Only where `why_no_confirmation` has nothing against it."""
    snapshot, folder = view.snapshot, view.folder
    assert snapshot is not None
    offer = snapshot.confirmation
    assert offer is not None

    def judge(typed: dict[str, str]) -> Judged[int]:
        text = typed["launches"].strip()
        if not text.isdecimal() or not 1 <= int(text) <= _MOST_LAUNCHES:
            return Judged(None, f"expected a number from 1 to {_MOST_LAUNCHES}")
        return Judged(int(text), offer_words(snapshot, int(text)))

    def answered(launches: int | None) -> None:
        if launches is not None:
            launch_again(tuner, folder, offer.experiments, launches)

    line = Line("launches", "launches more of each", str(offer.launches))
    tuner.push_screen(Ask(offer.sentence, [line], judge), answered)
