"""The verdict as the head of the Compare screen: a word and a sign, the sentence, what it rests on, the offer."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tuner_tui.report.words import duration_words
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.run.lines import Styles

SIGNS = {"winner": "★", "tie": "≈", "unconfirmed": "?", "borderline": "≈", "none": "–"}
_BOLD = Style(bold=True)
_STYLES = {"winner": "winner", "tie": "tied", "unconfirmed": "warning", "borderline": "warning", "none": "dim"}


def verdict_text(snapshot: Snapshot, style: Styles, *, evidence: bool, can_confirm: bool) -> Text:
    """Several lines, wrapped where they are shown. The kind is said in capitals, not by colour alone."""
    verdict = snapshot.verdict
    provisional = " so far" if verdict.provisional else ""
    text = Text()
    if snapshot.simulated:
        text.append("SIMULATED  ", style("simulated"))
    kind = f"{SIGNS[verdict.kind]} {'NO RESULT' if verdict.kind == 'none' else verdict.kind.upper()}{provisional}"
    text.append(kind, style(_STYLES[verdict.kind]) + _BOLD)
    text.append(f"  {verdict.sentence}")
    if evidence and verdict.evidence:
        text.append(f"\n{verdict.evidence}", style("dim"))
    if can_confirm and (words := offer_words(snapshot)):
        text.append("\nv  ", _BOLD).append(words, style("dim"))
    return text


def offer_words(snapshot: Snapshot, launches: int | None = None) -> str:
    """What launching the leaders again would take; "" where nothing is open."""
    offer = snapshot.confirmation
    if offer is None:
        return ""
    each = launches or offer.launches
    took = [launch.total_s for experiment in snapshot.experiments for launch in experiment.counted]
    about = f", about {duration_words(sum(took) / len(took) * each * len(offer.experiments))}" if took else ""
    names = ", ".join(f"#{experiment}" for experiment in offer.experiments[:6])
    more = "" if len(offer.experiments) <= 6 else f" and {len(offer.experiments) - 6} more"
    times = "once more" if each == 1 else f"{each} times more"
    return f"confirm: launch {names}{more} {times} each{about}"
