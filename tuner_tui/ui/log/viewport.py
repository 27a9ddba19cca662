"""Where the page is among the rows, where it is due, and which lines are chosen. Lines and rows count from 0."""

from __future__ import annotations

from tuner_tui.ui.log.choice import Choice
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.page import START, Place, fill, last_top, moved
from tuner_tui.ui.log.rows import Rows, next_line


class Viewport:
    """`height` screen lines of the rows of a log, from `top` on.

    It follows the end, or stays. Then it may be due elsewhere: at a *goal*, a line that was asked for before it was
    known, or at an *anchor*, a line that stays in view while the rows change.
    """

    def __init__(self, document: LogDocument, rows: Rows) -> None:
        self.top = START
        self.height = 0
        self.choice = Choice()
        self._document = document
        self._rows = rows
        self._following = True
        self._lines_when_left = 0
        self._restarts = document.restarts
        self._page: list[Place] | None = None
        self._goal: int | None = None
        self._anchor: int | None = None

    # What is on the page

    @property
    def last_top(self) -> Place:
        return last_top(self.height, len(self._rows), self._rows.parts_of)

    @property
    def places(self) -> list[Place]:
        """What stands on the screen lines; fewer where the rows end before."""
        if self._page is None:
            self._page = fill(self.top, self.height, len(self._rows), self._rows.parts_of)
        return self._page

    @property
    def lines(self) -> list[int]:
        """The lines that are in view, from the top."""
        return sorted({self._rows.line_of(place.row) for place in self.places})

    def forget(self) -> None:
        """Rows have become other ones, or of other heights."""
        self._page = None

    def _go(self, top: Place) -> None:
        """To the page that begins there, or to the last one."""
        top = max(START, min(top, self.last_top))
        if top != self.top:
            self.top = top
            self._page = None

    # Following

    @property
    def following(self) -> bool:
        """Whether the end is shown as it grows."""
        return self._following

    def follow(self, following: bool) -> None:
        if self._following and not following:
            self._lines_when_left = len(self._document.index)
        self._following = following
        self.settle()

    @property
    def new_lines(self) -> int:
        """How many came since following ended."""
        return 0 if self._following else max(len(self._document.index) - self._lines_when_left, 0)

    def _leave_end(self) -> None:
        if self.last_top > START or not self._rows:
            self.follow(False)

    # Moving

    def scroll(self, by: int) -> None:
        """Screen lines up or down. Up ends following, down at the end resumes it."""
        if by > 0 and self.top >= self.last_top:
            self.follow(True)
            return
        if by < 0:
            self._leave_end()
        self._let_go()
        self._go(moved(self.top, by, len(self._rows), self._rows.parts_of))

    def drag_to(self, row: int) -> None:
        """By the scroll bar, whose end is the last page."""
        last = self.last_top
        self._let_go()
        self._go(last if row >= last.row else Place(row))
        self.follow(self.top == last)

    def go_top(self) -> None:
        self._leave_end()
        self._let_go()
        if not self._document.complete:
            self._goal = 0
        self._go(START)

    def jump_to_line(self, line: int) -> None:
        """Goes to a line as soon as it is known, and makes it the current one."""
        self.follow(False)
        self._anchor, self._goal = None, line
        self.settle()

    def next_match(self, down: bool) -> int | None:
        """The next line below (above) the current one that the query wants; None where there is none so far."""
        if self._document.query is None:
            return None
        return next_line(self._document.matches, self.lines, self.choice.current, down)

    def next_mark(self, down: bool) -> Mark | None:
        marks = self._document.marks
        line = next_line([mark.line for mark in marks], self.lines, self.choice.current, down)
        return next((mark for mark in marks if mark.line == line), None)

    def choose(self, by: int) -> None:
        """Makes the current line the next one up or down, keeping the other end of what is chosen."""
        rows, shown, current = self._rows, self.lines, self.choice.current
        if not shown:
            return
        self.follow(False)
        if current is None or current not in shown:
            self.choice.be(shown[-1 if by < 0 else 0])
        else:
            line = rows.line_of(max(0, min(rows.row_of(current) + by, len(rows) - 1)))
            self.choice.reach(line)
            if line not in shown:
                self.scroll(by)

    # Where it is due

    def _let_go(self) -> None:
        """It is due nowhere."""
        self._anchor = self._goal = None

    def hold_on(self) -> None:
        """What is in view stays in view while the rows change: the current line, if it is, else the first one."""
        lines, current = self.lines, self.choice.current
        if lines and not self._following:
            self._anchor = current if current is not None and current in lines else lines[0]

    @property
    def due(self) -> bool:
        return self._goal is not None or self._anchor is not None

    def settle(self) -> None:
        """Goes where it is due, as far as that is known by now."""
        rows, document = self._rows, self._document
        if self._following:
            self._let_go()
            self._go(self.last_top)
        elif self._goal is not None and document.complete and self._goal < rows.known_lines:
            row = rows.row_of(self._goal)
            self._let_go()
            if rows:
                self.choice.be(rows.line_of(row))
                self._bring_into_view(row)
        elif self._anchor is not None:
            line = self._anchor
            if line < rows.known_lines or not rows.filtered:
                self._anchor = None
            self._go(Place(rows.row_of(line)))

    def _bring_into_view(self, row: int) -> None:
        """Stays, where the row is in view and not the last one; else it comes a third of the page down."""
        if all(place.row != row for place in self.places) or self.places[-1].row == row:
            self._go(moved(Place(row), -(self.height // 3), len(self._rows), self._rows.parts_of))

    def take_in(self) -> None:
        """The document knows more, or it is another one."""
        document = self._document
        if document.restarts != self._restarts:
            self._restarts = document.restarts
            self._rows.forget()
            self._lines_when_left = 0
            self._let_go()
            self.choice.be(None)
            self.top = START
        if document.head_lines:
            self._move_down(document.head_lines)
            document.head_lines = 0
        self._rows.forget_stale()
        self._page = None
        self.settle()

    def _move_down(self, by: int) -> None:
        """All lines have got other numbers: those of the file's head came in front."""
        self._rows.forget()
        self._lines_when_left += by
        self.choice.move_down(by)
        if self._anchor is not None:
            self._anchor += by
        if not self._following and not self._rows.filtered and self._goal is None:
            self._anchor = self.top.row + by
