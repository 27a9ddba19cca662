"""Text that knows its width, and is drawn anew only where it has changed."""

from __future__ import annotations

import functools
from collections.abc import Callable

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.color import Color
from textual.widget import Widget
from textual.widgets import Static

Styles = Callable[[str], Style]
"""A name of `Lines.NAMES` → how it looks in the theme."""
Draw = Callable[[int, Styles], Text]
"""Makes the text for a width in cells."""

MIN_WIDTH = 20
_VARIABLES = {"error": "text-error", "warning": "text-warning", "dim": "text-muted"}
"""Where a name's variable in the theme is called otherwise."""


def style_of(widget: Widget, name: str) -> Style:
    """The colour of one of `Lines.NAMES` as it is over the widget's background.

    Read from the theme's variables: component classes would be styled for every widget, whether it draws in them or
    not.
    """
    return _over(widget.app.theme_variables[_VARIABLES.get(name, name)], widget.background_colors[1])


@functools.lru_cache(maxsize=512)
def _over(value: str, background: Color) -> Style:
    """`value` as in CSS: a colour, perhaps with a share of it: `auto 60%`, where auto is what contrasts."""
    color, _, share = value.partition(" ")
    percent = float(share.removesuffix("%")) if share else 100.0
    parsed = Color.automatic(percent) if color == "auto" else Color.parse(color).multiply_alpha(percent / 100)
    return Style(color=(background + parsed).rich_color)


class Lines(Static):
    """Shows what a function draws, again whenever the width or the theme changes."""

    NAMES = (
        "winner", "tied", "simulated", "weights", "kv-cache", "graphs", "other-memory", "free-memory",
        "error", "warning", "dim", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6",
    )  # fmt: skip
    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes, markup=False)
        self._draw: Draw | None = None
        self._shown: Text | None = None

    def show(self, draw: Draw) -> None:
        """What is shown from now on."""
        self._draw = draw
        self._redraw()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._redraw())

    def on_resize(self) -> None:
        before = self._shown
        self._redraw()
        if self._shown is not before:
            # Textual (8.2) keeps the height of the text before where a layout is already under way, as at the start.
            self.call_after_refresh(self.refresh, layout=True)

    @property
    def text(self) -> str:
        """What is shown, without its looks."""
        return self._shown.plain if self._shown is not None else ""

    def _style(self, name: str) -> Style:
        return style_of(self, name)

    def _redraw(self) -> None:
        if self._draw is None:
            return
        width = self.content_size.width
        text = self._draw(max(MIN_WIDTH, width), self._style)
        shown = self._shown
        if shown is None or text.plain != shown.plain or text.spans != shown.spans or text.style != shown.style:
            self._shown = text
            needs = _unwrapped(text, width)
            # The whole screen is laid out anew only where this may need another number of lines.
            self.update(text, layout=needs is None or shown is None or needs != _unwrapped(shown, width))


def _unwrapped(text: Text, width: int) -> int | None:
    """How many lines `text` has; None where some are too long for `width`, and it depends."""
    lines = text.plain.split("\n")
    return len(lines) if all(cell_len(line) <= width for line in lines) else None
