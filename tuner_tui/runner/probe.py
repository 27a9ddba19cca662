"""Asking a server that is ready what it says of itself."""

from __future__ import annotations

import asyncio

import aiohttp

from tuner_tui.engines.probes import PROBES, Answer, Probe, read

_TIMEOUT_S = 2.0
_MOST_BYTES = 8 << 20


async def probe(url: str, log_language: str) -> list[Answer]:
    """The answers of the server at `url`, in the order of `PROBES`; those that it does not give are left out.

    Takes a few milliseconds, two seconds at most, and never fails a launch: it raises nothing but CancelledError.
    """
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        asked = await asyncio.gather(*(_ask(session, url, each) for each in PROBES.get(log_language, ())))
    return [answer for answer in asked if answer is not None]


async def _ask(session: aiohttp.ClientSession, url: str, question: Probe) -> Answer | None:
    for path in question.paths:
        try:
            async with session.get(url + path) as answer:
                if answer.status == 200:
                    return read(question.source, await answer.content.read(_MOST_BYTES))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
    return None
