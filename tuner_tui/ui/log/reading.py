"""When a log is read: what is new five times a second (once, where nobody writes it) and at once after a key, all else
in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from tuner_tui.ui.log.document import LogDocument

FLUSH_S = 0.2
"""How often new lines are shown: more often is more than an SSH connection likes (bytes follow the frames)."""
RESTING_S = 1.0
"""How often a log is looked at whose server is gone."""


class Reading:
    """Reads `document`, which may be exchanged at any time, and calls `paint` whenever there may be more to show."""

    def __init__(self, paint: Callable[[], None]) -> None:
        self.document: LogDocument | None = None
        self.grows = True
        """Whether more is to be expected."""
        self._paint = paint
        self._wake = asyncio.Event()

    def hurry(self) -> None:
        """One who has pressed a key does not wait."""
        self._wake.set()

    async def go_on(self) -> None:
        """For as long as it is let."""
        while True:
            due = time.monotonic() + FLUSH_S
            self._wake.clear()
            document = self.document
            if document is not None:
                await document.look()
                if document is self.document:
                    self._paint()  # if the file has become shorter, before anyone asks for lines that are no more
                # What takes longer is shown as it stands.
                while document.behind and self._may_go_on(document, due):
                    await document.catch_up()
            if document is self.document:
                self._paint()
            while document is not None and self._may_go_on(document, due):
                if document.behind or not await document.fill_in():
                    break
                if document.head_lines:
                    self._paint()  # all lines have got other numbers
            if document is self.document:
                self._paint()  # the marks, too
            if document is None or not document.behind:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), max(due + self._rest_s - time.monotonic(), 0.01))

    @property
    def _rest_s(self) -> float:
        """How much longer than usual the file need not be looked at."""
        document = self.document
        done = document is None or (document.complete and document.marked_to_end)
        return RESTING_S - FLUSH_S if done and not self.grows else 0.0

    def _may_go_on(self, document: LogDocument, due: float) -> bool:
        return document is self.document and not self._wake.is_set() and time.monotonic() < due
