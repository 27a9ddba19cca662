"""Emptying an engine's prefix cache between levels."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp

_TIMEOUT_S = 5.0
_PATIENCE_S = 1.0
_PAUSE_S = 0.1


async def flush_cache(url: str, paths: Sequence[str]) -> str | None:
    """POSTs to `paths` in turn; the one that answered 200, or None where the engine has none of them.

    SGLang refuses while a request is still running: it is asked again for a second. Raises nothing but
    CancelledError: prompts are unique, so a cache that stays does no harm that `cached_prompts` would not show.
    """
    loop = asyncio.get_running_loop()
    patient_until_s = loop.time() + _PATIENCE_S
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for path in paths:
            while True:
                try:
                    async with session.post(url + path) as answer:
                        status = answer.status
                except (aiohttp.ClientError, TimeoutError, OSError):
                    return None
                if status == 200:
                    return path
                if status in (404, 405) or loop.time() > patient_until_s:
                    break
                await asyncio.sleep(_PAUSE_S)
    return None
