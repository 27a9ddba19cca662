"""The child's side of a process that is talked to in lines of JSON."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import msgspec

_MAX_LINE_BYTES = 2**24


def say(message: msgspec.Struct) -> None:
    """One line on standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


async def obey(work: Callable[[asyncio.Queue[bytes]], Awaitable[None]]) -> None:
    """Runs `work` with the lines of standard input, whose end also ends the work. Raises what `work` raises."""
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    listening = asyncio.create_task(_listen(lines))
    working = asyncio.ensure_future(work(lines))
    try:
        await asyncio.wait({listening, working}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
        working.cancel()
        results = await asyncio.gather(listening, working, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _listen(lines: asyncio.Queue[bytes]) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MAX_LINE_BYTES)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    try:
        while line := await reader.readline():
            if line.strip():
                lines.put_nowait(line)
    finally:
        transport.close()
