"""Asking a server whether it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp


async def wait_ready(url: str, paths: Sequence[str], interval_s: float = 0.05) -> None:
    """Returns once one of `paths` answers 200; asks forever, so the caller sets the limit.

    A refused connection, a 503 or a slow answer just mean "not yet". The interval grows from
    `interval_s` to a quarter of a second, so that a start of minutes costs nothing.
    """
    timeout = aiohttp.ClientTimeout(total=5)
    pause_s = interval_s
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            for path in paths:
                try:
                    async with session.get(url + path) as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError, OSError):
                    pass
            await asyncio.sleep(pause_s)
            pause_s = min(0.25, pause_s * 1.1)
