"""A table whose rows are shown anew without losing the place, with the keys people expect."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable


class TunerTable(DataTable[Text]):
    """Rows by key. `show_rows` changes only the cells that differ, so that nothing moves when nothing happens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("h", "cursor_left", "Left", show=False),
        Binding("l", "cursor_right", "Right", show=False),
        Binding("g,home", "scroll_top", "Top", show=False),
        Binding("G,end", "scroll_bottom", "Bottom", show=False),
    ]

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        if not self.row_count or not self.is_valid_coordinate(self.cursor_coordinate):
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def show_rows(self, rows: dict[str, list[Text]]) -> None:
        """Key → cells, in order. The cursor stays on its row; where that is gone, on what stands in its place."""
        old = [row.key.value for row in self.ordered_rows]
        if old == list(rows):
            changes = [
                (key, column.key, cell)
                for key, cells in rows.items()
                for column, before, cell in zip(self.ordered_columns, self.get_row(key), cells, strict=True)
                if before != cell or before.spans != cell.spans or before.style != cell.style
            ]
            if changes:
                self._set_widths(rows)
            for key, column_key, cell in changes:
                self.update_cell(key, column_key, cell, update_width=True)
            return
        chosen, top = self.cursor_key, self.scroll_y
        self.clear()
        self._set_widths(rows)
        for key, cells in rows.items():
            self.add_row(*cells, key=key)
        if chosen in rows:
            self.move_cursor(row=list(rows).index(chosen), scroll=False)
        elif chosen is not None and rows:
            self.move_cursor(row=min(old.index(chosen), len(rows) - 1), scroll=False)
        self.scroll_to(y=top, animate=False)

    def _set_widths(self, rows: dict[str, list[Text]]) -> None:
        """Textual measures when it is idle, and keeps what it has painted before then in the widths of before. Nor does
        it take rows that are gone into account."""
        for column, *cells in zip(self.ordered_columns, *rows.values(), strict=True):
            column.content_width = max(map(_width, (column.label, *cells)))


def _width(text: Text) -> int:
    return max(map(cell_len, text.plain.split("\n")))
