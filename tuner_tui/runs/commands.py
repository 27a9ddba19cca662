"""commands.jsonl: what the user asks of a runner. Whoever asks appends a line; the journal answers it by id."""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from pathlib import Path

import msgspec

from tuner_tui.runs.appending import append_line
from tuner_tui.runs.events import now
from tuner_tui.task.model import Configuration


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
    """Base of all commands."""

    id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:12])
    at: datetime = msgspec.field(default_factory=now)


class Stop(Command, frozen=True, kw_only=True, tag="stop"):
    """End the run: the launch in progress is given up, its server removed. `resume` goes on later."""


class Skip(Command, frozen=True, kw_only=True, tag="skip"):
    """Give up the launch in progress and go on with the next; `launch` guards against skipping a later one."""

    launch: int


class Pause(Command, frozen=True, kw_only=True, tag="pause"):
    """Begin no further launch."""


class Continue(Command, frozen=True, kw_only=True, tag="continue"):
    """Begin launches again."""


class Measure(Command, frozen=True, kw_only=True, tag="measure"):
    """Launch an experiment once more."""

    experiment: int


class AddConfigurations(Command, frozen=True, kw_only=True, tag="add"):
    """Configurations that join the run; flags as in the task."""

    configurations: tuple[Configuration, ...]


class Load(Command, frozen=True, kw_only=True, tag="load"):
    """Send `requests` requests at a server that is kept up (`try`), warmed up as any level is. One load at a time."""

    scenario: str
    concurrency: int = 1
    requests: int = 50


AnyCommand = Stop | Skip | Pause | Continue | Measure | AddConfigurations | Load

_decoder = msgspec.json.Decoder(AnyCommand)


def append_command(path: Path, command: AnyCommand) -> None:
    """Asks `command` of the runner: one `write` to the end of the file. Raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        append_line(file, msgspec.json.encode(command))
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(file)


class CommandReader:
    """Reads what has been asked since the last call; lines that are no command are given back as text. Of a file that
    cannot be read nothing is asked: no reason to give up a run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[AnyCommand | str]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        asked: list[AnyCommand | str] = []
        for line in data[:whole].splitlines():
            try:
                asked.append(_decoder.decode(line))
            except msgspec.DecodeError:
                asked.append(line.decode(errors="replace"))
        return asked
