"""Waiting for a moment to within some 50 microseconds.

asyncio's own timers go through epoll, which counts in whole milliseconds; a decode step takes 1.5 of them. Linux's
timerfd is precise and is just a file descriptor to the event loop. Elsewhere the loop's timers must do.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from typing import Any

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000


class _Spec(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class StepClock:
    """For one waiter. Moments are seconds of `loop.time()`. To be closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._wakeable = False
        self._libc: Any = ctypes.CDLL(None, use_errno=True)
        self._fd = -1
        self._handle: asyncio.TimerHandle | None = None
        if hasattr(self._libc, "timerfd_create"):
            self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd >= 0:
            loop.add_reader(self._fd, self._fired)

    async def until(self, when_s: float) -> None:
        """Returns at `when_s`; if that is past, after the event loop has had one turn."""
        if when_s <= self._loop.time():
            await asyncio.sleep(0)
            return
        self._set(when_s)
        await self._wait()

    async def idle(self, when_s: float | None) -> None:
        """Returns at `when_s` (None: never) or as soon as `wake` is called."""
        if when_s is not None and when_s <= self._loop.time():
            await asyncio.sleep(0)
            return
        if when_s is not None:
            self._set(when_s)
        self._wakeable = True
        try:
            await self._wait()
        finally:
            self._wakeable = False

    def wake(self) -> None:
        """Ends an `idle`; nothing else."""
        if self._wakeable and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._unset()

    def _fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # set anew between the event and this call
        self._end_wait()

    def _end_wait(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _set(self, when_s: float) -> None:
        if self._fd >= 0:
            self._settime(max(int(when_s * 1e9), 1))
        else:
            self._handle = self._loop.call_at(when_s, self._end_wait)

    def _unset(self) -> None:
        if self._fd >= 0:
            self._settime(0)
        elif self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _settime(self, when_ns: int) -> None:
        spec = _Spec(0, 0, when_ns // 10**9, when_ns % 10**9)
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(spec), None)
