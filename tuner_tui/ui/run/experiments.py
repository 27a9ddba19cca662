"""The table of experiments: a thousand rows, of which only changed cells are touched."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message

from tuner_tui.report.labels import differing_flags
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.judgement import Judgement
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.run.lines import Lines, style_of
from tuner_tui.ui.run.rows import Column, Marks, cell, columns, marks_of
from tuner_tui.ui.table import TunerTable


class ExperimentsTable(TunerTable):
    """Rows are experiments, their keys the ids. Posts `Picked` when the user moves the cursor, never by itself."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{name}" for name in Lines.NAMES}
    DEFAULT_CSS = Lines.DEFAULT_CSS.replace("Lines", "ExperimentsTable")

    class Picked(Message):
        """The user wants to see this experiment."""

        def __init__(self, experiment: int) -> None:
            super().__init__()
            self.experiment = experiment

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=0)
        self._columns: tuple[Column, ...] = ()
        self._differing: list[str] = []
        self._judgement: Judgement | None = None
        self._marks = Marks(None, frozenset(), frozenset(), frozenset(), {})
        self._drawn: dict[str, tuple[object, ...]] = {}
        self._snapshot: Snapshot | None = None
        self._doing = ""
        self._over = False

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._anew())

    def show(self, snapshot: Snapshot, *, doing: str, over: bool) -> None:
        """`doing`: what the launch under way is doing; `over`: no runner works on the run."""
        self._snapshot, self._doing, self._over = snapshot, doing, over
        if snapshot.judgement is not self._judgement:
            self._judgement, self._marks = snapshot.judgement, marks_of(snapshot)
            self._differing = differing_flags(snapshot)
        if not self.size.width:
            return  # else a thousand rows are made twice; `on_resize` comes next
        wanted = columns(snapshot.experiments, self._differing, max(40, self.size.width - 1))
        keys = [str(each.id) for each in snapshot.experiments]
        if wanted != self._columns or keys != list(self._drawn):
            self._build(wanted, snapshot)
        else:
            self._update(snapshot)

    def on_resize(self, event: events.Resize) -> None:
        if self._snapshot is not None:
            self.show(self._snapshot, doing=self._doing, over=self._over)

    def _anew(self) -> None:
        if self._snapshot is not None:
            self._columns = ()
            self.show(self._snapshot, doing=self._doing, over=self._over)

    def point_at(self, experiment: int) -> None:
        """Moves the cursor there, without a word."""
        key = str(experiment)
        if key in self._drawn and self.cursor_key != key:
            self.move_cursor(row=self.get_row_index(key), animate=False)

    def _build(self, wanted: tuple[Column, ...], snapshot: Snapshot) -> None:
        chosen, top = self.cursor_key, self.scroll_y
        self.clear(columns=wanted != self._columns)
        if wanted != self._columns:
            self._columns = wanted
            for column in wanted:
                heading = column.heading.rjust(column.room) if column.right else column.heading
                self.add_column(Text(heading), width=column.width, key=column.key)
        self._drawn = {}
        for experiment in snapshot.experiments:
            key = str(experiment.id)
            self._drawn[key] = self._seen(experiment, snapshot)
            self.add_row(*(self._cell(column, experiment, snapshot) for column in self._columns), key=key)
        if chosen in self._drawn and chosen is not None:
            self.move_cursor(row=self.get_row_index(chosen), scroll=False)
            self.scroll_to(y=top, animate=False)

    def _update(self, snapshot: Snapshot) -> None:
        for experiment in snapshot.experiments:
            key = str(experiment.id)
            seen = self._seen(experiment, snapshot)
            before = self._drawn[key]
            if seen == before:
                continue
            self._drawn[key] = seen
            only_doing = seen[:-1] == before[:-1]
            for column in self._columns:
                if not only_doing or column.key == "state":
                    new = self._cell(column, experiment, snapshot)
                    old = self.get_cell(key, column.key)
                    if new.plain != old.plain or new.style != old.style:
                        self.update_cell(key, column.key, new)

    def _seen(self, experiment: ExperimentState, snapshot: Snapshot) -> tuple[object, ...]:
        """What a row is made of; its cells are looked at again where this differs."""
        marks, number = self._marks, experiment.id
        return (
            id(experiment),
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

    def _cell(self, column: Column, experiment: ExperimentState, snapshot: Snapshot) -> Text:
        doing = self._doing if self._under_way(experiment, snapshot) else ""
        return cell(
            column,
            experiment,
            snapshot.objective,
            self._differing,
            self._marks,
            self._style,
            doing=doing,
            over=self._over,
        )

    def _style(self, name: str) -> Style:
        return style_of(self, name)

    # What the user does

    def _picked(self) -> None:
        if (key := self.cursor_key) is not None:
            self.post_message(self.Picked(int(key)))

    def action_cursor_up(self) -> None:
        super().action_cursor_up()
        self._picked()

    def action_cursor_down(self) -> None:
        super().action_cursor_down()
        self._picked()

    def action_page_up(self) -> None:
        super().action_page_up()
        self._picked()

    def action_page_down(self) -> None:
        super().action_page_down()
        self._picked()

    def action_scroll_top(self) -> None:
        super().action_scroll_top()
        self._picked()

    def action_scroll_bottom(self) -> None:
        super().action_scroll_bottom()
        self._picked()

    async def _on_click(self, event: events.Click) -> None:
        await super()._on_click(event)
        self._picked()
