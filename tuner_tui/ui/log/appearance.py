"""The colours of the log, as the theme has them."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style
from textual.widget import Widget

from tuner_tui.ui.log.times import Times


class Appearance(NamedTuple):
    """How rows are drawn: `columns` wide with the margin, from cell `shift` of the line on, and filled up to `width`,
    that of the widget with its scroll bar."""

    base: Style
    error: Style
    warning: Style
    debug: Style
    time: Style
    match: Style
    current: Style
    fact: Style
    note: Style
    wraps: bool
    times: Times
    columns: int
    width: int
    shift: int


def appearance_of(widget: Widget, *, wraps: bool, times: Times, columns: int, width: int, shift: int) -> Appearance:
    """Asks the component classes `log--…` of `widget`."""

    def colour(name: str) -> Style:
        style = widget.get_component_rich_style(name)
        return Style(color=style.color, bold=style.bold, italic=style.italic)

    return Appearance(
        base=widget.rich_style,
        error=colour("log--error"),
        warning=colour("log--warning"),
        debug=colour("log--debug"),
        time=colour("log--time"),
        match=widget.get_component_rich_style("log--match"),
        current=Style(bgcolor=widget.get_component_rich_style("log--current").bgcolor),
        fact=colour("log--fact"),
        note=colour("log--note"),
        wraps=wraps,
        times=times,
        columns=columns,
        width=width,
        shift=shift,
    )
