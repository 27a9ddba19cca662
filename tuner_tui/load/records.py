"""requests.jsonl: one request record a line."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import msgspec

from tuner_tui.load.model import RequestRecord

_DECODER = msgspec.json.Decoder(RequestRecord)


class RecordFile:
    """Appends records; `flush` makes what was added so far readable for others."""

    def __init__(self, path: Path) -> None:
        """Raises OSError. A torn last line, left by a writer that was killed, is cut off."""
        self._file: BinaryIO = path.open("ab+")
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[bytes] = []
        self._file.truncate(_whole_lines(self._file))

    def add(self, record: RequestRecord) -> None:
        self._waiting.append(self._encoder.encode(record))

    def flush(self) -> None:
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._file.write(b"\n".join(lines) + b"\n")
            self._file.flush()

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._file.close()


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
