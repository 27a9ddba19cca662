"""A line's text in its colours, laid one over the other, and cut for the screen.

rich's `Text` can do the same, at five times the cost: new lines are painted all the time, on the way between a key and
its answer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

Span = tuple[int, int, Style]
"""From one character to before another, in a style."""


class Painted:
    """Adjacent pieces of `text`, each in one style."""

    def __init__(self, text: str, style: Style) -> None:
        self.text = text
        self._starts = [0]
        self._styles = [style]

    def lay(self, style: Style, start: int, stop: int) -> None:
        """Over what is there: what the style does not set stays."""
        if start < stop:
            for at in range(self._cut(start), self._cut(stop)):
                self._styles[at] += style

    def _cut(self, offset: int) -> int:
        """The number of the piece that begins there, from now on."""
        at = bisect_left(self._starts, offset)
        if at == len(self._starts) or self._starts[at] != offset:
            self._starts.insert(at, offset)
            self._styles.insert(at, self._styles[at - 1])
        return at

    def pieces(self, start: int, stop: int) -> Iterator[tuple[str, Style]]:
        at = bisect_right(self._starts, start) - 1
        edges = [start, *self._starts[at + 1 : bisect_left(self._starts, stop)], stop]
        for (first, last), style in zip(pairwise(edges), self._styles[at:], strict=False):
            if first < last:
                yield self.text[first:last], style

    def _become(self, pieces: Iterable[tuple[str, Style]]) -> None:
        self._starts, self._styles, texts, at = [0], [self._styles[0]], [], 0
        for text, style in pieces:
            self._starts.append(at)
            self._styles.append(style)
            texts.append(text)
            at += len(text)
        if len(self._starts) > 1:
            del self._starts[0], self._styles[0]
        self.text = "".join(texts)

    def keep(self, spans: Iterable[tuple[int, int]]) -> None:
        """Only these parts of it."""
        self._become([piece for start, stop in spans for piece in self.pieces(start, stop)])

    def append(self, text: str, style: Style) -> None:
        self._become([*self.pieces(0, len(self.text)), (text, style)])

    def expand_tabs(self, size: int = 8) -> None:
        """Spaces up to the next multiple of `size` cells in place of each."""
        at, pieces = 0, []
        for text, style in self.pieces(0, len(self.text)):
            expanded: list[str] = []
            for part in text.split("\t"):
                if expanded:
                    spaces = size - at % size
                    expanded.append(" " * spaces)
                    at += spaces
                expanded.append(part)
                at += cell_len(part)
            pieces.append(("".join(expanded), style))
        self._become(pieces)

    def segments(self, start: int, stop: int) -> list[Segment]:
        return [Segment(text, style) for text, style in self.pieces(start, stop)]
