"""The lines of a log on the screen: followed, scrolled, chosen. What is shown is `document`; keys are in `panel`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tuner_tui.ui.log.appearance import Appearance, appearance_of
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.lines import harmless, plain
from tuner_tui.ui.log.query import Query
from tuner_tui.ui.log.reading import Reading
from tuner_tui.ui.log.row import as_chosen, with_offsets, with_selection
from tuner_tui.ui.log.rows import Rows
from tuner_tui.ui.log.source import NO_LOG_YET
from tuner_tui.ui.log.times import Times
from tuner_tui.ui.log.viewport import Viewport

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

    wraps: reactive[bool] = reactive(False)
    times: reactive[Times] = reactive[Times]("clock")
    filters: reactive[bool] = reactive(True)
    """Whether the query hides the other lines; otherwise it only highlights."""

    def __init__(self, told: Callable[[], None], *, id: str | None = None) -> None:
        """`told` is called when what is known or shown has changed: no message, so that what it changes is painted in
        the same frame."""
        super().__init__(id=id)
        self._told = told
        self._reading = Reading(self._paint)
        self._limit_bytes: int | None = None
        self._shift = 0
        self._placing = False
        self._painting = False
        self._painted: object = None
        self._bar_looks: tuple[int, ...] = ()
        self._open(LogDocument(Path(), ""))

    def _open(self, document: LogDocument) -> None:
        self._document = document
        self._rows = Rows(document, self._appearance)
        self.viewport = Viewport(document, self._rows)
        """Where the page is; one who moves it says `moved`."""

    def on_mount(self) -> None:
        self._refresh_scrollbars()
        # Reading threads are often busy with Python: by default each of the dozen times that painting one key's answer
        # asks for the interpreter it would wait up to 5 ms.
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_S))
        self.run_worker(self._reading.go_on(), name="log", group="log")

    def on_unmount(self) -> None:
        self._document.close()

    # What is shown

    @property
    def document(self) -> LogDocument | None:
        return self._reading.document

    def show(self, path: Path | None, language: str) -> None:
        """Another file, from its end; None: nothing. The same one again changes nothing."""
        if self.document is not None and (self.document.path, self.document.language) == (path, language):
            return
        self._document.close()
        query = self._document.query
        self._open(LogDocument(path or Path(), language))
        self._document.limit_bytes = self._limit_bytes
        self._document.ask(query)
        self._rows.filters = self.filters
        self.viewport.height = self._area.height
        self._reading.document = self._document if path is not None else None
        self._shift = 0
        self._paint()
        self._reading.hurry()

    @property
    def grows(self) -> bool:
        """Whether more lines are to be expected, as from a server that runs."""
        return self._reading.grows

    @grows.setter
    def grows(self, grows: bool) -> None:
        if grows != self._reading.grows:
            self._reading.grows = grows
            self._reading.hurry()

    @property
    def limit_bytes(self) -> int | None:
        """Only so many bytes of the file exist; None: all. For replays."""
        return self._limit_bytes

    @limit_bytes.setter
    def limit_bytes(self, limit: int | None) -> None:
        self._limit_bytes = self._document.limit_bytes = limit
        self._reading.hurry()

    @property
    def wanted(self) -> Query | None:
        return self._document.query

    def ask(self, query: Query | None) -> None:
        """Another query, or none; the lines in view stay in view."""
        self.viewport.hold_on()
        self._document.ask(query)
        self._rows.forget()
        self._paint()
        self._reading.hurry()

    @property
    def filtered(self) -> bool:
        """Whether lines are hidden."""
        return self._rows.filtered

    def hides(self, line: int) -> bool:
        """Whether the filter does not want that line."""
        rows = self._rows
        return rows.filtered and (not rows or rows.line_of(rows.row_of(line)) != line)

    @property
    def page_columns(self) -> int:
        return self._area.width

    @property
    def shift(self) -> int:
        """How many columns have been scrolled away on the left."""
        return self._shift

    def texts(self, first: int, last: int) -> list[str]:
        """What is shown from line `first` to line `last`, as it is searched and copied."""
        rows = self._rows
        if not rows:
            return []
        lines = map(rows.line_of, range(rows.row_of(first), rows.row_of(last) + 1))
        return [plain(self._document.raw(line).text) for line in lines]

    # What has become known is painted

    @property
    def up_to_date(self) -> bool:
        """Whether all that is known is shown."""
        return self._painted == self._known() and not self.viewport.due

    def _known(self) -> object:
        document = self._document
        return (
            document,
            document.index.begin,
            document.index.end,
            document.query,
            self.filtered,
            len(document.matches),
            document.searched,
            document.marks,
            document.trouble,
            document.indexed_share,
        )

    def _paint(self) -> None:
        """Shows what has become known since the last time; does nothing where that is nothing."""
        known = self._known()
        if known != self._painted:
            self._painted = known
            self.viewport.take_in()
            self.moved()

    # Where the page is

    @property
    def _area(self) -> Size:
        """What there is for rows, without the scroll bar."""
        return self.scrollable_content_region.size

    def moved(self) -> None:
        """The page has become another one, or lines on it have."""
        self._fit_scroll_bar()
        self.refresh(self._area.region)
        self._told()

    def _fit_scroll_bar(self) -> None:
        """Scrolls to where the page is. The bar is drawn again only where that would look different: it is another
        12 kB/s at five frames a second."""
        height, last, top = self._area.height, self.viewport.last_top.row, self.viewport.top.row
        rows = max(last + height, 1)
        self._placing = True
        # Not by assignment, which would lay the whole screen out anew and paint the log twice.
        self.set_reactive(LogView.virtual_size, Size(self._area.width, last + height))
        self.scroll_to(y=top, animate=False)
        self._placing = False
        bar = self.vertical_scrollbar
        looks = (height, 8 * height * height // rows, 8 * height * top // rows)
        if looks != self._bar_looks:
            self._bar_looks = looks
            bar.window_virtual_size, bar.window_size, bar.position = rows, height, top

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        resized = self._area.height != self.viewport.height  # `on_resize` will see to it
        if not self._placing and not resized and old_value != new_value:  # by the scroll bar
            self.viewport.drag_to(round(new_value))
            self.moved()

    def scroll_sideways(self, by: int) -> None:
        """Columns to the right or left, where lines are not wrapped."""
        if not self.wraps:
            widest = max((self._rows[place.row].cells for place in self.viewport.places), default=0)
            furthest = max(self._shift, widest - self._area.width // 3)
            self._shift = max(0, min(self._shift + by, furthest))
            self._redraw()

    # Events

    def on_resize(self) -> None:
        self.viewport.height = self._area.height
        self._redraw()

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
            self.viewport.scroll(by * 3)
            self.moved()

    def on_click(self, event: events.Click) -> None:
        y = event.get_content_offset_capture(self).y
        places = self.viewport.places
        if 0 <= y < len(places) and self.text_selection is None:
            self.viewport.choice.be(self._rows.line_of(places[y].row))
            self.moved()

    def text_select_all(self) -> None:
        """Nothing: a double click is no wish for a million lines."""

    def watch_wraps(self) -> None:
        self.viewport.hold_on()
        self._shift = 0
        self._redraw()

    def watch_times(self) -> None:
        self._redraw()

    def watch_filters(self, filters: bool) -> None:
        self.viewport.hold_on()
        self._rows.filters = filters
        self._redraw()

    def notify_style_update(self) -> None:
        """Another theme, or other colours of it."""
        super().notify_style_update()
        self._rows.forget()

    def _redraw(self) -> None:
        """All rows look different."""
        self._rows.forget()
        self.viewport.forget()
        if self.is_mounted:
            self.viewport.settle()
            self.moved()

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """As any widget's, without what borders, padding, tints and opacity would cost, which it never has: half of the
        time that a page of new lines takes."""
        self._painting = True
        strips = [self.render_line(y) for y in crop.line_range]
        self._painting = False
        _, background = self.background_colors
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        left, right = crop.column_span
        return strips if (left, right) == (0, self.size.width) else [strip.crop(left, right) for strip in strips]

    def render_line(self, y: int) -> Strip:
        rows, places = self._rows, self.viewport.places
        if y >= len(places):
            return self._said_instead() if y == 0 else Strip.blank(self.size.width, self.rich_style)
        place = places[y]
        row = rows[place.row]
        part = min(place.part, len(row.strips) - 1)
        strip, start = row.strips[part], row.starts[part] + self._shift
        if not self._painting:  # Textual looks for what is under the mouse
            return with_offsets(strip, start, place.row)
        chosen = self.viewport.choice.span
        if chosen is not None and chosen[0] <= rows.line_of(place.row) <= chosen[1]:
            strip = as_chosen(strip, rows.appearance)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(place.row)) is not None:
            style = rows.appearance.base + self.screen.get_component_rich_style("screen--selection")
            stop = None if span[1] == -1 else max(span[1] - start, 0)
            strip = with_selection(strip, row.text[start:], max(span[0] - start, 0), stop, style)
        return strip

    def _said_instead(self) -> Strip:
        """Why there are no lines."""
        document, words = self._document, ""
        if self.document is None or document.behind or not document.complete:
            pass
        elif document.query is not None and self.filtered and len(document.index):
            words = f"no line matches /{harmless(document.query.text)}: esc shows all"
        elif document.trouble == NO_LOG_YET:
            words = "no log yet: it is shown as soon as it is written"
        elif not document.trouble:
            words = "nothing is in this log yet"
        appearance = self._rows.appearance
        text = Strip([Segment(f" {words}" if words else "", appearance.base + appearance.note)])
        return text.crop_extend(0, appearance.width, appearance.base)

    def _appearance(self) -> Appearance:
        return appearance_of(
            self,
            wraps=self.wraps,
            times=self.times,
            columns=self._area.width,
            width=self.size.width,
            shift=self._shift,
        )

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
        self.refresh(self._area.region)

    def render(self) -> Text:
        return Text()
