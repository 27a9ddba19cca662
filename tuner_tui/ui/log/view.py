"""The lines of a log on the screen: scrolled, followed, coloured. What is shown is `document`; keys are in `panel`."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tuner_tui.ui.log.appearance import Appearance, appearance_of
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.lines import plain
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.page import START, Place, fill, last_top, moved
from tuner_tui.ui.log.query import Query
from tuner_tui.ui.log.row import with_selection
from tuner_tui.ui.log.rows import Rows, next_line

FLUSH_S = 0.2
"""How often new lines are shown: more often is more than an SSH connection likes (bytes follow the frames)."""
SWITCH_S = 0.0005
_SELECTED = 5_000
"""How many rows the mouse can select; ctrl+s saves more."""


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows are the lines of the log, or those that the filter wants; numbers of lines count from 0 here."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--error",
        "log--warning",
        "log--debug",
        "log--time",
        "log--match",
        "log--current",
        "log--fact",
        "log--note",
    }
    DEFAULT_CSS = """
    LogView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .log--error { color: $text-error; }
        & > .log--warning { color: $text-warning; }
        & > .log--debug { color: $foreground-muted; }
        & > .log--time { color: $foreground-muted; }
        & > .log--match { color: $background; background: $warning; }
        & > .log--current { background: $surface-lighten-2; }
        & > .log--fact { color: $text-accent; text-style: bold; }
        & > .log--note { color: $foreground-muted; text-style: italic; }
    }
    """

    following: reactive[bool] = reactive(True)
    """Whether the end is shown as it grows."""
    wraps: reactive[bool] = reactive(False)
    shows_times: reactive[bool] = reactive(True)
    filters: reactive[bool] = reactive(True)
    """Whether the query hides the other lines; otherwise it only highlights."""
    current: reactive[int | None] = reactive(None)
    """The line last jumped to."""

    class Changed(Message):
        """What is known or shown has changed; posted at most every `FLUSH_S`, and after keys."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.document: LogDocument | None = None
        self._rows: Rows | None = None
        self._limit_bytes: int | None = None
        self._wake = asyncio.Event()
        self._part = 0
        self._shift = 0
        self._placing = False
        self._anchor: int | None = None
        self._goal: int | None = None
        self._other_end: int | None = None
        self._lines_when_left = 0
        self._restarts = 0
        self._painted: object = None
        self._bar_looks: tuple[int, ...] = ()
        self._page: list[Place] | None = None

    # What is shown

    def show(self, path: Path | None, language: str) -> None:
        """Another file, from its end; None: nothing. The same one again changes nothing."""
        if self.document is not None and (self.document.path, self.document.language) == (path, language):
            return
        if self.document is not None:
            self.document.close()
        query = self.document.query if self.document else None
        self.document = LogDocument(path, language) if path is not None else None
        self._rows = None
        if self.document is not None:
            self.document.limit_bytes = self._limit_bytes
            self.document.ask(query)
            self._rows = Rows(self.document, self.app.console, self._appearance)
            self._rows.filters = self.filters
        self._restarts = 0
        self._shift = 0
        self._begin_anew()
        self.following = True
        self._paint()
        self._wake.set()

    @property
    def limit_bytes(self) -> int | None:
        """Only so many bytes of the file exist; None: all. For replays."""
        return self._limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, limit: int | None) -> None:
        self._limit_bytes = limit
        if self.document is not None:
            self.document.limit_bytes = limit
            self._wake.set()

    @property
    def wanted(self) -> Query | None:
        return self.document.query if self.document else None

    def ask(self, query: Query | None) -> None:
        """Another query, or none; the lines in view stay in view."""
        if self.document is None:
            return
        self._hold_on()
        self.document.ask(query)
        self._forget_rows()
        self._paint()
        self._wake.set()

    @property
    def filtered(self) -> bool:
        """Whether lines are hidden."""
        return self._rows is not None and self._rows.filtered

    @property
    def new_lines(self) -> int:
        """How many came since following ended."""
        if self.following or self.document is None:
            return 0
        return max(len(self.document.index) - self._lines_when_left, 0)

    @property
    def page_rows(self) -> int:
        return self._area.height

    @property
    def page_columns(self) -> int:
        return self._area.width

    def texts(self, first: int, last: int) -> list[str]:
        """What is shown from line `first` to line `last`, as it is searched and copied."""
        rows, document = self._rows, self.document
        if rows is None or document is None or not rows:
            return []
        lines = map(rows.line_of, range(rows.row_of(first), rows.row_of(last) + 1))
        return [plain(document.raw(line).text) for line in lines]

    @property
    def visible_lines(self) -> list[int]:
        """The lines that are on the screen, from the top."""
        rows = self._rows
        return sorted({rows.line_of(place.row) for place in self._places()}) if rows is not None else []

    # The owner of all reading

    def on_mount(self) -> None:
        self._refresh_scrollbars()
        # Reading threads are often busy with Python: by default each of the dozen times that painting one key's answer
        # asks for the interpreter it would wait up to 5 ms.
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        self.run_worker(self._read(), name="log", group="log")

    def on_unmount(self) -> None:
        if self.document is not None:
            self.document.close()

    async def _read(self) -> None:
        """Reads on as long as the view lives: at once while there is more, else five times a second."""
        due = 0.0
        while True:
            if self._wake.is_set():
                self._wake.clear()
                due = 0.0  # one who presses a key does not wait
            document = self.document
            busy = document is not None and await document.advance()
            if document is not self.document or self._wake.is_set():
                continue
            now = time.monotonic()
            if now >= due:
                self._paint()
                # While something long goes on it is shown as it stands; the end of it must not wait again.
                due = now + FLUSH_S
            if not busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(due - now, 0.01))

    @property
    def up_to_date(self) -> bool:
        """Whether all that is known is shown."""
        return self._painted == self._known() and self._goal is None and self._anchor is None

    def _known(self) -> object:
        document = self.document
        return document and (
            document,
            document.index.begin,
            document.index.end,
            self.filtered,
            len(document.matches),
            document.searched,
            document.marks,
            document.trouble,
            document.indexed_share,
        )

    def _paint(self) -> None:
        """Shows what has become known since the last time; does nothing where that is nothing."""
        document = self.document
        if document is not None:
            if document.restarts != self._restarts:
                self._restarts = document.restarts
                self._begin_anew()
            if document.head_lines:
                self._moved_down(document.head_lines)
                document.head_lines = 0
        known = self._known()
        if known == self._painted:
            return
        self._painted = known
        self._page = None
        if self._rows is not None:
            self._rows.forget_stale()
        self._arrange()
        self._repaint()
        self.post_message(self.Changed())

    def _arrange(self) -> None:
        """Fits the scroll bar to the rows, and goes where the view is due."""
        if not self._area:
            return
        last = self._last_top()
        self._placing = True
        try:
            # Not by assignment, which would lay the whole screen out anew and paint the log twice.
            self.set_reactive(LogView.virtual_size, Size(self._area.width, last.row + self._area.height))
            self._fit_scroll_bar()
            if self.following:
                self._part = last.part
                self.scroll_to(y=last.row, animate=False)
            else:
                self._reach_goals()
        finally:
            self._placing = False

    def _fit_scroll_bar(self) -> None:
        """Draws it again only where that would look different: it is another 12 kB/s at five frames a second."""
        rows, height = max(self.virtual_size.height, 1), self._area.height
        bar, top = self.vertical_scrollbar, self.scroll_offset.y
        looks = (height, 8 * height * height // rows, 8 * height * top // rows)
        if looks != self._bar_looks:
            self._bar_looks = looks
            bar.window_virtual_size, bar.window_size, bar.position = rows, height, top

    def _repaint(self) -> None:
        self.refresh(self._area.region)

    def _reach_goals(self) -> None:
        """Goes to a line that was asked for before it was known, or holds on to one while a search goes on."""
        document, rows = self.document, self._rows
        if document is None or rows is None:
            return
        if self._goal is not None and document.complete and self._goal < rows.known_lines:
            line, self._goal, self._anchor = self._goal, None, None
            self._jump(line)
        elif self._anchor is not None:
            line = self._anchor
            if line < rows.known_lines or not rows.filtered:
                self._anchor = None
            self._place(Place(rows.row_of(line)))

    def _begin_anew(self) -> None:
        self._forget_rows()
        self.current = self._other_end = self._anchor = self._goal = None
        self._part = 0
        self._lines_when_left = 0

    def _moved_down(self, by: int) -> None:
        """All lines have got other numbers: those of the file's head came in front."""
        self._forget_rows()
        self._lines_when_left += by
        if self.current is not None:
            self.current += by
        if self._other_end is not None:
            self._other_end += by
        if self._anchor is not None:
            self._anchor += by
        if not self.following and not self.filtered and self._goal is None:
            self._anchor = self._top.row + by

    def _forget_rows(self) -> None:
        self._page = None
        if self._rows is not None:
            self._rows.forget()

    # Where the page is

    @property
    def _area(self) -> Size:
        """What there is for rows, without the scroll bar."""
        return self.scrollable_content_region.size

    @property
    def _top(self) -> Place:
        return Place(self.scroll_offset.y, self._part)

    def _moved(self, place: Place, by: int) -> Place:
        rows = self._rows
        return moved(place, by, len(rows), rows.parts_of) if rows is not None else START

    def _last_top(self) -> Place:
        rows = self._rows
        return last_top(self._area.height, len(rows), rows.parts_of) if rows is not None else START

    def _places(self) -> list[Place]:
        rows = self._rows
        if self._page is None:
            self._page = fill(self._top, self._area.height, len(rows), rows.parts_of) if rows is not None else []
        return self._page

    def _place(self, top: Place) -> None:
        """Shows the page that begins there, or the last one."""
        top = max(START, min(top, self._last_top()))
        if top != self._top:
            was, self._placing = self._placing, True
            self._part = top.part
            self.scroll_to(y=top.row, animate=False)
            self._placing = was
            self._page = None
            self._repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if round(old_value) != round(new_value):
            self._page = None
            self._fit_scroll_bar()
            self._repaint()
        if not self._placing and old_value != new_value:  # by the scroll bar
            at_end = new_value >= self.max_scroll_y
            self._part = self._last_top().part if at_end else 0
            self._anchor = self._goal = None
            self.following = at_end

    def scroll_rows(self, by: int) -> None:
        """Screen lines up or down. Up ends following, down at the end resumes it."""
        last = self._last_top()
        if by > 0 and self._top >= last:
            self.following = True
            return
        if by < 0:
            self._leave_end()
        self._anchor = self._goal = None
        self._place(self._moved(self._top, by))

    def go_top(self) -> None:
        self._leave_end()
        self._anchor = self._goal = None
        if self.document is not None and not self.document.complete:
            self._goal = 0
        self._place(START)

    def _leave_end(self) -> None:
        if self._last_top() > START or not self._rows:
            self.following = False

    def scroll_sideways(self, by: int) -> None:
        """Columns to the right or left, where lines are not wrapped."""
        rows = self._rows
        if not self.wraps and rows is not None:
            widest = max((rows[place.row].cells for place in self._places()), default=0)
            furthest = max(self._shift, widest - self._area.width // 3)
            self._shift = max(0, min(self._shift + by, furthest))
            self._forget_rows()
            self._repaint()

    def jump_to_line(self, line: int) -> None:
        """Goes to a line (from 0) as soon as it is known, and makes it the current one."""
        self.following = False
        self._anchor, self._goal = None, line
        self._reach_goals()
        if self._goal is not None:
            self._wake.set()

    def _jump(self, line: int) -> None:
        rows = self._rows
        if not rows:
            return
        row = rows.row_of(line)
        self._other_end = None
        self.current = rows.line_of(row)
        if all(place.row != row for place in self._places()) or self._places()[-1].row == row:
            self._place(self._moved(Place(row), -(self._area.height // 3)))

    def next_match(self, down: bool) -> int | None:
        """The next line below (above) the current one that the query wants; None where there is none so far."""
        document = self.document
        if document is None or document.query is None:
            return None
        return next_line(document.matches, self.visible_lines, self.current, down)

    def next_mark(self, down: bool) -> Mark | None:
        marks = self.document.marks if self.document else ()
        line = next_line([mark.line for mark in marks], self.visible_lines, self.current, down)
        return next((mark for mark in marks if mark.line == line), None)

    def _hold_on(self) -> None:
        """What is in view stays in view while the rows change."""
        if not self.following and self._rows:
            in_view = self.visible_lines
            keep = self.current if self.current is not None and self.current in in_view else in_view[0]
            self._anchor = keep

    # Chosen lines

    def choose(self, by: int) -> None:
        """Makes the current line the next one up or down, keeping the other end of what is chosen."""
        rows, shown = self._rows, self.visible_lines
        if rows is None or not shown:
            return
        self.following = False
        if self.current is None or self.current not in shown:
            line = self._other_end = shown[-1 if by < 0 else 0]
        else:
            if self._other_end is None:
                self._other_end = self.current
            line = rows.line_of(max(0, min(rows.row_of(self.current) + by, len(rows) - 1)))
        self.current = line
        if line not in shown:
            self.scroll_rows(by)

    @property
    def chosen(self) -> tuple[int, int] | None:
        """First and last of the chosen rows' lines."""
        if self.current is None:
            return None
        other = self.current if self._other_end is None else self._other_end
        return min(self.current, other), max(self.current, other)

    def choose_none(self) -> None:
        self.current = self._other_end = None

    # Events

    def on_resize(self) -> None:
        self._forget_rows()
        self._arrange()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        event.prevent_default()
        if event.ctrl or event.shift:
            self.scroll_sideways(by * self._area.width // 6)
        else:
            self.scroll_rows(by * 3)

    def on_click(self, event: events.Click) -> None:
        places, rows = self._places(), self._rows
        y = event.get_content_offset_capture(self).y
        if rows is not None and 0 <= y < len(places) and self.text_selection is None:
            self._other_end = None
            self.current = rows.line_of(places[y].row)

    def text_select_all(self) -> None:
        """Nothing: a double click is no wish for a million lines."""

    def watch_following(self, following: bool) -> None:
        if following:
            self._anchor = self._goal = None
            self._page = None
            self._arrange()
            self._repaint()
        elif self.document is not None:
            self._lines_when_left = len(self.document.index)
        self.post_message(self.Changed())

    def watch_current(self) -> None:
        self._repaint()

    def watch_wraps(self) -> None:
        self._hold_on()
        self._part = self._shift = 0
        self._redraw()

    def watch_shows_times(self) -> None:
        self._redraw()

    def watch_filters(self, old: bool, new: bool) -> None:
        if self._rows is not None and self._rows.filters != new:
            self._hold_on()
            self._rows.filters = new
        self._redraw()

    def notify_style_update(self) -> None:
        """Another theme, or other colours of it."""
        super().notify_style_update()
        self._forget_rows()

    def _redraw(self) -> None:
        self._forget_rows()
        if self.is_mounted:
            self._arrange()
            self._repaint()
            self.post_message(self.Changed())

    # Drawing

    def render_line(self, y: int) -> Strip:
        places, rows = self._places(), self._rows
        if rows is None or y >= len(places):
            return Strip.blank(self._area.width, self.rich_style)
        place = places[y]
        row = rows[place.row]
        part = min(place.part, len(row.strips) - 1)
        strip = row.strips[part]
        chosen = self.chosen
        if chosen is not None and chosen[0] <= rows.line_of(place.row) <= chosen[1]:
            strip = strip.apply_style(rows.appearance.current)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(place.row)) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            strip = with_selection(strip, span, row.starts[part] + self._shift, style)
        return strip

    def _appearance(self) -> Appearance:
        columns = self._area.width
        return appearance_of(self, wraps=self.wraps, shows_times=self.shows_times, columns=columns, shift=self._shift)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text of what the mouse has selected."""
        rows = self._rows
        if not rows:
            return None
        first = selection.start.y if selection.start else 0
        last = min(selection.end.y if selection.end else len(rows) - 1, len(rows) - 1, first + _SELECTED)
        texts = []
        for row in range(first, last + 1):
            span = selection.get_span(row)
            if span is not None:
                texts.append(rows[row].text[span[0] : None if span[1] == -1 else span[1]])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._repaint()

    def render(self) -> Text:
        return Text()
