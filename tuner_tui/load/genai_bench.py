"""genai-bench in the generator's place: the same orders, carried out by the real program, one run of it a level."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec

from tuner_tui.load.address import api_base
from tuner_tui.load.client import Generator, LoadError
from tuner_tui.load.genai_bench_command import arguments, environment
from tuner_tui.load.genai_bench_files import MeasuredRun, read_metadata, read_run, run_files
from tuner_tui.load.genai_bench_program import MISSING, find_genai_bench
from tuner_tui.load.model import Job, Level, LevelDone, LoadProgress, RunLevel
from tuner_tui.load.records import RecordFile

_POLL_S = 0.25
_PROGRESS_S = 0.5
_GRACE_S = 2.0
_MODELS_TIMEOUT_S = 10.0
_HIDDEN = b"(hidden)"
_FAILED = b"Received error response"
_STARTED = b"Starting benchmark with concurrency="
_ENOUGH = re.compile(rb"Exit the run as (\d+) requests have been completed")
_TROUBLE = re.compile(r"^(?:ERROR|WARNING|CRITICAL)\s+\S+ \S+ - \S+ - (.*)|^(\w*(?:Error|Exception): .*)", re.MULTILINE)


class GenaiBench:
    """Like `load.client.Generator`: `start`, `begin` once, `run` for each level, `close` in any case.

    Warm-ups are the generator's, by the chat endpoint that genai-bench uses; it has none of its own that would not
    count. A level is one run of the program, in `folder`/NN-LEVEL, which is kept. It is ended once its figures are
    written, before it draws them: that takes several seconds a level (`genai-bench plot` does it later).
    """

    def __init__(
        self,
        program: Path,
        warm_up: Generator,
        *,
        engine: str,
        tokenizer: str,
        folder: Path,
        gpus: int,
        cpus: str | None,
    ) -> None:
        self.name = "genai-bench"
        """With its version, once a level was measured."""
        self._program = program
        self._warm_up = warm_up
        self._engine = engine
        self._tokenizer = tokenizer
        self._folder = folder
        self._gpus = gpus
        self._cpus = cpus
        self._job: Job | None = None
        self._model: str | None = None
        self._child: asyncio.subprocess.Process | None = None

    @classmethod
    async def start(
        cls,
        *,
        engine: str,
        tokenizer: str,
        folder: Path,
        gpus: int = 0,
        cpus: str | None = None,
        stderr: Path | None = None,
    ) -> GenaiBench:
        """`tokenizer`: a folder or a Hugging Face id. Raises LoadError, also where genai-bench is not installed."""
        program = find_genai_bench()
        if program is None:
            raise LoadError(MISSING)
        warm_up = await Generator.start(cpus=cpus, stderr=stderr)
        return cls(program, warm_up, engine=engine, tokenizer=tokenizer, folder=folder, gpus=gpus, cpus=cpus)

    async def begin(self, job: Job) -> None:
        """Hands over the job. Raises LoadError where the server does not name its model."""
        self._job = job
        self._model = job.model or await _served_model(job)
        await self._warm_up.begin(msgspec.structs.replace(job, endpoint="chat", model=self._model))

    async def run(self, order: RunLevel, on_progress: Callable[[LoadProgress], None]) -> LevelDone:
        """One level; its records are in the job's file when this returns. Raises LoadError.

        `elapsed_s` of what it returns is genai-bench's own duration of the run.
        """
        if order.warm_up:
            return await self._warm_up.run(order, on_progress)
        assert self._job is not None
        slug = re.sub(r"[^A-Za-z0-9]+", "-", order.traffic.name).strip("-")
        folder = self._folder / f"{order.level:02d}-{slug}"
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / "output.log"
        try:
            await self._start_child(order.traffic, folder, output)
            run = await self._wait(order, folder, output, on_progress)
        finally:
            await self._end_child()
            self._hide_key(folder)
        with contextlib.suppress(ValueError, OSError):
            self.name = f"genai-bench {read_metadata(folder).benchmark_version}"
        records = RecordFile(Path(self._job.records))
        try:
            for record in run.records:
                records.add(record)
        finally:
            records.close()
        failed = [record for record in run.records if record.error is not None]
        return LevelDone(
            level=order.level,
            warm_up=False,
            elapsed_s=run.duration_s,
            done=len(run.records),
            failed=len(failed),
            error=failed[0].error if failed else None,
        )

    async def close(self) -> None:
        """Ends the program and its children at once. May be called at any time, twice too."""
        try:
            await self._end_child()
        finally:
            await self._warm_up.close()

    async def _start_child(self, level: Level, folder: Path, output: Path) -> None:
        assert self._job is not None
        assert self._model is not None
        options = arguments(
            level,
            self._job,
            engine=self._engine,
            model=self._model,
            tokenizer=self._tokenizer,
            folder=folder,
            gpus=self._gpus,
        )
        between = [sys.executable, "-P", "-m", "tuner_tui.load.genai_bench_child"]
        if self._cpus is not None:
            between += ["--cpus", self._cpus]
        with output.open("wb") as file:
            self._child = await asyncio.create_subprocess_exec(
                *between,
                "--",
                str(self._program),
                *options,
                stdin=asyncio.subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,
                env=environment(self._tokenizer, self._key),
            )

    async def _wait(
        self, order: RunLevel, folder: Path, output: Path, on_progress: Callable[[LoadProgress], None]
    ) -> MeasuredRun:
        """Until the run file is whole, or the program ended."""
        assert self._child is not None
        began, told = time.monotonic(), 0.0
        ended = asyncio.ensure_future(self._child.wait())
        try:
            while True:
                await asyncio.wait({ended}, timeout=_POLL_S)
                over = ended.done()
                for path in run_files(folder):
                    with contextlib.suppress(ValueError):  # half written
                        return read_run(path, order.level)
                if over:
                    return self._without_result(folder, output, order.level, ended.result())
                if time.monotonic() - told >= _PROGRESS_S:
                    told = time.monotonic()
                    on_progress(_progress(order, output, told - began))
        finally:
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    def _without_result(self, folder: Path, output: Path, level: int, code: int) -> MeasuredRun:
        """Where every request failed, only a file for debugging is left, which has them all."""
        for path in [*run_files(folder), *folder.glob("debug_for_run_*.json")]:
            try:
                return read_run(path, level)
            except ValueError as error:
                raise LoadError(str(error)) from error
        said = _TROUBLE.findall(output.read_text(errors="replace"))
        last = next((words for pair in reversed(said) for words in pair if words), "it said nothing")
        raise LoadError(f"genai-bench ended with code {code} and without a result: {last[:300]} (see {output})")

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        assert child.stdin is not None
        child.stdin.close()
        try:
            async with asyncio.timeout(_GRACE_S):
                await child.wait()
        except TimeoutError:
            pass
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()

    @property
    def _key(self) -> str | None:
        variable = self._job.api_key_variable if self._job else None
        return os.environ.get(variable) if variable else None

    def _hide_key(self, folder: Path) -> None:
        """genai-bench writes the key into its log and its metadata."""
        if not self._key:
            return
        for path in folder.rglob("*"):
            if path.is_file() and self._key.encode() in (data := path.read_bytes()):
                path.write_bytes(data.replace(self._key.encode(), _HIDDEN))


def _progress(order: RunLevel, output: Path, elapsed_s: float) -> LoadProgress:
    """As much as its output tells: whether it has begun, failures, and the number when it has enough."""
    said = output.read_bytes()
    failed = said.count(_FAILED)
    enough = _ENOUGH.search(said)
    return LoadProgress(
        level=order.level,
        warm_up=False,
        elapsed_s=elapsed_s,
        done=int(enough[1]) if enough else failed,
        failed=failed,
        running=(order.traffic.concurrency or 0) if _STARTED in said and enough is None else 0,
    )


async def _served_model(job: Job) -> str:
    url = f"{api_base(job.url)}/models"
    key = os.environ.get(job.api_key_variable) if job.api_key_variable else None
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        timeout = aiohttp.ClientTimeout(total=_MODELS_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session, session.get(url) as answer:
            answer.raise_for_status()
            return str(msgspec.json.decode(await answer.read())["data"][0]["id"])
    except (aiohttp.ClientError, OSError, TimeoutError, msgspec.DecodeError, LookupError, TypeError) as error:
        raise LoadError(f"{url} does not name the model that genai-bench is to ask for: {error}") from error
