"""`tuner-tui bench`, ended from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.load.scripted_server import ScriptedServer, serving, steady
from tests.tuner import TUNER


@contextlib.asynccontextmanager
async def benching(
    folder: Path, *before: str, requests: int = 50
) -> AsyncIterator[tuple[asyncio.subprocess.Process, ScriptedServer]]:
    """A bench in the middle of its first level; its temporary files are in `folder`."""
    async with serving(steady(0, 0.02)) as server:
        process = await asyncio.create_subprocess_exec(
            *before, *TUNER, "bench", server.url, "--traffic", "D(5,5)", "--concurrency", "1",
            "--max-requests", str(requests), env=os.environ | {"TMPDIR": str(folder)},
        )  # fmt: skip
        try:
            await server.until(lambda: len(server.requests) > 4)
            yield process, server
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
async def test_whoever_ends_it_nothing_stays_behind(tmp_path: Path, number: signal.Signals, code: int) -> None:
    async with benching(tmp_path) as (process, _):
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        assert await process.wait() == code
    assert list(tmp_path.iterdir()) == []


async def test_under_nohup_it_goes_on_without_its_terminal(tmp_path: Path) -> None:
    async with benching(tmp_path, "nohup", requests=10) as (process, _):
        process.send_signal(signal.SIGHUP)
        assert await process.wait() == 0
