"""The line above the log: whose it is, where one is in it, and what of it is shown."""

from __future__ import annotations

from collections.abc import Iterator

from tuner_tui.ui.log.view import LogView


def status(title: str, view: LogView) -> str:
    """The weightiest first: 80 columns are few."""
    return " · ".join(part for part in (title, *_parts(view)) if part)


def _parts(view: LogView) -> Iterator[str]:
    document, viewport = view.document, view.viewport
    if document is None:
        yield "no log"
        return
    lines, query = len(document.index), document.query
    searched = "" if document.searched >= lines else f", {document.searched / lines:.0%} searched"
    if viewport.following:
        yield "following"
    else:
        new = f", +{viewport.new_lines:,} new lines" if viewport.new_lines else ""
        yield f"paused{_place(view)}{new}"
    if not document.complete:
        yield f"reading {document.indexed_share:.0%}"
    elif query is not None and view.filters:
        yield f"{len(document.matches):,} of {counted(lines)}{searched}"
    else:
        yield counted(lines)
        if query is not None:
            yield counted(len(document.matches), "match", "matches") + searched
    yield document.trouble
    if query is not None:
        yield f"/{query.text}"
    if view.wraps:
        yield "wrapped"
    if view.shift:
        yield f"from column {view.shift + 1}"
    if query is not None and query.why_literal:
        yield f"as text: {query.why_literal}"


def _place(view: LogView) -> str:
    """The current line, if it is in view, else the first one that is; counted from 1."""
    document, lines, current = view.document, view.viewport.lines, view.viewport.choice.current
    if not lines or document is None or not document.complete:
        return ""
    line = current if current is not None and current in lines else lines[0]
    return f" at line {line + 1:,}"


def counted(count: int, one: str = "line", many: str = "lines") -> str:
    return f"{count:,} {one if count == 1 else many}"
