"""Which lines of a log are shown: all, or those that the filter wants."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from textual.cache import LRUCache

from tuner_tui.ui.log.appearance import Appearance
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.row import Row, draw

_KEPT = 300
"""Some pages: a row that is drawn costs 5 kB."""


class Rows:
    """The rows of a document, drawn when they are asked for and kept while they stay as they are. A row is a line that
    is shown; both count from 0."""

    def __init__(self, document: LogDocument, appearance: Callable[[], Appearance]) -> None:
        self._document = document
        self._ask_appearance = appearance
        self._appearance: Appearance | None = None
        self._drawn: LRUCache[int, Row] = LRUCache(_KEPT)
        self._torn: int | None = None
        self._marks: tuple[Mark, ...] = ()
        self._end = 0
        self.filters = True
        """Whether a query hides the other lines; otherwise it only highlights."""

    @property
    def filtered(self) -> bool:
        """Whether lines are hidden."""
        return self.filters and self._document.query is not None

    def __len__(self) -> int:
        return len(self._document.matches) if self.filtered else len(self._document.index)

    @property
    def known_lines(self) -> int:
        """Of how many lines it is known whether they are rows."""
        return self._document.searched if self.filtered else len(self._document.index)

    def line_of(self, row: int) -> int:
        """Of a row that has ceased to be, but may be on the screen until the next paint: the last line."""
        if not self.filtered:
            return row
        matches = self._document.matches
        return matches[row] if row < len(matches) else max(len(self._document.index) - 1, 0)

    def row_of(self, line: int) -> int:
        """The row of a line, or of the next one that is shown."""
        row = bisect_left(self._document.matches, line) if self.filtered else line
        return max(0, min(row, len(self) - 1))

    @property
    def appearance(self) -> Appearance:
        if self._appearance is None:
            self._appearance = self._ask_appearance()
        return self._appearance

    def __getitem__(self, row: int) -> Row:
        drawn = self._drawn.get(row)
        if drawn is None:
            drawn = draw(self._document, self.line_of(row), self.appearance)
            if row < len(self):
                self._drawn[row] = drawn
            if drawn.torn:
                self._torn = row
        return drawn

    def parts_of(self, row: int) -> int:
        """How many screen lines it takes."""
        return len(self[row].strips) if self.appearance.wraps else 1

    def forget(self) -> None:
        """All look different now."""
        self._drawn.clear()
        self._appearance = None

    def forget_stale(self) -> None:
        """The document knows more (or less): its last line may have gone on, and marks may have come."""
        document = self._document
        if document.marks != self._marks or document.index.end < self._end:
            self._drawn.clear()
        elif self._torn is not None:
            self._drawn.discard(self._torn)
        self._marks, self._end, self._torn = document.marks, document.index.end, None


def next_line(lines: Sequence[int], shown: Sequence[int], current: int | None, down: bool) -> int | None:
    """The next of `lines` below or above the current one, or, where that is not among those `shown`, from the page's
    edge on. Both are ascending."""
    if not shown:
        return None
    if current is not None and shown[0] <= current <= shown[-1]:
        after, before = current + 1, current
    else:
        after, before = shown[0], shown[-1] + 1
    at = bisect_left(lines, after) if down else bisect_right(lines, before - 1) - 1
    return lines[at] if 0 <= at < len(lines) else None
