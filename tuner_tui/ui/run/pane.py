"""The lower half: the launch that is looked at, by its log, memory, engine and load."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message

from tuner_tui.engines.facts import Memory
from tuner_tui.engines.registry import ENGINES
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.log.panel import LogPanel
from tuner_tui.ui.run.engine import engine_text
from tuner_tui.ui.run.launch_line import launch_line
from tuner_tui.ui.run.lines import Lines, Styles
from tuner_tui.ui.run.live import Language, LiveFigures, StartMemory
from tuner_tui.ui.run.load import load_text
from tuner_tui.ui.run.memory import memory_text

PANELS = ("log", "memory", "engine", "load")
_TITLES = {"log": "Log", "memory": "Memory", "engine": "Engine", "load": "Load"}
SIDE_BY_SIDE = 120
"""Columns from which the log has a neighbour …"""
ALL = 36
"""… and lines from which that is all three."""


class Figures(VerticalScroll, can_focus=True):
    """One panel that is no log: text that may be longer than its box."""

    def __init__(self, panel: str) -> None:
        super().__init__(id=f"run-{panel}", classes="run-figures")
        self._panel = panel

    def compose(self) -> ComposeResult:
        yield Lines(id=f"run-{self._panel}-text")

    def on_mount(self) -> None:
        self.border_title = _TITLES[self._panel]

    @property
    def lines(self) -> Lines:
        return self.query_one(Lines)


class LaunchPane(Vertical):
    """Shows one launch of one run. `panel` is the one that is seen where there is room for one."""

    DEFAULT_CSS: ClassVar[str] = ""

    class PanelChosen(Message):
        """Another panel is shown."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.panel = "log"
        self.full = False
        """The log alone is shown."""
        self.figures = LiveFigures()
        self._room = (0, 0)
        self._log: tuple[str, int] | None = None
        self._shown: tuple[Snapshot, Launch | None] | None = None
        self._live = False
        self._until: datetime | None = None
        self._language: Language = ""
        self._starting: StartMemory | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="run-launch")
        yield Lines(id="run-tabs")
        with Horizontal(id="run-panels"):
            with Vertical(id="run-log"):
                yield LogPanel(id="run-log-panel")
            with Vertical(id="run-right"):
                for panel in PANELS[1:]:
                    yield Figures(panel)

    def on_mount(self) -> None:
        self.query_one("#run-log").border_title = "Log"

    # Which panels there are room for

    def fit(self, columns: int, lines: int) -> None:
        """The terminal's size has changed, or another panel is chosen."""
        self._room = columns, lines
        beside, everything = columns >= SIDE_BY_SIDE, columns >= SIDE_BY_SIDE and lines >= ALL
        second = "load" if self.panel == "log" else self.panel
        seen = {
            panel: everything or panel == self.panel or (beside and panel == "log") or (beside and panel == second)
            for panel in PANELS
        }
        if self.full:
            seen = {panel: panel == "log" for panel in PANELS}
        for panel, visible in seen.items():
            self.query_one(f"#run-{panel}").display = visible
        self.query_one("#run-right").display = any(seen[panel] for panel in PANELS[1:])
        self.query_one("#run-tabs").display = not everything and not self.full
        self.set_class(everything, "-all")
        self.query_one("#run-tabs", Lines).show(self._tabs)

    def _tabs(self, width: int, style: Styles) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, panel in enumerate(PANELS, 1):
            name = f"{number} {_TITLES[panel]}"
            if panel == self.panel:
                text.append(f"[{name}]", Style(bold=True, reverse=True))
            else:
                text.append(f" {name} ", style("dim"))
            text.append(" ")
        return text.append("─" * max(0, width - text.cell_len), style("dim"))

    def choose(self, panel: str, *, focus: bool) -> None:
        """Shows that panel; `focus`: keys go to it too."""
        within = self.has_focus_within
        self.panel = panel
        self.fit(*self._room)
        if focus or within:
            target = self.query_one(LogPanel) if panel == "log" else self.query_one(f"#run-{panel}")
            target.focus()
        self.post_message(self.PanelChosen(panel))

    def show_full(self, full: bool) -> None:
        self.full = full
        self.fit(*self._room)

    def step(self, by: int) -> None:
        """The next panel; where all are seen it gets the keys, for else nothing would happen."""
        self.choose(PANELS[(PANELS.index(self.panel) + by) % len(PANELS)], focus=self.has_class("-all"))

    # What is shown

    def show(
        self,
        folder: RunFolder,
        snapshot: Snapshot,
        experiment: ExperimentState | None,
        launch: Launch | None,
        *,
        live: bool,
        until: datetime | None,
    ) -> None:
        """`live`: that launch is under way now. `until`: a replay's moment, beyond which nothing has happened yet."""
        self._shown, self._live, self._until = (snapshot, launch), live, until
        line = self.query_one("#run-launch", Lines)
        if experiment is None:
            line.show(lambda width, style: Text("no experiment in this run", style("dim")))
        else:
            line.show(lambda width, style: launch_line(snapshot, experiment, launch, width, style, live=live))
        self._show_log(folder, snapshot, launch)
        self.query_one(LogPanel).view.grows = live
        self.figures.follow(folder.launch(launch.number) / "samples.jsonl" if launch is not None else None)
        self.draw_figures()

    def _show_log(self, folder: RunFolder, snapshot: Snapshot, launch: Launch | None) -> None:
        wanted = (str(folder.path), launch.number) if launch is not None else None
        log = self.query_one(LogPanel)
        if wanted == self._log and (wanted is not None or log.view.document is None):
            return
        self._log = wanted
        if launch is None:
            log.show(None, language=None, title="")
            return
        engine = ENGINES.get(snapshot.task.engine)
        self._language = engine.log_language if engine is not None else ""
        log.show(
            folder.launch(launch.number) / "container.log",
            language=self._language or None,
            title=f"#{launch.experiment} launch {launch.number}",
        )

    async def read(self) -> None:
        """Twice a second: takes in what is new of the launch's figures, and draws it."""
        new = await self.figures.read(self._until)
        self._limit_log()
        if await self._read_log() or new:
            self.draw_figures()

    def _limit_log(self) -> None:
        """In a replay the log ends where it did then; samples older than its field tell nothing, and it is whole."""
        limit = None
        if self._until is not None:
            last = self.figures.last
            limit = 0 if last is None else last.log_bytes
        log = self.query_one(LogPanel)
        if log.limit_bytes != limit:
            log.limit_bytes = limit

    async def _read_log(self) -> bool:
        """Until the launch is ready its log alone tells of its memory; whether it has told more."""
        if self._shown is None or not self._live or self._until is not None:
            return False
        _, launch = self._shown
        path = self.figures.path
        if launch is None or launch.start_s is not None or path is None:
            return False
        if self._starting is None or self._starting.path.parent != path.parent:
            self._starting = StartMemory(path.parent / "container.log", self._language)
        before = self._starting.memory
        await asyncio.to_thread(self._starting.read)
        return self._starting.memory != before

    def draw_figures(self) -> None:
        """Memory, engine and load anew; only what is visible costs anything."""
        if self._shown is None:
            return
        snapshot, launch = self._shown
        history, live = self.figures.history, self._live
        if launch is None:
            for each in self.query(Figures):
                each.lines.show(lambda width, style: Text("not launched yet", style("dim")))
            return
        sample = history.last
        last_gpus = next((each for each in reversed(history.samples) if each.gpus), None)

        memory, starting = launch.memory, self._starting
        if memory == Memory() and live and starting is not None and starting.path.parent == self._folder_in_view:
            memory = starting.memory
        self._figures("memory").show(
            lambda width, style: memory_text(
                memory,
                last_gpus,
                launch.gpus,
                width,
                style,
                simulated=snapshot.simulated,
                ready=launch.start_s is not None,
                live=live,
            )
        )
        self._figures("engine").show(lambda width, style: engine_text(history, width, style, live=live))
        self._figures("load").show(lambda width, style: load_text(snapshot, launch, sample, width, style, live=live))

    @property
    def _folder_in_view(self) -> Path | None:
        return self.figures.path.parent if self.figures.path is not None else None

    def _figures(self, panel: str) -> Lines:
        return self.query_one(f"#run-{panel}", Figures).lines

    @on(LogPanel.Said)
    def _said(self, event: LogPanel.Said) -> None:
        event.stop()
        self.app.notify(event.text, severity=event.severity, markup=False)
