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


class RecordReader:
    """Reads a file that grows. A search for the highest load makes many loads of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._lines = 0

    def new(self) -> list[RequestRecord]:
        """The records that were added since the last call; a torn last line waits for its end.

        Raises ValueError, naming the line, where a whole line is not a record; OSError.
        """
        with self._path.open("rb") as file:
            file.seek(self._offset)
            lines = file.read().split(b"\n")[:-1]
        records = []
        for number, line in enumerate(lines, self._lines + 1):
            try:
                records.append(_DECODER.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ValueError(f"{self._path}:{number}: expected a request record: {error}") from error
        self._offset += sum(map(len, lines)) + len(lines)
        self._lines += len(lines)
        return records


def read_records(path: Path) -> list[RequestRecord]:
    """All records of a file; a torn last line is dropped. Raises as `RecordReader.new` does."""
    return RecordReader(path).new()


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
