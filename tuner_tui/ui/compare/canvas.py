"""Where charts are shown. Drawing one takes up to half a second the first time: a thread does it, and keys go on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual import work
from textual.widgets import Static

from tuner_tui.ui.compare.chart import Chart, ChartInput
from tuner_tui.ui.compare.stack import stack
from tuner_tui.ui.run.lines import MIN_WIDTH, Lines, style_of

MIN_HEIGHT = 4
_TELL_AFTER_S = 0.1
"""A chart that takes longer says so; until then the one before stays."""


class Canvas(Static):
    """Shows a chart, drawn for the room there is, and others below it, anew where anything about them differs."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._charts: Sequence[tuple[str, Chart]] = ()
        self._given: ChartInput | None = None
        self._wanted: tuple[object, ...] = ()
        self._shown: tuple[object, ...] = ()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._draw())

    def on_resize(self) -> None:
        self._draw()

    def show(self, charts: Sequence[tuple[str, Chart]], given: ChartInput) -> None:
        """`charts`: see `stack`."""
        self._charts, self._given = charts, given
        self._draw()

    def _draw(self) -> None:
        charts, given = self._charts, self._given
        if not charts or given is None or not self.content_size:
            return
        width, height = max(MIN_WIDTH, self.content_size.width), max(MIN_HEIGHT, self.content_size.height)
        looks = {name: style_of(self, name) for name in Lines.NAMES}
        snapshot = given.snapshot
        wanted = (
            *(charts[0][1].id, given.experiments, given.parameter, given.folder),
            *(snapshot.experiments, snapshot.verdict, snapshot.levels),
            *(width, height, tuple(looks.values())),
        )
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self.set_timer(_TELL_AFTER_S, lambda: self._tell(wanted, charts[0][1]))
        self._draw_apart(wanted, charts, given, width, height, looks)

    # Without a description Textual makes one of all arguments, and a run of a thousand experiments takes it 0.3 s.
    @work(thread=True, exclusive=True, group="chart", description="draws a chart")
    def _draw_apart(
        self,
        wanted: tuple[object, ...],
        charts: Sequence[tuple[str, Chart]],
        given: ChartInput,
        width: int,
        height: int,
        looks: dict[str, Style],
    ) -> None:
        drawn = stack(charts, given, width, height, looks.__getitem__)
        self.app.call_from_thread(self._take, wanted, drawn)

    def _take(self, wanted: tuple[object, ...], drawn: Text) -> None:
        if wanted == self._wanted:  # else another was asked for meanwhile
            self._shown = wanted
            self.update(drawn, layout=False)

    def _tell(self, wanted: tuple[object, ...], chart: Chart) -> None:
        if wanted == self._wanted != self._shown and self._shown[:1] != wanted[:1]:
            self.update(f"drawing: {chart.title} …", layout=False)
