"""Compare: which one, and can I believe it?"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace
from rich.style import Style
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Input, Static

from tuner_tui.report.deployment import chosen_experiment
from tuner_tui.report.export import FORMATS, exported
from tuner_tui.report.labels import differing_flags, labels
from tuner_tui.report.results import replace_file
from tuner_tui.runs.folder import RunFolder, list_runs
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import RunReader, RunView
from tuner_tui.ui.compare.canvas import Canvas
from tuner_tui.ui.compare.charts import CHARTS, ChartInput
from tuner_tui.ui.compare.choose import ChooseExperiments, ChooseOne
from tuner_tui.ui.compare.table import MOST_COLUMNS, STATISTICS, MetricsTable, Sheet, Wanted, sheet
from tuner_tui.ui.compare.verdict import verdict_text
from tuner_tui.ui.confirmation import confirm_leaders, why_no_confirmation
from tuner_tui.ui.frame import TunerScreen
from tuner_tui.ui.line_input import LineInput
from tuner_tui.ui.run.lines import Lines

NO_RUN = (
    "No run is open.\n\n"
    "F2 lists your runs: c compares the one under the cursor. F4 shows a run while it goes on.\n"
    "From the shell: tuner-tui attach."
)
_EVIDENCE_LINES = 30
"""Terminals lower than this have no room for what the verdict rests on; the summary and docs say it."""


class CompareScreen(TunerScreen):
    """The verdict, the experiments side by side, charts; works while the run goes on."""

    MODE = "compare"
    HELP_TEXT = (
        "A column for each experiment, a row for each metric. ★ is better than all others shown, ≈ cannot be told\n"
        "from the best, ? is ahead after single launches. Percentages are to the column marked ⚓ (b pins another).\n"
        "The line below the table says the figure under the cursor with its 95 % interval. Each row stands for\n"
        "itself: of twenty rows of equals, one will show a difference by chance (docs/verdict.md).\n"
        "Charts: [ and ] or the digits; docs/charts.md says how each is read, and what it does not show.\n"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "confirm", "Confirm", id="compare.confirm", tooltip="Launch the leaders again"),
        Binding("t", "turn", "Charts", id="compare.turn", tooltip="The chart in place of the table, or back"),
        Binding("x", "export", "Export", id="compare.export"),
        Binding("b", "pin", "Baseline", id="compare.pin", tooltip="Hold the others against this column"),
        Binding("space", "choose", "Choose", id="compare.choose", tooltip="Which experiments are shown"),
        Binding("s", "sort", "Sort", id="compare.sort", tooltip="Order the columns by this row"),
        Binding("m", "statistic", "Statistic", id="compare.statistic", tooltip="mean, p50, p90, p99, all"),
        Binding("slash", "filter", "Filter", id="compare.filter", key_display="/"),
        Binding("i", "failed", "Invalid too", id="compare.failed", show=False),
        Binding("plus", "other", "Add a run", id="compare.other", key_display="+", show=False),
        Binding("p", "parameter", "Parameter of the chart", id="compare.parameter", show=False),
        Binding("left_square_bracket", "chart(-1)", "Chart before", id="compare.chart.before", show=False),
        Binding("right_square_bracket", "chart(1)", "Next chart", id="compare.chart.next", key_display="]"),
        *(
            Binding(str(number + 1), f"show_chart({number})", chart.title, id=f"compare.chart.{chart.id}", show=False)
            for number, chart in enumerate(CHARTS)
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._wanted = Wanted()
        self._folder: RunFolder | None = None
        self._chart = 0
        self._parameter: str | None = None
        self._other: Snapshot | None = None
        self._drawn: tuple[object, ...] = ()
        """What the table is to be made of …"""
        self._compared: tuple[object, ...] | None = None
        """… and what it was last made of."""

    def body(self) -> ComposeResult:
        yield Static(NO_RUN, id="compare-trouble", markup=False)
        with Vertical(id="compare-main"):
            yield Lines(id="compare-verdict")
            with Horizontal(id="compare-panes"):
                with Vertical(id="compare-left", classes="box"):
                    yield MetricsTable(id="compare-table")
                    yield Static("", id="compare-detail", markup=False)
                with Vertical(id="compare-right", classes="box"):
                    yield Canvas(id="compare-chart")
            yield LineInput(placeholder="rows whose name has these words: e2e p99", id="compare-filter")

    @property
    def table(self) -> MetricsTable:
        return self.query_one(MetricsTable)

    def on_mount(self) -> None:
        self.query_one("#compare-filter").display = False
        self.query_one("#compare-left").border_title = "Metrics"
        remembered = self.tuner.remembered.tabs.get("compare.chart", "")
        self._chart = next((at for at, chart in enumerate(CHARTS) if chart.id == remembered), 0)
        self.tuner.run_changed.subscribe(self, self._on_run)
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._draw(anew=True))
        self.table.focus()
        self._draw()

    def on_screen_resume(self) -> None:
        self._draw()

    def _on_run(self, view: RunView) -> None:
        if self.is_current:
            self._draw()

    @property
    def snapshot(self) -> Snapshot | None:
        return self.tuner.view.snapshot if self.tuner.view is not None else None

    # What is shown

    def _draw(self, *, anew: bool = False) -> None:
        view, snapshot = self.tuner.view, self.snapshot
        self.set_class(snapshot is None, "-troubled")
        if view is None or snapshot is None:
            self.query_one("#compare-trouble", Static).update(self.tuner.why_nothing(NO_RUN))
            self.set_title(view.folder.name if view is not None else "")
            return
        if view.folder != self._folder:
            self._folder, self._wanted, self._other, self._parameter = view.folder, Wanted(), None, None
            anew = True
        self.set_title(view.folder.name)
        high = self.app.size.height >= _EVIDENCE_LINES
        # The judgement is another one whenever a launch has ended; what happens within a launch shows nothing here.
        drawn = (snapshot.judgement, self._wanted, self._other, view.alive, high)
        if anew or drawn != self._drawn:
            self._drawn = drawn
            can_confirm = not why_no_confirmation(view)
            self.refresh_bindings()
            self.query_one("#compare-verdict", Lines).show(
                lambda width, style: verdict_text(snapshot, style, evidence=high, can_confirm=can_confirm)
            )
            # A thread that computes while this one paints makes keys wait for both: one after the other.
            self.call_after_refresh(
                self._compare, drawn, snapshot, self._wanted, self.table.styles_by_name, self._other
            )
        elif self._compared is self._drawn:
            self._draw_chart(snapshot, view.folder)

    @work(thread=True, exclusive=True, group="sheet", description="compares")
    def _compare(
        self,
        drawn: tuple[object, ...],
        snapshot: Snapshot,
        wanted: Wanted,
        style: dict[str, Style],
        other: Snapshot | None,
    ) -> None:
        """Critical values that were not needed before take a while, and so do many experiments."""
        shown = sheet(snapshot, wanted, style, other)
        self.app.call_from_thread(self._show_sheet, drawn, shown)

    def _show_sheet(self, drawn: tuple[object, ...], shown: Sheet) -> None:
        snapshot, folder = self.snapshot, self._folder
        if drawn is not self._drawn or snapshot is None or folder is None:
            return  # another is being made
        self._compared = drawn
        self.table.show(shown)
        self._name_table(shown)
        self._show_detail()
        self.call_after_refresh(self._draw_chart, snapshot, folder)

    def _name_table(self, shown: Sheet) -> None:
        parts = ["Metrics", self._wanted.statistic]
        if len(shown.experiments) > MOST_COLUMNS:
            parts.append(f"{MOST_COLUMNS} of {len(shown.experiments):,}, space chooses")
        if self._other is not None:
            parts.append(f"B: {self._other.run}")
        if self._wanted.words:
            parts.append(f"/{self._wanted.words}")
        if not any(" " in key for key in shown.rows):
            over = self.tuner.view is not None and not self.tuner.view.alive
            nothing = "nothing was measured: F4 says why" if over else "nothing measured yet"
            parts.append("no row fits" if self._wanted.words else nothing)
        self.query_one("#compare-left").border_title = " · ".join(parts)

    def _draw_chart(self, snapshot: Snapshot, folder: RunFolder) -> None:
        named = [(f"{number} {chart.title}", chart) for number, chart in enumerate(CHARTS, 1)]
        charts = [*named[self._chart :], *named[: self._chart]]
        pane = self.query_one("#compare-right")
        pane.border_title = charts[0][0]
        pane.border_subtitle = f"] next of {len(CHARTS)}"
        compared = self.table.experiments
        given = ChartInput(snapshot=snapshot, experiments=compared, folder=folder, parameter=self._parameter)
        self.query_one(Canvas).show(charts, given)

    def on_resize(self) -> None:  # type: ignore[override]
        self.call_after_refresh(self._draw)
        self.refresh_bindings()

    @on(DataTable.CellHighlighted)
    def _show_detail(self) -> None:
        detail = self.query_one("#compare-detail", Static)
        words = self.table.detail
        if detail.content != words:
            detail.update(words)

    # Choosing

    def _want(self, **changes: object) -> None:
        self._wanted = replace(self._wanted, **changes)
        self._draw()

    def action_pin(self) -> None:
        key = self.table.column_key
        if key is None or not key.isdigit():
            self.say("put the cursor on a column of this run first", "warning")
            return
        self._want(reference=None if self._wanted.reference == int(key) else int(key))

    def action_choose(self) -> None:
        if (snapshot := self.snapshot) is None:
            return
        names = labels(snapshot)
        ranked = list(snapshot.verdict.ranking)
        ids = [*ranked, *(each.id for each in snapshot.experiments if each.id not in ranked)]

        def chosen(ids: tuple[int, ...] | None) -> None:
            if ids is not None:
                self._want(chosen=ids)

        self.app.push_screen(ChooseExperiments([(each, names[each]) for each in ids], self._wanted.chosen), chosen)

    def action_sort(self) -> None:
        key = self.table.row_key or ""
        measured = key not in ("score", "launches", "limits") and not key.startswith("traffic ")
        self._want(sort_by=key if measured and key != self._wanted.sort_by else "")
        name = f"{self.table.get_row(key)[0].plain}, best first" if self._wanted.sort_by else "the verdict"
        self.say(f"columns ordered by {name}")

    def action_statistic(self) -> None:
        known = (*STATISTICS, "all")
        self._want(statistic=known[(known.index(self._wanted.statistic) + 1) % len(known)])

    def action_failed(self) -> None:
        self._want(failed=not self._wanted.failed)
        self.say(
            "failed and invalid experiments are shown" if self._wanted.failed else "only valid experiments are shown"
        )

    def action_filter(self) -> None:
        box = self.query_one("#compare-filter", Input)
        box.display = True
        box.focus()

    @on(Input.Changed, "#compare-filter")
    def _filtered(self, event: Input.Changed) -> None:
        self._want(words=event.value)

    @on(Input.Submitted, "#compare-filter")
    def _filter_done(self) -> None:
        self.query_one("#compare-filter").display = False
        self.table.focus()

    def action_back(self) -> None:
        box = self.query_one("#compare-filter", Input)
        if box.display or self._wanted.words:
            box.clear()
            self._want(words="")
            box.display = False
            self.table.focus()
        else:
            super().action_back()

    # Charts

    def action_chart(self, by: int) -> None:
        self.action_show_chart((self._chart + by) % len(CHARTS))

    def action_show_chart(self, number: int) -> None:
        self._chart = number
        self.tuner.remembered.tabs["compare.chart"] = CHARTS[number].id
        if not self.query_one("#compare-right").display:
            self.add_class("-chart")
        self.call_after_refresh(self._turned)

    def action_turn(self) -> None:
        """Where only one fits: the table or the chart."""
        self.toggle_class("-chart")
        self.call_after_refresh(self._turned)

    def _turned(self) -> None:
        self.refresh_bindings()
        self._draw()

    def action_parameter(self) -> None:
        if (snapshot := self.snapshot) is None:
            return
        flags = differing_flags(snapshot)

        def chosen(flag: str | None) -> None:
            if flag is not None:
                self._parameter = flag
                self.action_show_chart(next(at for at, chart in enumerate(CHARTS) if chart.id == "parameter"))

        self.app.push_screen(ChooseOne("By which flag?", [(flag, flag) for flag in flags], "no flag differs"), chosen)

    # Another run beside

    def action_other(self) -> None:
        if self._other is not None:
            self._other = None
            self._draw()
            return
        runs_dir = self.tuner.launcher.runs_dir
        try:
            folders = [each for each in list_runs(runs_dir) if each != self._folder][:50]
        except OSError as error:
            self.say(f"{runs_dir} cannot be read: {error.strerror}", "error")
            return
        options = [(str(each.path), each.name) for each in folders]

        def chosen(path: str | None) -> None:
            if path is not None:
                self._read_other(RunFolder(Path(path)))

        self.app.push_screen(ChooseOne("Which run beside this one?", options, "there is no other run"), chosen)

    @work(thread=True, exclusive=True, group="other", exit_on_error=False)
    def _read_other(self, folder: RunFolder) -> None:
        view = RunReader(folder).read()
        self.app.call_from_thread(self._show_other, view)

    def _show_other(self, view: RunView | None) -> None:
        if view is None or view.snapshot is None:
            self.say(view.trouble if view is not None else "the run cannot be read", "error")
            return
        mine = self.snapshot
        theirs = {level.name for level in view.snapshot.levels}
        if mine is not None and not theirs & {level.name for level in mine.levels}:
            self.say(
                f"{view.folder.name} has no level of this run's traffic: only start-up and memory compare", "warning"
            )
        self._other = view.snapshot
        self._draw()

    # Taking away, and going on

    def action_export(self) -> None:
        if self.snapshot is None or self._folder is None:
            self.say("no run is open; F2 lists them", "warning")
            return
        options = [(name, f"{each.file:<16} {each.title}") for name, each in FORMATS.items()]
        self.app.push_screen(ChooseOne(f"Export to {self._folder.path}", options), self._export)

    def _export(self, name: str | None) -> None:
        if name is not None and self.snapshot is not None and self._folder is not None:
            self._write(name, self.snapshot, self._folder)

    @work(thread=True, group="export", exit_on_error=False, description="writes a file")
    def _write(self, name: str, snapshot: Snapshot, folder: RunFolder) -> None:
        path = folder.path / FORMATS[name].file
        try:
            replace_file(path, exported(snapshot, name, chosen_experiment(snapshot)))
        except (OSError, ValueError) as error:
            why = f"{path}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
            self.app.call_from_thread(self.say, f"not written: {why}", "error")
            return
        self.app.call_from_thread(self.say, f"written: {path}")

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        view = self.tuner.view
        if view is None:
            return "" if action == "back" else "no run is open; F2 lists them"
        if action == "confirm":
            return why_no_confirmation(view)
        if action == "turn" and (self.has_class("-wide") or self.has_class("-huge")):
            return "table and chart stand side by side here"
        of_table = action in ("pin", "sort", "statistic", "filter")
        if of_table and self.is_mounted and not self.query_one("#compare-left").display:
            return "that is the table's: t shows it"
        return ""

    def action_confirm(self) -> None:
        assert self.tuner.view is not None
        confirm_leaders(self.tuner, self.tuner.view)
