"""Following a run from the foreground: its events as lines on standard error, the user's signals as commands."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

import click

from tuner_tui.report.labels import labels
from tuner_tui.report.words import duration_words, milliseconds
from tuner_tui.runs.commands import Stop, append_command
from tuner_tui.runs.events import (
    AnyEvent,
    LaunchFailing,
    LaunchFinished,
    LaunchStarted,
    LevelFailed,
    LevelFinished,
    LoadTried,
    PreparationFinished,
    PreparationStarted,
    RunFinished,
    ServerReady,
    now,
)
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalUnreadable
from tuner_tui.runs.lock import holder
from tuner_tui.runs.progress import progress
from tuner_tui.runs.samples import last_sample
from tuner_tui.runs.state import Launch, Snapshot
from tuner_tui.runs.view import RunReader, RunView
from tuner_tui.search.verdict import quantity

_POLL_S = 0.05


class Follower:
    """Reads one run's folder to the end of the run. Only a reader: what it asks goes through commands.jsonl."""

    def __init__(
        self, folder: RunFolder, *, guess_s: float = 0.0, on_ready: Callable[[str], None] | None = None
    ) -> None:
        self._folder = folder
        self._on_ready = on_ready
        self._reader = RunReader(folder, self._tell)
        self._view: RunView | None = None
        self._guess_s = guess_s
        self._introduced = False
        self._signal: int | None = None
        self._status_shown = False
        self._status_at = 0.0

    def _look(self) -> RunView:
        """The run as it is now. Raises JournalUnreadable where there is nothing to be read, or no more."""
        self._view = view = self._reader.read() or self._view
        assert view is not None, "a reader's first answer is a view"
        if view.trouble:
            raise JournalUnreadable(view.trouble)
        return view

    @property
    def snapshot(self) -> Snapshot:
        """As last looked at. Raises JournalUnreadable."""
        view = self._view or self._look()
        assert view.snapshot is not None
        return view.snapshot

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM ask the runner to stop; a second one stops it at once."""
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        first, self._signal = self._signal is None, self._signal or number
        if first and self._asked_to_stop():
            self._say("stopping in order … (again: at once)")
        elif (live := holder(self._folder.lock)) is not None:
            self._say("stopping at once …")
            with contextlib.suppress(ProcessLookupError):
                os.kill(live.pid, signal.SIGTERM)

    def _asked_to_stop(self) -> bool:
        """False where it cannot be written down (a full disk)."""
        try:
            append_command(self._folder.commands, Stop())
        except OSError as error:
            self._say(f"{self._folder.commands} cannot be written: {error.strerror}")
            return False
        return True

    def follow(self) -> int | None:
        """Until the run is over. None when it ended by itself, else the exit code: 130 or 143 after a signal, 1 where
        the runner died."""
        if self._signal is not None:
            # It came before the runner did, which takes no commands from before its time.
            self._asked_to_stop()
        while True:
            view = self._look()
            if not view.alive:
                self._clear_status()
                if view.condition == "died":
                    self._say(
                        f"the runner died; its server is being removed. `tuner-tui resume {self._folder.name}` goes on "
                        f"(it last said: {self._folder.last_words() or 'nothing'})"
                    )
                    return 1
                return None if self._signal is None or self._finished_anyway() else 128 + self._signal
            self._show_status()
            time.sleep(_POLL_S)

    def introduce(self, added: int = 0) -> None:
        """Takes in what is there before the runner comes, and says what is going to happen. `added`: launches that the
        runner is still to write down."""
        snapshot = self.snapshot
        self._introduced = True
        simulated = " SIMULATED (no model runs):" if snapshot.simulated else ""
        left = snapshot.launches_planned - snapshot.launches_done + added
        launches = "1 launch" if left == 1 else f"{left} launches"
        about = f", about {duration_words(self._guess_s)}" if self._guess_s and snapshot.kind == "tune" else ""
        self._say(f"{snapshot.run}:{simulated} {launches}{about}")

    def _finished_anyway(self) -> bool:
        """The signal came when everything was done."""
        finished = self.snapshot.finished
        return finished is not None and finished.reason == "finished"

    def _tell(self, event: AnyEvent, snapshot: Snapshot) -> None:
        if not self._introduced:
            return  # it was there before
        match event:
            case PreparationStarted():
                self._say(f"{event.what} {event.name} …")
            case PreparationFinished():
                if event.failure is None and event.elapsed_s > 1:
                    self._say(f"{event.what} {event.name} is there after {duration_words(event.elapsed_s)}")
            case LaunchStarted():
                number = snapshot.launches_done + 1
                words = labels(snapshot)[event.experiment]
                self._say(f"[{number}/{snapshot.launches_planned}] #{event.experiment} {words}")
            case ServerReady():
                memory = event.memory
                tokens = f", KV cache {memory.kv_cache_tokens:,} tokens" if memory.kv_cache_tokens else ""
                self._say(f"    ready after {duration_words(event.start_s)}{tokens}")
                launch = _launch(snapshot, event.launch)
                if self._on_ready is not None and launch.url is not None:
                    self._on_ready(launch.url)
            case LoadTried():
                self._say(f"    {_tried_words(event)}")
            case LevelFinished():
                self._say(f"    {_level_words(event)}")
            case LevelFailed():
                self._say(f"    no load: {event.reason}")
            case LaunchFailing():
                line = f" | {event.failure.line.strip()}" if event.failure.line else ""
                self._say(f"    {event.failure.words}{line}")
            case LaunchFinished():
                self._tell_finished(snapshot, event)
            case RunFinished() if event.sentence:
                self._say(event.sentence)
            case _:
                pass

    def _tell_finished(self, snapshot: Snapshot, event: LaunchFinished) -> None:
        launch = _launch(snapshot, event.launch)
        eta = self._eta_words(snapshot)
        if event.status == "succeeded" and launch.score is not None:
            self._say(f"    score {quantity(snapshot.objective, launch.score.value)}{eta}")
        elif event.status == "invalid":
            seen = "; ".join(f"{flag.level}: {flag.seen}" for flag in event.validity if flag.disqualifies)
            self._say(f"    invalid: {seen}{eta}")
        elif eta:
            self._say(f"   {eta.replace(';', '')}")

    def _eta_words(self, snapshot: Snapshot) -> str:
        made = progress(snapshot, now())
        left = made.planned - made.done
        if left <= 0 or made.guessed or snapshot.kind == "try" or self._signal is not None:
            return ""
        return f"; {left} to go, ETA {duration_words(made.left_s)}"

    def _show_status(self) -> None:
        """One line that changes in place, on a terminal only, twice a second."""
        if not sys.stderr.isatty() or time.monotonic() - self._status_at < 0.5:
            return
        self._status_at = time.monotonic()
        words = self._status_words()
        if words:
            width = max(20, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
            click.echo("\r\x1b[K" + words[:width], nl=False, err=True)
            self._status_shown = True

    def _status_words(self) -> str:
        snapshot = self.snapshot
        launch = snapshot.launch
        if launch is None:
            if snapshot.preparation is None:
                return ""
            sample = last_sample(self._folder.samples)
            phase = sample.phase if sample is not None else None
            detail = f" {phase.detail}" if phase is not None and phase.detail else ""
            return f"    {phase.words if phase is not None else snapshot.preparation.what}{detail}"
        sample = last_sample(self._folder.launch(launch.number) / "samples.jsonl")
        if sample is None or sample.phase is None:
            return f"    {launch.phase}"
        phase, load = sample.phase, sample.load
        if phase.level is None:
            return f"    {phase.words}, {duration_words((now() - phase.since).total_seconds())}"
        name = phase.detail or (snapshot.levels[phase.level].name if phase.level < len(snapshot.levels) else "")
        words = f"    {phase.words} of {name}" if name else ""
        if load is None or load.warm_up:
            return words or f"    {phase.words}"
        failed = f", {load.failed} failed" if load.failed else ""
        return (
            f"{words or phase.words}{failed}, {duration_words(load.elapsed_s)}, "
            f"TTFT {milliseconds(load.ttft_mean_s)}, E2E {milliseconds(load.e2e_mean_s)}"
        )

    def _clear_status(self) -> None:
        if self._status_shown:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._status_shown = False

    def _say(self, words: str) -> None:
        self._clear_status()
        click.echo(words, err=True)


def _launch(snapshot: Snapshot, number: int) -> Launch:
    return next(
        launch for experiment in snapshot.experiments for launch in experiment.launches if launch.number == number
    )


def _tried_words(event: LoadTried) -> str:
    rate = f"{event.traffic.name}: {event.requests} req, {event.requests_per_s:.3g} requests/s"
    return f"{rate}, breaks the limits: {'; '.join(event.broken)}" if event.broken else f"{rate}, keeps the limits"


def _level_words(event: LevelFinished) -> str:
    result, metrics = event.result, event.result.metrics
    name = result.name if result.sought is None else f"{result.name} = {result.load.name}"
    failed = f", {result.failed} failed" if result.failed else ""
    ttft = milliseconds(metrics.ttft_s.mean if metrics.ttft_s else None)
    tpot = milliseconds(metrics.tpot_s.mean if metrics.tpot_s else None)
    e2e = milliseconds(metrics.e2e_s.mean if metrics.e2e_s else None)
    return (
        f"{name}: {result.requests} req{failed}, TTFT {ttft}, TPOT {tpot}, E2E {e2e}, "
        f"{metrics.output_tokens_per_s:.0f} tok/s"
    )
