"""Text that knows its width, and is drawn anew only where it has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

Styles = Callable[[str], Style]
"""A name of `Lines.NAMES` → how it looks in the theme."""
Draw = Callable[[int, Styles], Text]
"""Makes the text for a width in cells."""

MIN_WIDTH = 20


def style_of(widget: Widget, name: str) -> Style:
    """The colour of one of `Lines.NAMES` as it is over the widget's background.

    Textual's partial style leaves out the background, and muted text (an opacity of it) comes out white.
    """
    return Style(color=widget.get_component_rich_style(f"lines--{name}").color)


class Lines(Static):
    """Shows what a function draws, again whenever the width or the theme changes."""

    NAMES = (
        "winner", "tied", "simulated", "weights", "kv-cache", "graphs", "other-memory", "free-memory",
        "error", "warning", "dim", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6",
    )  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{name}" for name in NAMES}
    DEFAULT_CSS = """
    Lines { height: auto; }
    Lines > .lines--winner { color: $winner; }
    Lines > .lines--tied { color: $tied; }
    Lines > .lines--simulated { color: $simulated; }
    Lines > .lines--weights { color: $weights; }
    Lines > .lines--kv-cache { color: $kv-cache; }
    Lines > .lines--graphs { color: $graphs; }
    Lines > .lines--other-memory { color: $other-memory; }
    Lines > .lines--free-memory { color: $free-memory; }
    Lines > .lines--error { color: $text-error; }
    Lines > .lines--warning { color: $text-warning; }
    Lines > .lines--dim { color: $text-muted; }
    Lines > .lines--series-1 { color: $series-1; }
    Lines > .lines--series-2 { color: $series-2; }
    Lines > .lines--series-3 { color: $series-3; }
    Lines > .lines--series-4 { color: $series-4; }
    Lines > .lines--series-5 { color: $series-5; }
    Lines > .lines--series-6 { color: $series-6; }
    """

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
        self._redraw()

    @property
    def text(self) -> str:
        """What is shown, without its looks."""
        return self._shown.plain if self._shown is not None else ""

    def _style(self, name: str) -> Style:
        return style_of(self, name)

    def _redraw(self) -> None:
        if self._draw is None:
            return
        text = self._draw(max(MIN_WIDTH, self.content_size.width), self._style)
        shown = self._shown
        if shown is None or text.plain != shown.plain or text.spans != shown.spans or text.style != shown.style:
            lines_before = -1 if shown is None else shown.plain.count("\n")
            self._shown = text
            self.update(text, layout=text.plain.count("\n") != lines_before or len(text) > self.content_size.width)
