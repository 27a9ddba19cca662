"""The plan beside the grid: how many launches, how long, which configurations, and the command of the chosen one."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import DataTable, Static

from tuner_tui.engines.launch import launch_spec
from tuner_tui.report.words import configuration_words, duration_words, value_words
from tuner_tui.runs.events import Excluded, Experiment, levels_of
from tuner_tui.ui.fit import headings
from tuner_tui.ui.table import TunerTable
from tuner_tui.ui.task.outlook import Outlook

LISTED = 300
"""Configurations in the list; the rest is counted."""


class PlanPanel(Vertical):
    """Renders an `Outlook`."""

    def __init__(self) -> None:
        super().__init__(id="plan-box", classes="box")
        self._outlook: Outlook | None = None
        self._columns: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield Static("", id="plan-summary", markup=False)
        yield TunerTable(id="plan-list", cursor_type="row")
        with VerticalScroll(id="plan-command-box"):
            yield Static("", id="plan-command", markup=False)

    def on_mount(self) -> None:
        self.border_title = "Plan"

    def show(self, outlook: Outlook) -> None:
        self._outlook = outlook
        self.query_one("#plan-summary", Static).update(_summary(outlook))
        self._show_list(outlook)
        self._show_command()

    def on_resize(self) -> None:
        if self._outlook is not None:
            self._show_list(self._outlook)

    def _show_list(self, outlook: Outlook) -> None:
        table = self.query_one(TunerTable)
        most = max(5, (self.size.width - 6) // max(1, len(outlook.differing)) - 2)
        columns = ("#", *headings(outlook.differing, most))
        if columns != self._columns:
            self._columns = columns
            table.clear(columns=True)
            for key, name in zip(("#", *outlook.differing), columns, strict=True):
                table.add_column(Text(name), key=key)
        table.show_rows(self._rows(outlook))
        table.display = bool(table.row_count)

    def _rows(self, outlook: Outlook) -> dict[str, list[Text]]:
        if outlook.plan is None:
            return {}
        rows: dict[str, list[Text]] = {}
        for each in outlook.plan.experiments[:LISTED]:
            cells = ["–" if each.id == 0 else value_words(each.configuration, name) for name in outlook.differing]
            mark = f"{each.id} baseline" if each.baseline else str(each.id)
            rows[str(each.id)] = [Text(mark, "dim", no_wrap=True), *(Text(cell, no_wrap=True) for cell in cells)]
        for index, left_out in enumerate(outlook.plan.excluded[:LISTED]):
            cells = [value_words(left_out.configuration, name) for name in outlook.differing]
            rows[f"x{index}"] = [Text("✗", "dim"), *(Text(cell, "dim strike", no_wrap=True) for cell in cells)]
        return rows

    @property
    def chosen(self) -> Experiment | Excluded | None:
        """What the list's cursor is on."""
        planned = self._outlook.plan if self._outlook else None
        key = self.query_one(TunerTable).cursor_key
        if planned is None or key is None:
            return None
        if key.startswith("x"):
            return planned.excluded[int(key[1:])]
        return next((each for each in planned.experiments if str(each.id) == key), None)

    @property
    def command(self) -> str:
        """The line that starts the chosen configuration; "" where there is none."""
        chosen, outlook = self.chosen, self._outlook
        if not isinstance(chosen, Experiment) or outlook is None or outlook.task is None or outlook.plan is None:
            return ""
        return launch_spec(outlook.task, chosen.configuration, outlook.plan.gpus[: chosen.gpus_needed]).shell_line()

    @on(DataTable.RowHighlighted, "#plan-list")
    def _show_command(self) -> None:
        chosen, outlook = self.chosen, self._outlook
        words = Text(overflow="fold")
        if isinstance(chosen, Excluded):
            words.append(f"{configuration_words(chosen.configuration)}: left out\n", "bold")
            words.append(chosen.reason)
        elif chosen is not None and outlook is not None:
            name = " baseline" if chosen.baseline else ""
            gpus = f" · {_count(chosen.gpus_needed, 'GPU')}" if chosen.gpus_needed else ""
            words.append(f"#{chosen.id}{name}{gpus}", "bold")
            words.append("  y copy  t try\n", "dim")
            words.append(self.command)
        self.query_one("#plan-command", Static).update(words)


def _summary(outlook: Outlook) -> Text:
    words = Text()
    planned, guess, task = outlook.plan, outlook.guess, outlook.task
    if planned is None or guess is None or task is None:
        why = outlook.trouble or "no plan while the task has mistakes"
        return words.append(why, "" if outlook.trouble else "dim")
    kept, launches = len(planned.experiments), task.search.launches
    words.append(_count(kept, "configuration"), "bold")
    if launches > 1:
        words.append(f" × {launches} launches")
    words.append(f" = {_count(outlook.launches, 'launch')}")
    levels = levels_of(task)
    words.append(f"\n{_gpus(outlook)} · {_count(len(levels), 'level')}")
    total_s = guess.total_s if task.search.budget_s is None else min(guess.total_s, task.search.budget_s)
    words.append(f"\nabout {_roughly(total_s)}", "bold")
    words.append(f", each {_roughly(guess.start_s + guess.load_s)}")
    if planned.excluded:
        words.append(f"\n{len(planned.excluded):,} left out: ✗ says why")
    if kept > LISTED:
        words.append(f"\nthe first {LISTED} are listed")
    for note in planned.notes:
        words.append(f"\n{note}", "dim")
    if outlook.trouble:
        words.append(f"\n✗ {outlook.trouble}")
    return words


def _roughly(seconds: float) -> str:
    """An estimate, no more exact than it is."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    step_s = 10 if seconds < 180 else 60
    return duration_words(round(seconds / step_s) * step_s)


def _gpus(outlook: Outlook) -> str:
    assert outlook.plan is not None
    needs = {each.gpus_needed for each in outlook.plan.experiments}
    if not needs or needs == {0}:
        return "no GPU"
    low, high = min(needs), max(needs)
    return f"{low} GPU{'s' if low > 1 else ''} each" if low == high else f"{low} to {high} GPUs each"


def _count(number: int, what: str) -> str:
    plural = "es" if what.endswith("ch") else "s"
    return f"{number:,} {what}" + ("" if number == 1 else plural)
