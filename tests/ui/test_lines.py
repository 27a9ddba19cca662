"""Text that knows its width."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Vertical, VerticalScroll

from tuner_tui.ui.run.lines import Lines, Styles


def fewer_lines_where_it_is_wide(width: int, style: Styles) -> Text:
    return Text("\n".join(["figure"] * (9 if width < 30 else 5)) + "\n" + "where it comes from " * 4)


class OneBox(App[None]):
    CSS: ClassVar[str] = "#column { height: 1fr; } #box { height: auto; max-height: 30%; }"

    def compose(self) -> ComposeResult:
        with Vertical(id="column"), VerticalScroll(id="box"):
            yield Lines()

    def on_mount(self) -> None:
        self.query_one(Lines).show(fewer_lines_where_it_is_wide)


async def test_a_box_is_as_high_as_its_text_at_the_width_it_gets() -> None:
    """The text is first drawn before its width is known, and has more lines then."""
    app = OneBox()
    async with app.run_test(size=(60, 30)) as pilot:
        for _ in range(3):
            await pilot.pause()
        box = app.query_one("#box")
        assert (box.size.height, box.show_vertical_scrollbar) == (7, False)
