"""requests.jsonl: one request record a line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from tuner_tui.load.model import RequestRecord

_DECODER = msgspec.json.Decoder(RequestRecord)


class RecordFile:
    """Appends records; `flush` makes what was added so far readable for others.

    Several processes may append to one file: each flush is a write of whole lines to its end.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[bytes] = []

    def add(self, record: RequestRecord) -> None:
        self._waiting.append(self._encoder.encode(record))

    def flush(self) -> None:
        if self._waiting:
            lines, self._waiting = self._waiting, []
            rest = memoryview(b"\n".join(lines) + b"\n")
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        try:
            self.flush()
        finally:
            os.close(self._file)


def mend(path: Path) -> None:
    """Makes the file if it is not there, and cuts off a torn last line, left by a writer that was killed.

    Raises OSError.
    """
    with path.open("ab+") as file:
        file.truncate(_whole_lines(file))


def read_records(path: Path) -> list[RequestRecord]:
    """All records of a file; a torn last line is dropped.

    Raises ValueError, naming the line, where a whole line is not a record; OSError.
    """
    records = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            records.append(_DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}:{number}: expected a request record: {error}") from error
    return records


def _whole_lines(file: BinaryIO) -> int:
    """Length of the file up to and with its last line feed, in bytes."""
    end = file.seek(0, 2)
    while end:
        start = max(0, end - 65_536)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
