"""The live figures of the launch in view: read in a thread, only what is new, never ahead of the moment shown."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Literal

from tuner_tui.engines.facts import Memory
from tuner_tui.engines.log import LogReader
from tuner_tui.runs.samples import History, Sample, SampleReader

Language = Literal["sglang", "vllm", ""]
"""Whose log it is; "" an unknown engine's."""
_LONGEST_START_BYTES = 8 << 20


class StartMemory:
    """What the log of a server that is starting says of its memory, as it says it."""

    def __init__(self, path: Path, language: Language) -> None:
        self.path = path
        self._reader = LogReader(language)
        self._offset = 0

    @property
    def memory(self) -> Memory:
        return self._reader.memory

    def read(self) -> None:
        """Takes in what has been added. Blocks; not from two threads at once."""
        if self._offset >= _LONGEST_START_BYTES:
            return
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_LONGEST_START_BYTES)
        except OSError:
            return
        self._offset += len(data)
        self._reader.feed(data)


class LiveFigures:
    """Of one samples file at a time. `read` gives whether there is anything new."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.history = History()
        self._reader: SampleReader | None = None
        self._later: list[Sample] = []

    @property
    def last(self) -> Sample | None:
        return self.history.last

    def follow(self, path: Path | None) -> None:
        """Another file; None: none."""
        if path != self.path:
            self.path = path
            self._begin()

    def _begin(self) -> None:
        self._reader = SampleReader(self.path) if self.path is not None else None
        self.history = History()
        self._later = []

    async def read(self, until: datetime | None) -> bool:
        """Takes in what has been written, up to `until` (a replay's moment; None: all)."""
        reader = self._reader
        if reader is None:
            return False
        new = await asyncio.to_thread(reader.read)
        if reader is not self._reader:  # meanwhile another launch was chosen
            return False
        self._later += new
        ready = self._later if until is None else [sample for sample in self._later if sample.at <= until]
        if not ready:
            return False
        self.history.add(ready)
        self._later = self._later[len(ready) :]
        return True
