"""The load generator's process, for those who own one."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from tuner_tui.load.model import Job, LevelDone, LoadFailed, LoadMessage, LoadProgress, LoadReady, RunLevel

_START_TIMEOUT_S = 60.0
_GRACE_S = 1.0
_TAIL_LINES = 5
_TAIL_BYTES = 4_000
_MESSAGE: msgspec.json.Decoder[LoadMessage] = msgspec.json.Decoder(LoadMessage)


class LoadError(Exception):
    """The load could not be made: one sentence why."""


class Generator:
    """A generator process. Its owner calls `start`, `begin` once, `run` for each level, and `close` in any case.

    A `run` that was cancelled cannot be followed by another: the level still goes on in the process.
    """

    def __init__(self, process: asyncio.subprocess.Process, stderr: BinaryIO) -> None:
        self._process = process
        self._stderr = stderr

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls, cpus: str | None = None, stderr: Path | None = None) -> Generator:
        """Starts the process and waits until it is up; `stderr` takes what it prints for people, appended.

        Raises LoadError; OSError when `stderr` cannot be written.
        """
        # A session of its own: Ctrl-C is its owner's to handle. -P: a folder in the user's working directory that
        # is named like one of our libraries is not imported in its place.
        arguments = [sys.executable, "-P", "-m", "tuner_tui.load.generator"]
        if cpus is not None:
            arguments += ["--cpus", cpus]
        # A file, so that nobody has to pump it. `close` closes it.
        errors = cast(BinaryIO, tempfile.TemporaryFile() if stderr is None else stderr.open("ab+"))  # noqa: SIM115
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except BaseException:
            errors.close()
            raise
        generator = cls(process, errors)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                message = await generator._read()
            if not isinstance(message, LoadReady):
                raise LoadError(f"the load generator said {message!r} before it was ready")
        except TimeoutError:
            await generator.close()
            raise LoadError(f"the load generator did not start within {_START_TIMEOUT_S:g} s") from None
        except BaseException:
            await generator.close()
            raise
        return generator

    async def begin(self, job: Job) -> None:
        """Hands over the job. What is wrong with it is told by the first `run`."""
        await self._write(job)

    async def run(self, level: RunLevel, on_progress: Callable[[LoadProgress], None]) -> LevelDone:
        """One level from start to end; its records are in the file when this returns.

        Raises LoadError when it cannot be carried out, or the process died.
        """
        await self._write(level)
        while True:
            message = await self._read()
            if isinstance(message, LoadProgress):
                on_progress(message)
            elif isinstance(message, LevelDone):
                return message

    async def close(self) -> None:
        """Ends the process: by the end of its input, after a second by force. May be called at any time, twice too."""
        process = self._process
        try:
            if process.stdin is not None:
                process.stdin.close()
            if process.returncode is None:
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            self._stderr.close()

    async def _write(self, order: Job | RunLevel) -> None:
        assert self._process.stdin is not None
        # Where it is gone, `_read` tells why, from what it said last.
        with suppress(ConnectionError):
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            await self._process.stdin.drain()

    async def _read(self) -> LoadMessage:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise LoadError(await self._end())
        try:
            message = _MESSAGE.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LoadError(f"the load generator said something unreadable: {line[:80]!r}") from error
        if isinstance(message, LoadFailed):
            raise LoadError(message.reason)
        return message

    async def _end(self) -> str:
        code = await self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        last = self._last_lines()
        return f"the load generator {how}" + (f": {last}" if last else "")

    def _last_lines(self) -> str:
        end = self._stderr.seek(0, 2)
        self._stderr.seek(max(0, end - _TAIL_BYTES))
        lines = self._stderr.read().decode("utf-8", "replace").split("\n")
        return " | ".join([line.strip() for line in lines if line.strip()][-_TAIL_LINES:])
