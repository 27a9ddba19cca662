"""Home: what was I doing, what can I do?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tuner_tui.task.found import TASK_SUFFIXES
from tuner_tui.task.paths import is_file, is_folder, with_home
from tuner_tui.task.samples import sample
from tuner_tui.ui.fit import cut_end
from tuner_tui.ui.frame import AFTER_PAINT_S, TunerScreen
from tuner_tui.ui.home.task_lines import TaskLine, task_lines
from tuner_tui.ui.line_input import LineInput
from tuner_tui.ui.path_input import PathInput

if TYPE_CHECKING:
    from textual.widgets import DataTable

    from tuner_tui.runs.folder import RunFolder
    from tuner_tui.runs.overview import Overview
    from tuner_tui.ui.table import TunerTable

_REFRESH_S = 2.0
_MOST_RUNS = 200
"""Older ones are found by `tuner-tui runs` and the filter of nobody's patience."""

WELCOME = (
    "Welcome. This finds the launch flags that make SGLang or vLLM fastest for you.\n"
    "d runs a demo: simulated, no GPU, half a minute. Enter edits a sample task.\n"
    "Runs go on when you leave (ctrl+q) or lose the connection. ? is help."
)

_MARKS = {
    "running": "▶",
    "paused": "‖",
    "winner": "★",
    "tie": "≈",
    "unconfirmed": "?",
    "failed": "✗",
    "died": "✗",
    "none": "✗",
    "unreadable": "✗",
}


_RUN_COLUMNS = ("", "STATE", "RUN", "TASK", "DONE", "BEST", "AGE")
_LEAST = 12
"""Cells that a column keeps however little room there is."""
_LIVE = ("running", "paused")
_RESUMABLE = ("stopped", "died", "failed")


def _state(run: Overview) -> str:
    return "no result" if run.condition == "none" else run.condition


def _plain(rows: dict[str, list[Text]]) -> list[list[str]]:
    return [[cell.plain for cell in cells] for cells in rows.values()]


