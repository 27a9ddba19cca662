"""Which text is taken out of the log: the part that was chosen, or all that is shown."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator

from tuner_tui.ui.log.document import STEP_BYTES, LogDocument
from tuner_tui.ui.log.lines import plain
from tuner_tui.ui.log.view import LogView

_DENSE = 8
"""Where one line in so many is wanted, all are read at once."""


def chosen_text(view: LogView) -> list[str]:
    """What the mouse has selected, else the chosen lines, else the page."""
    selection = view.text_selection
    selected = view.get_selection(selection) if selection else None
    if selected is not None:
        return selected[0].split("\n")
    span, page = view.viewport.choice.span, view.viewport.lines
    if span is not None:
        return view.texts(*span)
    return view.texts(page[0], page[-1]) if page else []


def all_texts(document: LogDocument, matches: array[int] | None) -> Iterator[str]:
    """All lines, or those that match. For a thread: it reads the file on the way."""
    at, lines = 0, len(document.index)
    while at < lines:
        stop = min(document.index.lines_within(at, STEP_BYTES), lines)
        wanted = range(at, stop) if matches is None else matches[bisect_left(matches, at) : bisect_left(matches, stop)]
        if len(wanted) * _DENSE > stop - at:
            raws = document.raws(at, stop)
            yield from (plain(raws[line - at]) for line in wanted if line - at < len(raws))
        else:
            yield from (plain(document.raw(line).text) for line in wanted)
        at = stop
