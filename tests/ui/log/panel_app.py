"""An app of nothing but the log panel, and what a test asks of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tuner_tui.ui.log.panel import LogPanel
from tuner_tui.ui.log.view import LogView


class PanelApp(App[None]):
    def __init__(self, path: Path | None, language: str | None = "sglang") -> None:
        super().__init__()
        self._path, self._language = path, language
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        yield LogPanel(id="log")

    def on_mount(self) -> None:
        self.panel.show(self._path, language=self._language, title="#1")
        self.panel.focus()

    def on_log_panel_said(self, said: LogPanel.Said) -> None:
        self.said.append(said.text)

    @property
    def panel(self) -> LogPanel:
        return self.query_one(LogPanel)

    @property
    def view(self) -> LogView:
        return self.panel.view

    @property
    def current(self) -> int | None:
        """The line gone to, from 0."""
        return self.view.viewport.choice.current

    @property
    def status(self) -> str:
        return self.on_screen()[0]

    def on_screen(self) -> list[str]:
        """What is on the screen, as text."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    def shown(self) -> list[str]:
        """The rows of the log on the screen, without margin and scroll bar."""
        width = self.view.page_columns
        return [line[1:width].rstrip() for line in self.on_screen()[1:]]


async def until(pilot: Pilot[None], condition: Callable[[], bool], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await pilot.pause(0.01)


@asynccontextmanager
async def shown_log(
    path: Path | None, language: str | None = "sglang", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[PanelApp, Pilot[None]]]:
    """The panel once it has read all there is."""
    app = PanelApp(path, language)
    async with app.run_test(size=size) as pilot:
        await settled(app, pilot)
        yield app, pilot


async def settled(app: PanelApp, pilot: Pilot[None]) -> None:
    """Waits until the view has read, searched and marked all there is, and shows it."""
    document = app.view.document
    if document is None:
        await pilot.pause()
        return

    def done() -> bool:
        if not document.path.is_file():
            return bool(document.trouble)
        size = document.path.stat().st_size
        if document.limit_bytes is not None:
            size = min(size, document.limit_bytes)
        searched = document.query is None or document.searched == len(document.index)
        read = document.index.end == size and document.complete
        return read and searched and document.marked_to_end and app.view.up_to_date

    await until(pilot, done)
    await pilot.pause()
