"""The event loop of the workers: what only notes a read does so where the read is found.

asyncio makes a key, a handle and a turn of the loop of every socket that is ready. Where one token comes at a time, and
each wakes the process up, those take about as long as reading the token does (`benchmarks/meters.py`).
"""

from __future__ import annotations

import asyncio
import os
import select
import selectors
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, TypeVarTuple

_READABLE = select.EPOLLIN
_Arguments = TypeVarTuple("_Arguments")
Read = Callable[[], object]
"""Reads what is there. True: it told nobody, and whoever waits may go on waiting."""


class _Selector(selectors.EpollSelector):
    """While nothing but readers that return True are ready, `select` does not return before its time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: dict[int, Read] = {}
        self._epoll = select.epoll.fromfd(os.dup(self.fileno()))
        self._poll = self._epoll.poll

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not timeout or timeout < 0:
            return super().select(timeout)
        # One function with all it needs at hand: after a wait the caches are cold, and each object looked at costs.
        readers, poll = self.readers, self._poll
        until_s = monotonic() + timeout
        while timeout > 0:
            ready = poll(timeout)
            noted = bool(ready)
            for fd, event in ready:
                read = readers.get(fd)
                if read is None or event != _READABLE or not read():
                    noted = False
            if not noted:
                break
            timeout = until_s - monotonic()
        # What is not ours, and what readers have told asyncio.
        return super().select(0)

    def close(self) -> None:
        self._epoll.close()
        super().close()


class ReadingLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, but that it may call a reader while it waits; one that returns True does not end the wait."""

    def __init__(self) -> None:
        self._reading = _Selector()
        super().__init__(self._reading)

    def add_reader(self, fd: Any, callback: Callable[[*_Arguments], Any], *args: *_Arguments) -> None:
        super().add_reader(fd, callback, *args)
        self._reading.readers[fd] = partial(callback, *args) if args else callback

    def remove_reader(self, fd: Any) -> bool:
        self._reading.readers.pop(fd, None)
        return super().remove_reader(fd)
