"""journal.jsonl: appended by the runner alone, read by everybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from tuner_tui.runs.appending import append_line
from tuner_tui.runs.events import FORMAT, AnyEvent, RunCreated
from tuner_tui.runs.folder import RunFolder, make_run_folder

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyEvent)


class JournalUnreadable(Exception):
    """A line of a journal cannot be read; the message names file and line."""


class JournalWriter:
    """Appends events: one `write` a line, synced to the disk, a torn last line of a dead writer cut off first."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._file, whole)

    def append(self, event: AnyEvent) -> None:
        """Raises OSError; the journal is then as it was."""
        append_line(self._file, _encoder.encode(event))
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


class JournalReader:
    """Reads what has been appended since the last call. A torn last line waits until it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._line = 0

    @property
    def unread_bytes(self) -> int:
        """How much `read` would read; 0 where there is no journal."""
        try:
            return self._path.stat().st_size - self._offset
        except OSError:
            return 0

    def read(self) -> list[AnyEvent]:
        """The new events, oldest first. Raises JournalUnreadable; FileNotFoundError where there is none."""
        if self._path.stat().st_size == self._offset:
            return []  # as five times a second while nothing happens
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        events = self._decoded(data[:whole])
        self._offset += whole
        return events

    def _decoded(self, data: bytes) -> list[AnyEvent]:
        """Whole lines, all at once: that takes half the time. What is amiss is then looked for line by line."""
        try:
            events: list[AnyEvent] = _decoder.decode_lines(data)
        except msgspec.DecodeError:
            events = self._decoded_line_by_line(data)
        for event in events:
            self._refuse_newer(event)
        self._line += data.count(b"\n")
        return events

    def _decoded_line_by_line(self, data: bytes) -> list[AnyEvent]:
        """Raises JournalUnreadable with the line that cannot be read; a blank one is passed over."""
        events = []
        for number, line in enumerate(data.splitlines(), self._line + 1):
            if not line.strip():
                continue
            try:
                event: AnyEvent = _decoder.decode(line)
            except msgspec.DecodeError as error:
                raise JournalUnreadable(f"{self._path}:{number}: not an event this version knows ({error})") from error
            self._refuse_newer(event)
            events.append(event)
        return events

    def _refuse_newer(self, event: AnyEvent) -> None:
        if isinstance(event, RunCreated) and event.format > FORMAT:
            raise JournalUnreadable(
                f"{self._path}: written by a newer tuner-tui ({event.version}); update this one to read it"
            )


@contextmanager
def new_run(runs_dir: Path, task_name: str, moment: datetime) -> Iterator[tuple[RunFolder, JournalWriter]]:
    """A run's new folder (`make_run_folder`) and its journal, open. What begins the run is written within; where that
    fails (a full disk), no half of a run stays. Raises OSError."""
    folder = make_run_folder(runs_dir, task_name, moment)
    try:
        with closing(JournalWriter(folder.journal)) as journal:
            yield folder, journal
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
