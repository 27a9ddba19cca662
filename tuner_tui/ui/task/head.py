"""What the task screen says in its head, and below the YAML: which file, saved or not, valid or what is wrong."""

from __future__ import annotations

from rich.text import Text

from tuner_tui.task.problem import Problem
from tuner_tui.ui.task.document import Document
from tuner_tui.ui.task.outlook import Outlook

TABS = {"grid": "Grid", "yaml": "YAML"}


def head_text(document: Document, ahead: Outlook | None, tab: str) -> Text:
    """`ahead` None: the text has changed, and what comes of it is not known yet."""
    text = Text()
    text.append(document.path.name, "bold")
    if document.is_new:
        text.append(" ● not saved yet", "bold")
    elif document.changed:
        text.append(" ● unsaved", "bold")
    text.append("  sample" if document.is_sample else "", "dim")
    text.append("  ")
    for name, words in TABS.items():
        text.append(f"[{words}]" if name == tab else f" {words} ", "bold reverse" if name == tab else "dim")
    text.append(" ^t", "dim")
    if ahead is None:
        return text
    errors = ahead.errors
    if not errors:
        text.append("  ✓ valid")
        if warnings := len(ahead.problems):
            text.append(f", {warnings} warning{'s' if warnings > 1 else ''}")
        return text.append("  other format: c converts" if ahead.foreign else "", "dim")
    if tab == "yaml":  # said below it, with the line
        return text.append(f"  ✗ {len(errors)} mistake{'s' if len(errors) > 1 else ''}", "bold")
    more = f" (+{len(errors) - 1})" if len(errors) > 1 else ""
    return text.append(f"\n✗{more} {mistake_words(errors[0])}", "bold")


def mistake_words(problem: Problem) -> str:
    """Where and what: by the row of the grid where it has one, else by its line."""
    key = problem.key.removeprefix("parameters.").partition("[")[0]
    where = f"line {problem.line}: " if problem.line and not problem.key else ""
    return f"{where}{key + ': ' if key else ''}{problem.message}"


def said_words(here: Problem | None, ahead: Outlook) -> str:
    """Below the YAML: the mistake in the cursor's line, else the first one there is."""
    problem = here or next(iter(ahead.problems), None)
    if problem is None:
        return "✓ no mistakes"
    mark = "✗" if problem.severity == "error" else "!"
    key = f"{problem.key}: " if problem.key else ""
    many = f"  ({len(ahead.problems)} in all, F8 goes to the next)" if len(ahead.problems) > 1 else ""
    place = f"line {problem.line}: " if problem.line else ""
    return f"{mark} {place}{key}{problem.message}{many}"
