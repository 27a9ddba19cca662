"""The table of experiments: a thousand rows, of which only those in view are ever drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tuner_tui.report.labels import differing_flags
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.judgement import Judgement
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.run.lines import style_of
from tuner_tui.ui.run.rows import Column, Marks, cell, columns, marks_of, score_words, state

_LEAST_WIDTH = 36
_ROOM_FOR_HEADINGS = 24
"""Lines of a terminal from which a flag's name may take two."""

Phase = Callable[[int], str]
"""What the launch under way is doing, in at most so many cells; "" where there is none."""


class ExperimentsTable(ScrollView, can_focus=True):
    """Rows are experiments, in their order. Says what the user does, never what the program does."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"experiments--heading", "experiments--cursor"}
    DEFAULT_CSS = """
    ExperimentsTable { background: $background; color: $foreground; overflow-x: auto; scrollbar-size-horizontal: 1; }
    ExperimentsTable:focus { background-tint: $foreground 5%; }
    ExperimentsTable > .experiments--heading { color: $text-muted; }
    ExperimentsTable > .experiments--cursor {
        color: $block-cursor-blurred-foreground;
        background: $block-cursor-blurred-background;
        text-style: $block-cursor-blurred-text-style;
    }
    ExperimentsTable:focus > .experiments--cursor {
        color: $block-cursor-foreground;
        background: $block-cursor-background;
        text-style: $block-cursor-text-style;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "Choose", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("left,h", "scroll_left", "Left", show=False),
        Binding("right", "scroll_right", "Right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("g,home,ctrl+home", "first", "Top", show=False),
        Binding("G,end,ctrl+end", "last", "Bottom", show=False),
    ]

    class Picked(Message):
        """The user wants to see this experiment."""

        def __init__(self, experiment: int) -> None:
            super().__init__()
            self.experiment = experiment

    class Entered(Message):
        """The user wants to go into this experiment."""

        def __init__(self, experiment: int) -> None:
            super().__init__()
            self.experiment = experiment

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns: tuple[Column, ...] = ()
        self._columns_for: tuple[object, ...] = ()
        self._differing: list[str] = []
        self._judgement: Judgement | None = None
        self._marks = Marks(None, frozenset(), frozenset(), frozenset(), {})
        self._snapshot: Snapshot | None = None
        self._phase: Phase = lambda width: ""
        self._doing = ""
        self._over = False
        self._heading_lines = 1
        """Lines above the rows that stay where they are."""
        self._row = 0
        self._base = Style()
        self._drawn: dict[int, tuple[tuple[object, ...], Strip]] = {}
        """Row → what it was made of, and what was made; without the cursor."""

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._anew())

    # What is shown

    @property
    def _experiments(self) -> tuple[ExperimentState, ...]:
        return self._snapshot.experiments if self._snapshot is not None else ()

    @property
    def chosen(self) -> int | None:
        """The experiment under the cursor; None in an empty table."""
        return self._experiments[self._row].id if self._row < len(self._experiments) else None

    def show(self, snapshot: Snapshot, *, phase: Phase, over: bool) -> None:
        """`phase`: what the launch under way is doing; `over`: no runner works on the run."""
        before = self.chosen
        self._snapshot, self._phase, self._over = snapshot, phase, over
        if snapshot.judgement is not self._judgement:
            self._judgement, self._marks = snapshot.judgement, marks_of(snapshot)
            self._differing = differing_flags(snapshot)
        if before is not None and self.chosen != before:
            self._row = self._row_of(before) or 0
        self._arrange(snapshot)
        for row in self._rows_in_view:
            drawn = self._drawn.get(row)
            if drawn is not None and drawn[0] != self._seen(snapshot.experiments[row], snapshot):
                self.refresh_line(row + self._heading_lines)

    def _arrange(self, snapshot: Snapshot) -> None:
        """Columns for the width there is, and room for the rows."""
        width = max(_LEAST_WIDTH, self.size.width - 1)
        most = max((each.wanted for each in snapshot.experiments), default=1)
        lines = 2 if self.app.size.height >= _ROOM_FOR_HEADINGS else 1
        judged = id(self._judgement)
        wanted = (width, tuple(self._differing), len(snapshot.experiments), most, lines, self._over, judged)
        if wanted != self._columns_for:
            self._columns_for = wanted
            self._columns = columns(
                snapshot.experiments,
                self._differing,
                width,
                longest_state=self._longest_state(snapshot) if self._over else None,
                longest_score=max(
                    (
                        len(score_words(snapshot.objective, each.score.value))
                        for each in snapshot.experiments
                        if each.score
                    ),
                    default=0,
                ),
                heading_lines=lines,
            )
            self._heading_lines = 1 + max(each.heading.count("\n") for each in self._columns)
            rows = len(snapshot.experiments) + self._heading_lines
            self.virtual_size = Size(sum(each.width for each in self._columns), rows)
            self._anew()
        self._doing = self._phase(next(each.room for each in self._columns if each.key == "state"))

    def _longest_state(self, snapshot: Snapshot) -> int:
        words = (state(each, self._marks, self._style, over=True)[0] for each in snapshot.experiments)
        return max(map(len, words), default=0)

    def _anew(self) -> None:
        self._drawn.clear()
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        if self._snapshot is not None:
            self._arrange(self._snapshot)
            self._scroll_to_cursor()

    @property
    def _page_rows(self) -> int:
        """Whole rows that are in view."""
        return max(1, self.scrollable_content_region.height - self._heading_lines)

    @property
    def _rows_in_view(self) -> range:
        first = self.scroll_offset.y
        return range(first, min(len(self._experiments), first + self._page_rows))

    def _row_of(self, experiment: int) -> int | None:
        return next((row for row, each in enumerate(self._experiments) if each.id == experiment), None)

    def point_at(self, experiment: int) -> None:
        """Moves the cursor there, without a word."""
        if self.chosen != experiment and (row := self._row_of(experiment)) is not None:
            self._place(row)

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = self.rich_style  # it is asked of all ancestors: once for all lines
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        left, top = self.scroll_offset
        width = self.size.width
        if y < self._heading_lines:
            strip = self._heading(y)
        else:
            row = y - self._heading_lines + top
            snapshot = self._snapshot
            if snapshot is None or row >= len(snapshot.experiments):
                return Strip.blank(width, self._base)
            strip = self._row_strip(row, snapshot)
            if row == self._row:
                look = self.get_component_rich_style("experiments--cursor")
                strip = Strip([Segment(part.text, (part.style or Style()) + look) for part in strip], strip.cell_length)
                return strip.crop_extend(left, left + width, look)
            strip = strip.apply_style(self._base)
        return strip.crop_extend(left, left + width, self._base)

    def _heading(self, line: int) -> Strip:
        look = self.get_component_rich_style("experiments--heading")
        words = ""
        for each in self._columns:
            lines = each.heading.split("\n")
            at = line - (self._heading_lines - len(lines))
            part = lines[at] if at >= 0 else ""
            words += (part.rjust(each.room) if each.right else part).ljust(each.width)
        return Strip([Segment(words, look)])

    def _row_strip(self, row: int, snapshot: Snapshot) -> Strip:
        experiment = snapshot.experiments[row]
        seen = self._seen(experiment, snapshot)
        drawn = self._drawn.get(row)
        if drawn is not None and drawn[0] == seen:
            return drawn[1]
        doing = self._doing if self._under_way(experiment, snapshot) else ""
        segments = []
        for column in self._columns:
            text = cell(
                column,
                experiment,
                snapshot.objective,
                self._differing,
                self._marks,
                self._style,
                doing=doing,
                over=self._over,
            )
            text.pad_right(column.width - text.cell_len)
            segments.append(Segment(text.plain, text.style if isinstance(text.style, Style) else None))
        strip = Strip(segments)
        self._drawn[row] = seen, strip
        return strip

    def _seen(self, experiment: ExperimentState, snapshot: Snapshot) -> tuple[object, ...]:
        """What a row is made of; it is drawn anew where this differs."""
        marks, number = self._marks, experiment.id
        return (
            experiment,
            number == marks.leader,
            number in marks.tied,
            number in marks.breaks,
            number in marks.borderline,
            marks.differences.get(number),
            self._over,
            self._doing if self._under_way(experiment, snapshot) else "",
        )

    @staticmethod
    def _under_way(experiment: ExperimentState, snapshot: Snapshot) -> bool:
        return snapshot.launch is not None and snapshot.launch.experiment == experiment.id

    def _style(self, name: str) -> Style:
        return style_of(self, name)

    # What the user does

    def _place(self, row: int) -> None:
        """The cursor stands on that row, or the nearest there is, and is in view."""
        before, self._row = self._row, max(0, min(row, len(self._experiments) - 1))
        if self._row != before:
            self.refresh_line(before + self._heading_lines)
            self.refresh_line(self._row + self._heading_lines)
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        if not self.size:
            return  # how many rows are in view is not known yet; `on_resize` comes next
        top = self.scroll_offset.y
        wanted = min(max(top, self._row - self._page_rows + 1), self._row)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True)

    def _go(self, row: int) -> None:
        self._place(row)
        if (chosen := self.chosen) is not None:
            self.post_message(self.Picked(chosen))

    def action_enter(self) -> None:
        if (chosen := self.chosen) is not None:
            self.post_message(self.Entered(chosen))

    def action_move(self, by: int) -> None:
        self._go(self._row + by)

    def action_page(self, by: int) -> None:
        """Rows and cursor move together: the cursor stays where it is on the terminal."""
        rows = by * self._page_rows
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True)
        self._go(self._row + rows)

    def action_first(self) -> None:
        self._go(0)

    def action_last(self) -> None:
        self._go(len(self._experiments) - 1)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._heading_lines:
            return
        row = offset.y - self._heading_lines + self.scroll_offset.y
        if row >= len(self._experiments):
            return
        again = row == self._row
        self._go(row)
        if again:
            self.action_enter()
