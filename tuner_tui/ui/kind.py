"""What kind of verdict it is: in capitals and by a sign, never by colour alone."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tuner_tui.report.words import KIND_SIGNS
from tuner_tui.search.verdict import Verdict
from tuner_tui.ui.run.lines import Styles

_STYLES = {"winner": "winner", "tie": "tied", "unconfirmed": "warning", "borderline": "warning", "none": "dim"}


def kind_text(verdict: Verdict, style: Styles) -> Text:
    """`★ WINNER`, `≈ TIE, provisional`."""
    name = "NO RESULT" if verdict.kind == "none" else verdict.kind.upper()
    look = style(_STYLES[verdict.kind]) + Style(bold=True)
    return Text(f"{KIND_SIGNS[verdict.kind]} {name}{', provisional' if verdict.provisional else ''}", look)
