"""The verdict as the head of the Compare screen: a word and a sign, the sentence, what it rests on, the offer."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.confirmation import offer_words
from tuner_tui.ui.kind import kind_text
from tuner_tui.ui.run.lines import Styles

_BOLD = Style(bold=True)


def verdict_text(snapshot: Snapshot, style: Styles, *, evidence: bool, can_confirm: bool) -> Text:
    """Several lines, wrapped where they are shown. The kind is said in capitals, not by colour alone."""
    verdict = snapshot.verdict
    text = Text()
    if snapshot.simulated:
        text.append("SIMULATED  ", style("simulated"))
    text.append_text(kind_text(verdict, style))
    text.append(f"  {verdict.sentence}")
    if evidence and verdict.evidence:
        text.append(f"\n{verdict.evidence}", style("dim"))
    if can_confirm and (words := offer_words(snapshot)):
        text.append("\nv  ", _BOLD).append(words, style("dim"))
    return text
