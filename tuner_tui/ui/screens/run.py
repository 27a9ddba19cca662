"""Run: is it going well, and what is it doing right now?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.samples import Sample, last_sample
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import AnyReader, ReplayReader, RunView
from tuner_tui.ui.frame import TunerScreen
from tuner_tui.ui.log.panel import LogPanel
from tuner_tui.ui.run.answers import answer_words
from tuner_tui.ui.run.choice import Choice
from tuner_tui.ui.run.experiments import ExperimentsTable
from tuner_tui.ui.run.head import head_text
from tuner_tui.ui.run.lines import Lines
from tuner_tui.ui.run.pane import PANELS, LaunchPane
from tuner_tui.ui.run.phase import launch_phase
from tuner_tui.ui.run.requests import Requests
from tuner_tui.ui.run.tried import tried_text

FIGURES_S = 0.5
"""How often the figures of the launch in view are read."""
_SPEEDS = (1, 2, 5, 10, 20, 50, 100, 200, 500)

NO_RUN = (
    "No run is open.\n\n"
    "F2 lists your runs: Enter opens one. F3 edits a task, and ctrl+r there starts it.\n"
    "From the shell: tuner-tui attach, tuner-tui replay RUN."
)


class RunScreen(TunerScreen):
    """One run, live, over or played back."""

    MODE = "run"
    HELP_TEXT = (
        "The table has a row for each experiment: a configuration, by the flags that differ. RUNS are its launches:\n"
        "● done, ◐ under way, ○ to come, ✗ failed, ! invalid. ★ leads, ≈ cannot be told from the leader.\n"
        "Below is one launch, the live one until you move the cursor; 0 follows the live one again.\n"
        "The run goes on whatever you do here, unless you stop it (x). Leaving stops nothing.\n"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "request('pause')", "Pause", id="run.pause"),
        Binding("greater_than_sign", "speed(1)", "Faster", id="run.faster", key_display=">"),
        Binding("less_than_sign", "speed(-1)", "Slower", id="run.slower", key_display="<"),
        Binding("l,L", "request('load')", "Send load", id="run.load_on_demand", key_display="l"),
        Binding(
            "K", "request('skip')", "Skip", id="run.skip", tooltip="Give up the launch under way, go on with the next"
        ),
        Binding(
            "plus",
            "request('measure')",
            "Once more",
            id="run.measure",
            key_display="+",
            tooltip="One more launch of it",
        ),
        Binding("a", "request('add')", "Add", id="run.add", tooltip="Add configurations to the run"),
        Binding("x", "request('stop')", "Stop", id="run.stop", tooltip="End the run; it can be resumed"),
        Binding("r", "request('resume')", "Resume", id="run.resume"),
        Binding("v", "request('confirm')", "Confirm leaders", id="run.confirm", tooltip="Launch the leaders again"),
        Binding("c", "compare", "Compare", id="run.compare"),
        Binding("f", "full", "Full log", id="run.full"),
        Binding(
            "E", "edit_task", "Edit its task", id="run.edit_task", tooltip="For another run; this one stays as it is"
        ),
        Binding(
            "t",
            "request('try_out')",
            "Try",
            id="run.try",
            show=False,
            tooltip="Keep this configuration up for yourself",
        ),
        Binding("y", "request('copy')", "Copy the launch command", id="run.copy", show=False),
        Binding("0", "live", "Follow the live launch", id="run.live", show=False),
        Binding("comma", "launch(-1)", "Launch before", id="run.launch.before", key_display=",", show=False),
        Binding("full_stop", "launch(1)", "Launch after", id="run.launch.after", key_display=".", show=False),
        Binding("left_square_bracket", "panel(-1)", "Panel before", id="run.panel.before", key_display="[", show=False),
        Binding("right_square_bracket", "panel(1)", "Next panel", id="run.panel.next", key_display="]", show=False),
        Binding("1", "show_panel('log')", "Log", id="run.log", show=False),
        Binding("2", "show_panel('memory')", "Memory", id="run.memory", show=False),
        Binding("3", "show_panel('engine')", "Engine", id="run.engine", show=False),
        Binding("4", "show_panel('load')", "Load", id="run.load", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._choice = Choice()
        self._requests = Requests(self)
        self._reader: AnyReader | None = None
        self._answered = 0
        self._live_sample: Sample | None = None
        self._preparing: Sample | None = None
        self._last_words = ""

    def body(self) -> ComposeResult:
        yield Static(NO_RUN, id="run-trouble", markup=False)
        with Vertical(id="run-main"):
            yield Lines(id="run-head")
            yield ExperimentsTable(id="run-table")
            yield Lines(id="run-tried")
            yield LaunchPane(id="run-pane")

    @property
    def pane(self) -> LaunchPane:
        return self.query_one(LaunchPane)

    @property
    def table(self) -> ExperimentsTable:
        return self.query_one(ExperimentsTable)

    def on_mount(self) -> None:
        remembered = self.tuner.remembered.tabs.get("run.panel", "log")
        self.pane.panel = remembered if remembered in PANELS else "log"
        self.pane.fit(self.app.size.width, self.app.size.height)
        self.tuner.run_changed.subscribe(self, self._on_run)
        self._figures_timer = self.set_interval(FIGURES_S, self._read_figures)
        self.table.focus()
        self._draw()

    def on_screen_resume(self) -> None:
        self._draw()

    def on_screen_suspend(self) -> None:
        self._figures_timer.pause()

    def on_resize(self) -> None:  # type: ignore[override]
        self.pane.fit(self.app.size.width, self.app.size.height)

    # What is shown

    def _on_run(self, view: RunView) -> None:
        if self.is_current:
            self._draw()

    @property
    def _now(self) -> datetime:
        reader = self.tuner.reader
        return reader.now if reader is not None else datetime.now(UTC)

    def _draw(self) -> None:
        view, reader = self.tuner.view, self.tuner.reader
        snapshot = view.snapshot if view is not None else None
        self.set_class(snapshot is None, "-troubled")
        if view is None or snapshot is None:
            self.query_one("#run-trouble", Static).update(self.tuner.why_nothing(NO_RUN))
            self.set_title(view.folder.name if view is not None else "")
            return
        if reader is not self._reader:
            self._begin(reader, snapshot)
        self.set_title(view.folder.name)
        self.set_class(snapshot.kind == "try", "-try")
        self._tell_answers(snapshot)
        if view.condition == "died" and not self._last_words and reader is not None:
            self._last_words = reader.last_words()
        self._draw_moment(view, snapshot)
        experiment, launch = self._choice.of(snapshot)
        if experiment is not None:
            self.table.point_at(experiment.id)
        live = snapshot.launch is not None and launch is not None and launch.number == snapshot.launch.number
        self.pane.show(
            view.folder,
            snapshot,
            experiment,
            launch,
            live=live and view.alive,
            until=self._now if view.replay and not self._replay_over else None,
        )
        self.refresh_bindings()
        if self._goes_on(view):
            self._figures_timer.resume()
        else:
            self._figures_timer.pause()
            self.call_later(self._read_figures)  # what there is of them, and once

    def _goes_on(self, view: RunView) -> bool:
        return not self._replay_over if view.replay else view.alive

    def _draw_moment(self, view: RunView, snapshot: Snapshot) -> None:
        """What moves with the clock: at most once a second, and only what reads differently then."""
        now = self._now
        preparing, last_words, replay = self._preparing, self._last_words, self._replay_words()
        self.query_one("#run-head", Lines).show(
            lambda width, style: head_text(
                view, width, style, now=now, preparing=preparing, last_words=last_words, replay=replay
            )
        )
        if snapshot.kind == "try":
            self.query_one("#run-tried", Lines).show(lambda width, style: tried_text(view, now, style))
            return
        launch, sample = snapshot.launch if view.alive else None, self._live_sample
        self.table.show(
            snapshot,
            phase=lambda width: launch_phase(launch, sample, now, width) if launch is not None else "",
            over=not view.alive,
        )

    def _begin(self, reader: AnyReader | None, snapshot: Snapshot) -> None:
        """Another run is looked at."""
        self._reader = reader
        self._choice = Choice()
        self._answered = len(snapshot.commands)
        self._live_sample = self._preparing = None
        self._last_words = ""
        # Where there is no table nothing has the keys: in the log `l` would scroll (`L` sends load from there too).
        self.set_focus(None if snapshot.kind == "try" else self.table)

    def _tell_answers(self, snapshot: Snapshot) -> None:
        """The runner's answers to what was asked of it, by whomever."""
        new, self._answered = snapshot.commands[self._answered :], len(snapshot.commands)
        for taken in new:
            self.say(answer_words(taken), "information" if taken.accepted else "warning")

    # Figures

    async def _read_figures(self) -> None:
        """Also the clock of this screen, which stands still where nothing goes on, or nobody looks."""
        view = self.tuner.view
        snapshot = view.snapshot if view is not None else None
        if not self.is_current or view is None or snapshot is None:
            return
        if view.replay and not self._replay_over:
            self._draw()  # its clock moves what may be seen
        await self.pane.read()
        if view.alive:
            await self._read_doing(view, snapshot)
            if self.tuner.view is not None and self.tuner.view.snapshot is not None:
                self._draw_moment(self.tuner.view, self.tuner.view.snapshot)

    async def _read_doing(self, view: RunView, snapshot: Snapshot) -> None:
        launch = snapshot.launch
        if launch is not None:
            path = view.folder.launch(launch.number) / "samples.jsonl"
            if view.replay or path == self.pane.figures.path:
                self._live_sample = self.pane.figures.last if path == self.pane.figures.path else None
            else:
                self._live_sample = await asyncio.to_thread(last_sample, path)
        elif snapshot.preparation is not None and not view.replay:
            self._preparing = await asyncio.to_thread(last_sample, view.folder.samples)

    # Choosing

    @on(ExperimentsTable.Picked)
    def _picked(self, event: ExperimentsTable.Picked) -> None:
        self._choice.pick(event.experiment)
        self._draw()

    @on(ExperimentsTable.Entered)
    def _entered(self, event: ExperimentsTable.Entered) -> None:
        self._choice.pick(event.experiment)
        self._draw()
        self.pane.choose(self.pane.panel, focus=True)

    def action_live(self) -> None:
        self._choice.follow()
        self._draw()

    def action_launch(self, by: int) -> None:
        snapshot = self._snapshot()
        if snapshot is None:
            return
        if self._choice.step(snapshot, by):
            self._draw()
        else:
            self.say(f"no launch {'before' if by < 0 else 'after'} this one; the cursor chooses another experiment")

    def action_panel(self, by: int) -> None:
        self.pane.step(by)

    def action_show_panel(self, panel: str) -> None:
        self.pane.choose(panel, focus=True)

    @on(LaunchPane.PanelChosen)
    def _panel_chosen(self, event: LaunchPane.PanelChosen) -> None:
        self.tuner.remembered.tabs["run.panel"] = event.panel

    def action_full(self) -> None:
        self.toggle_class("-full")
        self.pane.show_full(self.has_class("-full"))
        if self.has_class("-full"):
            self.query_one(LogPanel).focus()
        else:
            self.table.focus()

    def action_back(self) -> None:
        """Out of the full log, out of a panel, out of the screen: one thing at a time."""
        if self.has_class("-full"):
            self.action_full()
        elif self.pane.has_focus_within and self.table.display:
            self.table.focus()
        else:
            super().action_back()

    def action_compare(self) -> None:
        self.tuner.show_mode("compare")

    def action_edit_task(self) -> None:
        view = self.tuner.view
        if view is not None and view.snapshot is not None:
            self.tuner.open_task_of(view.folder, Path(view.snapshot.task.file))

    # What is asked

    @property
    def experiment(self) -> ExperimentState | None:
        """The one that is looked at."""
        snapshot = self._snapshot()
        return self._choice.of(snapshot)[0] if snapshot is not None else None

    @property
    def launch(self) -> Launch | None:
        """The one that is looked at."""
        snapshot = self._snapshot()
        return self._choice.of(snapshot)[1] if snapshot is not None else None

    def _snapshot(self) -> Snapshot | None:
        return self.tuner.view.snapshot if self.tuner.view is not None else None

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        if action == "request":
            return self._requests.why_not(str(parameters[0]))
        if action == "speed" and not isinstance(self.tuner.reader, ReplayReader):
            return "this is no replay; from the shell: tuner-tui replay RUN"
        return ""

    async def action_request(self, name: str) -> None:
        """One of `Requests`, by its name."""
        done = getattr(self._requests, name)()
        if done is not None:
            await done
        self._draw()

    # A replay

    @property
    def _replay_over(self) -> bool:
        reader = self.tuner.reader
        return not isinstance(reader, ReplayReader) or reader.over

    def _replay_words(self) -> str:
        reader = self.tuner.reader
        if not isinstance(reader, ReplayReader):
            return ""
        how = "over" if reader.over else "paused" if reader.paused else f"×{reader.speed:g}"
        return f"REPLAY {how} {reader.now.astimezone():%H:%M:%S}"

    def action_speed(self, by: int) -> None:
        reader = self.tuner.reader
        if not isinstance(reader, ReplayReader):
            return
        place = min(range(len(_SPEEDS)), key=lambda index: abs(_SPEEDS[index] - reader.speed))
        reader.speed = float(_SPEEDS[min(len(_SPEEDS) - 1, max(0, place + by))])
        self._draw()