class HomeScreen(TunerScreen):
    """Recent runs and tasks."""

    MODE = "home"
    HELP_TEXT = (
        "Home lists your runs, newest first, and tasks to start from: those you had open, those in the working folder, "
        "and the samples. Enter opens what is under the cursor: a run is watched, live or over; a task is edited.\n\n"
        "n begins a new task from a template, of which nothing is written before you save or start it; o opens a file."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_task", "New task", id="home.new"),
        Binding("o", "open_file", "Open a file", id="home.open"),
        Binding("d", "demo", "Demo", id="home.demo"),
        Binding("r", "resume", "Resume", id="home.resume"),
        Binding("p", "replay", "Replay", id="home.replay", show=False),
        Binding("c", "compare", "Compare", id="home.compare"),
        Binding("slash", "filter", "Filter", id="home.filter", key_display="/"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, Overview] = {}
        self._tasks: dict[str, TaskLine] = {}
        self._filter = ""
        self._unlisted = ""
        """Why there is no list of runs, in a sentence."""
        self._run_table: TunerTable | None = None
        self._task_table: TunerTable | None = None

    def body(self) -> ComposeResult:
        welcome = Static(WELCOME, id="welcome", markup=False)
        welcome.display = self.tuner.first_start
        yield welcome
        with Vertical(id="runs-box", classes="box") as box:
            box.border_title = "Runs"
            yield Static("", id="no-runs", markup=False)
            trouble = Static("", id="home-trouble", markup=False)
            trouble.display = False
            yield trouble
        with Vertical(id="tasks-box", classes="box") as box:
            box.border_title = "Tasks"

    def on_mount(self) -> None:
        self.set_interval(_REFRESH_S, self._refresh)

    def on_screen_resume(self) -> None:
        # After the paint: reading journals and tasks may take a moment, and until then the tables are empty.
        self.call_after_refresh(self.set_timer, AFTER_PAINT_S, self._fill)

    async def _fill(self) -> None:
        if self._run_table is None:
            await self._make_tables()
        self._refresh()
        self._list_tasks()

    async def _make_tables(self) -> None:
        from tuner_tui.ui.table import TunerTable

        runs, tasks = TunerTable(id="runs", cursor_type="row"), TunerTable(id="tasks", cursor_type="row")
        for column in _RUN_COLUMNS:
            runs.add_column(column, key=column)
        for column in ("", "TASK", "ENGINE", "WHAT"):
            tasks.add_column(column, key=column)
        self._run_table, self._task_table = runs, tasks
        await self.query_one("#runs-box").mount(runs, before=0)
        await self.query_one("#tasks-box").mount(tasks)
        if self.focused is None:
            runs.focus()

    def _refresh(self) -> None:
        if self.is_current:
            self._read_runs()

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        if action in ("resume", "replay", "compare", "filter") and not self._runs:
            return "there is no run yet: d runs the demo, Enter on a task opens it"
        if action == "resume" and self.is_mounted and (folder := self._chosen_run()) is not None:
            run = self._runs[str(folder.path)]
            if run.condition not in _LIVE and (run.condition not in _RESUMABLE or run.kind != "tune"):
                return f"{folder.name} is over; nothing is left to do. Enter shows it, c compares"
        return ""

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        if event.data_table is self._run_table:
            self.refresh_bindings()
            self._tell_trouble()

    # Runs

    @work(thread=True, exclusive=True, group="runs", exit_on_error=False)
    def _read_runs(self) -> None:
        """A run that is over is read once; the journals of live ones again each time."""
        from tuner_tui.runs.folder import list_runs
        from tuner_tui.runs.overview import overview

        found: dict[str, Overview] = {}
        runs_dir = self.tuner.launcher.runs_dir
        try:
            folders = list_runs(runs_dir)[:_MOST_RUNS]
        except OSError as error:
            folders, self._unlisted = [], f"{runs_dir} cannot be read: {error.strerror}"
        else:
            self._unlisted = ""
        for folder in folders:
            known = self._runs.get(str(folder.path))
            stale = known is None or known.condition in ("running", "paused", "died") or self._grew(folder, known)
            found[str(folder.path)] = overview(folder) if stale or known is None else known
        self.app.call_from_thread(self._show_runs, found)

    def _grew(self, folder: RunFolder, known: Overview) -> bool:
        """A finished run goes on where it is resumed or confirmed."""
        try:
            return folder.journal.stat().st_mtime_ns != known.journal_ns
        except OSError:
            return True

    def _show_runs(self, found: dict[str, Overview]) -> None:
        first = bool(found) != bool(self._runs)
        self._runs = found
        if first:
            self.refresh_bindings()
        table = self._run_table
        if table is None:
            return
        rows = {key: self._row(run) for key, run in found.items() if self._fits(run)}
        self._fit(rows)
        table.show_rows(rows)
        self._tell_trouble()
        empty = self.query_one("#no-runs", Static)
        empty.display = not rows
        table.display = bool(rows)
        if not rows:
            empty.update(
                self._unlisted or "no run fits the filter"
                if self._unlisted or self._filter
                else "no run yet; d runs the demo, Enter on a task below opens it"
            )
            if (self.focused is table or self.focused is None) and self._task_table is not None:
                self._task_table.focus()

    def _row(self, run: Overview) -> list[Text]:
        from tuner_tui.runs.overview import age

        style = {"running": "bold", "winner": "bold"}.get(run.condition, "dim" if run.condition == "unreadable" else "")
        name = f"{run.created_at.astimezone():%m-%d %H:%M}" if run.created_at else run.folder.name
        task = run.task + (" (simulated)" if run.simulated else "")
        best = run.best if run.condition != "unreadable" else "why: below"
        since = age(run.created_at) if run.created_at else ""
        cells = [_MARKS.get(run.condition, " "), _state(run), name, task, run.progress, best, since]
        return [Text(cell, style=style, no_wrap=True, overflow="ellipsis") for cell in cells]

    def _fit(self, rows: dict[str, list[Text]]) -> None:
        """Cuts what is too long for the room, scores last."""
        widths = [max(map(cell_len, column)) for column in zip(_RUN_COLUMNS, *_plain(rows), strict=True)]
        # Beside the cells: two borders, a scroll bar, the padding of the columns.
        over = sum(widths) + 2 * len(widths) + 3 - self.size.width
        for column in ("TASK", "RUN", "BEST"):
            at = _RUN_COLUMNS.index(column)
            most = max(_LEAST, widths[at] - over)
            if over > 0 and widths[at] > most:
                over -= widths[at] - most
                for cells in rows.values():
                    cells[at].truncate(most, overflow="ellipsis")

    def _tell_trouble(self) -> None:
        """Why the run under the cursor cannot be read, whole."""
        folder = self._chosen_run()
        run = self._runs[str(folder.path)] if folder is not None else None
        line = self.query_one("#home-trouble", Static)
        line.display = run is not None and bool(run.trouble)
        if run is not None and line.content != run.trouble:
            line.update(run.trouble)

    def _fits(self, run: Overview) -> bool:
        words = f"{_state(run)} {run.folder.name} {run.task} {run.engine}".lower()
        return all(part in words for part in self._filter.lower().split())

    def _chosen_run(self) -> RunFolder | None:
        key = self._run_table.cursor_key if self._run_table is not None else None
        return self._runs[key].folder if key in self._runs else None

    # Tasks

    @work(thread=True, exclusive=True, group="tasks", exit_on_error=False)
    def _list_tasks(self) -> None:
        found = task_lines(self.tuner.remembered.recent, self.tuner.launcher.models_dir)
        self.app.call_from_thread(self._show_tasks, found)

    def _show_tasks(self, found: dict[str, TaskLine]) -> None:
        self._tasks = found
        if self._task_table is None:
            return
        # Beside the cells: two borders, a scroll bar, the padding of four columns.
        widths = [
            max(map(len, column)) for column in zip(TaskLine("", "TASK", "ENGINE", ""), *found.values(), strict=True)
        ]
        most = max(12, self.size.width - 2 - 1 - 8 - sum(widths[:3]))
        self._task_table.show_rows(
            {
                key: [Text(line.kind, "dim"), Text(line.name), Text(line.engine), Text(cut_end(line.what, most), "dim")]
                for key, line in found.items()
            }
        )

    def on_resize(self, event: events.Resize) -> None:
        if self._runs:
            self._show_runs(self._runs)
        self._show_tasks(self._tasks)

    # Actions

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if event.data_table is self._task_table:
            self.tuner.open_task(Path(str(event.row_key.value)))
        elif folder := self._chosen_run():
            self.tuner.open_run(folder)

    def action_new_task(self) -> None:
        self.tuner.new_task()

    def action_demo(self) -> None:
        from tuner_tui.ui.starting import start_run

        start_run(self.tuner, "starting the demo …", lambda: self.tuner.launcher.start(sample("demo")))

    def action_resume(self) -> None:
        from tuner_tui.ui.starting import resume_run

        if (folder := self._chosen_run()) is None:
            return
        if self._runs[str(folder.path)].condition in _LIVE:
            self.tuner.open_run(folder)
        else:
            resume_run(self.tuner, folder)

    def action_replay(self) -> None:
        if folder := self._chosen_run():
            try:
                self.tuner.replay(folder)
            except Exception as error:  # whatever a folder may hold becomes a sentence
                self.say(f"cannot be played back: {error}", "error")

    def action_compare(self) -> None:
        if folder := self._chosen_run():
            self.tuner.open_run(folder, mode="compare")

    def action_filter(self) -> None:
        self._type_into("#home-filter")

    @on(Input.Changed, "#home-filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        self._filter = event.value
        self._show_runs(self._runs)

    @on(Input.Submitted, "#home-filter")
    def _filter_done(self) -> None:
        self.query_one("#home-filter").display = bool(self._filter)
        self._focus_list()

    def action_open_file(self) -> None:
        self._type_into("#home-path")

    def _type_into(self, name: str) -> None:
        box = self._line(name)
        box.display = True
        self.set_focus(box)

    def _line(self, name: str) -> LineInput:
        """Made when it is first typed into: the first paint does without."""
        if not self.query(name):
            made = LineInput(placeholder="filter runs by state, name or task", id="home-filter")
            if name == "#home-path":
                told = "path of a task file (.yaml, .json); Tab completes"
                made = PathInput(placeholder=told, id="home-path", suffixes=TASK_SUFFIXES)
            self.query_one("#body").mount(made)
        return self.query_one(name, LineInput)

    @on(Input.Submitted, "#home-path")
    def _path_given(self, event: Input.Submitted) -> None:
        if not event.value.strip():
            self.action_back()
            return
        path = with_home(event.value.strip())
        if not is_file(path):
            self.say(f"{path} {'is a folder' if is_folder(path) else 'is not there'}; expected a task file", "error")
            return
        event.input.display = False
        event.input.clear()
        self.tuner.open_task(path)

    def action_back(self) -> None:
        for box in self.query(Input):
            if box.display:
                box.display = False
                box.clear()
        self._focus_list()

    def _focus_list(self) -> None:
        runs, tasks = self._run_table, self._task_table
        if runs is not None and tasks is not None:
            (runs if runs.display else tasks).focus()
