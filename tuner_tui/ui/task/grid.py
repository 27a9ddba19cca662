"""The grid: flags with their values above, what they mean in between, the other settings below."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import DataTable, Static

from tuner_tui.engines.catalogue import Flag, catalogue
from tuner_tui.engines.flag_words import kind_words
from tuner_tui.engines.registry import ENGINES
from tuner_tui.ui.fit import cut_end, cut_middle, shares
from tuner_tui.ui.table import TunerTable
from tuner_tui.ui.task.outlook import FlagRow, Outlook, Row, SettingRow


class Grid(Vertical):
    """Renders an `Outlook`; what shall be changed is the screen's to carry out."""

    class Edit(Message):
        """The row under the cursor shall be edited."""

    def __init__(self) -> None:
        super().__init__(id="grid")
        self._outlook: Outlook | None = None
        self._flags: dict[str, FlagRow] = {}
        self._settings: dict[str, SettingRow] = {}
        self._changed = ""
        self._values_room = self._setting_room = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="flags-box", classes="box"):
            yield TunerTable(id="flags", cursor_type="row")
            yield Static("no flag yet: the engine as it is. a adds one", id="no-flags", markup=False)
        yield Static("", id="meaning", markup=False)
        with Vertical(id="settings-box", classes="box"):
            yield TunerTable(id="settings", cursor_type="row", show_header=False)

    def on_mount(self) -> None:
        self.query_one("#flags-box").border_title = "Parameters"
        self.query_one("#settings-box").border_title = "Traffic, goal & machine"
        flags = self.query_one("#flags", TunerTable)
        for column in ("FLAG", "N", "VALUES"):
            flags.add_column(column, key=column)
        settings = self.query_one("#settings", TunerTable)
        for column in ("SETTING", "VALUE"):
            settings.add_column(column, key=column)
        self.query_one("#no-flags").display = False

    def show(self, outlook: Outlook) -> None:
        """A broken text has no rows; the last ones stay, and the sentence below says what is wrong."""
        self._outlook = outlook
        if not outlook.broken:
            before: dict[str, Row] = {**self._flags, **self._settings}
            self._flags = {row.key: row for row in outlook.flags}
            self._settings = {row.key: row for row in outlook.settings}
            rows: tuple[Row, ...] = (*outlook.flags, *outlook.settings)
            self._changed = next((row.key for row in rows if before.get(row.key) != row), "")
        self._show_rows()

    def on_resize(self) -> None:
        if self._outlook is not None:
            self._show_rows()

    def _show_rows(self) -> None:
        flags, settings = self.query_one("#flags", TunerTable), self.query_one("#settings", TunerTable)
        names = {key: self._mark(key) + row.name for key, row in self._flags.items()}
        values = [len(row.values) for row in self._flags.values()]
        # Beside them: the border, a scroll bar, the padding of three columns, the count.
        width = (self.size.width or 200) - 2 - 1
        room = width - 6 - 2
        widths = shares(max(map(len, names.values()), default=0), max(values, default=0), room)
        self._values_room = widths[1]
        flags.show_rows({key: self._flag_cells(row, names[key], *widths) for key, row in self._flags.items()})
        self.query_one("#no-flags").display = not self._flags
        flags.display = bool(self._flags)
        labels = {key: self._mark(key) + row.setting.label for key, row in self._settings.items()}
        value = max((len(row.value) for row in self._settings.values()), default=0)
        widths = shares(max(map(len, labels.values()), default=0), value, width - 4)
        self._setting_room = widths[1]
        settings.show_rows({key: self._setting_cells(row, labels[key], *widths) for key, row in self._settings.items()})
        self._explain()

    def _mark(self, key: str) -> str:
        problem = self._outlook.problem_at(key) if self._outlook else None
        return "" if problem is None else "✗ " if problem.severity == "error" else "! "

    def _flag_cells(self, row: FlagRow, name: str, most_name: int, most_values: int) -> list[Text]:
        style = "bold" if row.count > 1 else ""
        count = "·" if row.count == 1 else str(row.count) if row.count else "?"
        return [
            Text(cut_middle(name, most_name), style, no_wrap=True),
            Text(count, "dim", justify="right", no_wrap=True),
            Text(cut_end(row.values, most_values), style, no_wrap=True),
        ]

    def _setting_cells(self, row: SettingRow, label: str, most_label: int, most_value: int) -> list[Text]:
        return [
            Text(cut_middle(label, most_label), "dim", no_wrap=True),
            Text(cut_end(row.value, most_value), "" if row.given else "dim italic", no_wrap=True),
        ]

    # What the cursor is on

    @property
    def chosen(self) -> Row | None:
        settings = self.query_one("#settings", TunerTable)
        if settings.has_focus:
            return self._settings.get(settings.cursor_key or "")
        return self._flags.get(self.query_one("#flags", TunerTable).cursor_key or "")

    def row(self, key: str) -> Row | None:
        return self._flags.get(key) or self._settings.get(key)

    def flag_of(self, row: FlagRow) -> Flag | None:
        """What the engine's catalogue knows of it."""
        engine = self._outlook.reading.engine if self._outlook else None
        if engine not in ENGINES or row.path == ("linked",):
            return None
        return catalogue(ENGINES[engine].catalogue).find(str(row.path[1]))

    def go_to(self, key: str) -> None:
        """Puts the cursor on a row."""
        for place, rows in (("#flags", self._flags), ("#settings", self._settings)):
            if key in rows:
                table = self.query_one(place, TunerTable)
                table.move_cursor(row=list(rows).index(key))
                table.focus()

    def go_to_change(self) -> None:
        """Puts the cursor on the row that the last text changed; where it took one out, it stays."""
        self.go_to(self._changed)

    def go_to_mistake(self) -> None:
        """Puts the cursor on the first row with an error, where there is one."""
        wrong = (key for key in (*self._flags, *self._settings) if self._mark(key).startswith("✗"))
        self.go_to(next(wrong, ""))

    @on(DataTable.RowHighlighted)
    def _moved(self) -> None:
        self._explain()

    def on_descendant_focus(self) -> None:
        self._explain()

    @on(DataTable.RowSelected)
    def _selected(self) -> None:
        self.post_message(self.Edit())

    def _explain(self) -> None:
        """The row's problem first, then what is known of it."""
        row = self.chosen
        words = Text()
        if row is not None and self._outlook is not None:
            problem = self._outlook.problem_at(row.key)
            if problem is not None:
                mark = "✗" if problem.severity == "error" else "!"
                name = str(row.path[-1]) if isinstance(row, FlagRow) else row.setting.label
                words.append(f"{mark} {name}: {problem.message}\n", "bold")
            if isinstance(row, SettingRow):
                if len(row.value) > self._setting_room:
                    words.append(f"{row.value}\n")
                words.append(row.setting.hint, "dim")
            else:
                words.append_text(self._flag_words(row))
        self.query_one("#meaning", Static).update(words)

    def _flag_words(self, row: FlagRow) -> Text:
        flag = self.flag_of(row)
        if flag is None:
            if row.path == ("linked",):
                words = Text(f"{row.name.removeprefix('linked: ')}: {row.values}\n")
                return words.append("alternatives that vary together, one axis of the grid", "dim")
            unchecked = row.path[0] == "unchecked"
            return Text("passed on as it is" if unchecked else "the engine's catalogue does not know it", "dim")
        words = Text.assemble((flag.name, "bold"), f"  {kind_words(flag)}")
        if len(row.values) > self._values_room:
            words.append(f"\n{row.values}")
        for part in (flag.does, flag.trades):
            if part:
                words.append(f"\n{part}" if part == flag.does else f" {part}", "dim")
        return words
