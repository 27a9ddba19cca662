"""A run as a reader sees it: its folder followed, or played back. Whoever shows runs reads them through this."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from tuner_tui.runs.events import AnyEvent
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.journal import JournalReader, JournalUnreadable
from tuner_tui.runs.lock import holder
from tuner_tui.runs.state import RunState, Snapshot

Condition = Literal[
    "running", "paused", "stopped", "failed", "died",
    "winner", "tie", "unconfirmed", "borderline", "none", "unreadable",
]  # fmt: skip
"""A run in one word. While a runner works on it: running or paused. After it: how it ended (stopped, failed, died), or
else what came of it, as the verdict names it. unreadable: the journal cannot be read, or is not there."""


LARGE_BYTES = 256 << 10
"""A journal of about thirty launches: up to here, reading and judging it takes no longer than a key press may."""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run at one moment. `snapshot` is None where nothing could be read, and `trouble` then says why, in a sentence.

    `now` is the moment shown: the clock's, or a replay's. `alive`: a runner works on it (in a replay: did then).
    """

    folder: RunFolder
    snapshot: Snapshot | None
    alive: bool
    now: datetime
    trouble: str = ""
    replay: bool = False

    @property
    def condition(self) -> Condition:
        snapshot = self.snapshot
        if snapshot is None:
            return "unreadable"
        if self.alive:
            return "paused" if snapshot.paused else "running"
        if snapshot.finished is None:
            return "died"
        return snapshot.verdict.kind if snapshot.finished.reason == "finished" else snapshot.finished.reason


def read_run(folder: RunFolder) -> Snapshot:
    """The run as its journal has it now. Raises JournalUnreadable, also for an empty one; FileNotFoundError where there
    is no journal."""
    state = RunState()
    try:
        for event in JournalReader(folder.journal).read():
            state.apply(event)
        return state.snapshot()
    except (ValueError, KeyError) as error:
        raise JournalUnreadable(f"{folder.journal}: its events make no run ({error})") from error


class RunReader:
    """Follows a run folder. `read` is cheap where nothing has changed, and never raises for what a folder may hold.

    `on_event` is told each event with the run as that left it: for readers that tell what happens, not how it stands.
    """

    replay = False

    def __init__(self, folder: RunFolder, on_event: Callable[[AnyEvent, Snapshot], None] | None = None) -> None:
        self.folder = folder
        self._on_event = on_event
        self._journal = JournalReader(folder.journal)
        self._state = RunState()
        self._view: RunView | None = None
        self._broken = ""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def is_far_behind(self) -> bool:
        """Whether `read` may take so long that it belongs in a thread."""
        return self._journal.unread_bytes > LARGE_BYTES

    def tick(self, elapsed_s: float) -> None:
        """Its clock is the wall's."""

    def read(self) -> RunView | None:
        """The run as it is now; None where it is as it was at the last call."""
        before = self._view
        alive = False
        events: list[AnyEvent] = []
        told: list[tuple[AnyEvent, Snapshot]] = []
        trouble = self._broken
        try:
            # First this: a runner that says goodbye and goes between the two is then seen as gone, not as dead.
            alive = holder(self.folder.lock) is not None
            if not trouble:
                events = self._journal.read()
            for event in events:
                self._state.apply(event)
                if self._on_event is not None:
                    told.append((event, self._state.snapshot()))
        except FileNotFoundError:
            trouble = f"the run's folder is gone: {self.folder.path}"
        except OSError as error:
            trouble = f"{error.filename or self.folder.path} cannot be read: {error.strerror}"
        except (JournalUnreadable, ValueError, KeyError) as error:
            # What follows would not fit any more: it is not read on.
            trouble = self._broken = str(error)
        for event, left in told:
            assert self._on_event is not None
            self._on_event(event, left)
        if before is not None and not events and alive == before.alive and trouble == before.trouble:
            return None
        snapshot: Snapshot | None = before.snapshot if before else None
        if events:
            snapshot = self._state.snapshot()
        elif snapshot is None:
            trouble = trouble or f"nothing is written in this run's journal yet: {self.folder.journal}"
        self._view = RunView(folder=self.folder, snapshot=snapshot, alive=alive, now=self.now, trouble=trouble)
        return self._view

    def last_words(self) -> str:
        return self.folder.last_words()


class ReplayReader:
    """Plays a run's journal back, `speed` times as fast as it was written. `tick` moves its clock on."""

    replay = True
    is_far_behind = False
    """It reads its journal when it is made, and a moment of it costs little."""

    def __init__(self, folder: RunFolder, speed: float = 1.0) -> None:
        """Raises JournalUnreadable; FileNotFoundError and ValueError where there is nothing to play."""
        self.folder = folder
        self.speed = speed
        self.paused = False
        self._events = JournalReader(folder.journal).read()
        if not self._events:
            raise ValueError(f"nothing is written in this run's journal yet: {folder.journal}")
        self._next = 0
        self._state = RunState()
        self._now = self._events[0].at
        self._shown: datetime | None = None

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def over(self) -> bool:
        return self._next >= len(self._events)

    def tick(self, elapsed_s: float) -> None:
        """Moves the clock on by `elapsed_s` of real time. A pause of the run of more than a minute is cut short."""
        if self.paused or self.over:
            return
        self._now += timedelta(seconds=elapsed_s * self.speed)
        idle_s = (self._events[self._next].at - self._now).total_seconds()
        if idle_s > 60 and not self._state_has_launch():
            self._now = self._events[self._next].at - timedelta(seconds=1)

    def _state_has_launch(self) -> bool:
        return self._next > 0 and self._state.snapshot().launch is not None

    def read(self) -> RunView | None:
        """The run as it was at `now`; None where it is as it was at the last call."""
        before = self._next
        while not self.over and (self._next == 0 or self._events[self._next].at <= self._now):
            self._state.apply(self._events[self._next])
            self._next += 1
        if self._next == before and self._shown is not None:
            return None
        self._shown = self._now
        return RunView(
            folder=self.folder, snapshot=self._state.snapshot(), alive=not self.over, now=self._now, replay=True
        )

    def last_words(self) -> str:
        return ""


AnyReader = RunReader | ReplayReader
