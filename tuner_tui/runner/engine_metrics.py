"""The engine's `/metrics`, asked once a second while it serves, on a thread that keeps off the generator's CPUs."""

from __future__ import annotations

import contextlib
import http.client
import os
import threading
import time
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp

from tuner_tui.engines.live_metrics import METRICS_PATH, LiveMetrics, read_live_metrics

INTERVAL_S = 1.0
_TIMEOUT_S = 2.0
_MOST_BYTES = 8 << 20


class Reading(NamedTuple):
    """What the engine said, when (on the monotonic clock)."""

    at_s: float
    metrics: LiveMetrics


class EngineMetrics:
    """Asks until `close`. An engine that has no metrics is asked once, one that does not answer in time later again."""

    def __init__(self, url: str, keep_off: AbstractSet[int] = frozenset(), interval_s: float = INTERVAL_S) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._keep_off = keep_off
        self._interval_s = interval_s
        self._readings: tuple[Reading, ...] = ()
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="engine metrics", daemon=True).start()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The last two, oldest first; fewer at the beginning; () for an engine without metrics."""
        return self._readings

    def close(self) -> None:
        """The thread ends after the question it is at, `_TIMEOUT_S` at most."""
        self._stop.set()

    def _run(self) -> None:
        keep_off(self._keep_off)
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        due_s = time.monotonic()
        while not self._stop.is_set():
            try:
                connection.request("GET", METRICS_PATH)
                answer = connection.getresponse()
                page = answer.read(_MOST_BYTES)
                if answer.status in (404, 405):
                    break
                metrics = read_live_metrics(page) if answer.status == 200 else None
                if metrics is not None:
                    self._readings = (*self._readings[-1:], Reading(time.monotonic(), metrics))
            except (OSError, http.client.HTTPException):
                connection.close()  # the next request opens it anew
            due_s = max(due_s + self._interval_s, time.monotonic())
            self._stop.wait(due_s - time.monotonic())
        connection.close()


def keep_off(cpus: AbstractSet[int]) -> None:
    """Keeps the calling thread off `cpus`, where others are left and the system can do that."""
    if not cpus or not hasattr(os, "sched_setaffinity"):
        return
    with contextlib.suppress(OSError):
        others = os.sched_getaffinity(0) - cpus
        if others:
            os.sched_setaffinity(0, others)


async def read_once(url: str) -> LiveMetrics | None:
    """The metrics at this moment, for the boundaries of a level, when nothing runs that it could disturb.

    None where the engine has none, or does not answer in time.
    """
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url + METRICS_PATH) as answer:
            return read_live_metrics(await answer.content.read(_MOST_BYTES)) if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
