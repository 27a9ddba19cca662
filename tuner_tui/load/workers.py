"""The generator's worker processes, as many as a level needs."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import msgspec

from tuner_tui.load.dataset import Dataset
from tuner_tui.load.endpoint import LoadImpossible
from tuner_tui.load.lateness import mean_s, merged, percentile_s
from tuner_tui.load.model import (
    Job,
    Level,
    LevelDone,
    LoadFailed,
    LoadProgress,
    LoadReady,
    RunLevel,
    RunShare,
    ShareDone,
    ShareProgress,
    WorkerMessage,
)
from tuner_tui.load.scenario import DATASET
from tuner_tui.load.tickets import Tickets

_CONCURRENCY_PER_WORKER = 64
_RATE_PER_WORKER = 100.0
_WARM_UP_AT_A_RATE_S = 2.0
# From the order to the first request: long enough for every worker to have read it.
_LEAD_S = 0.02
_MESSAGE: msgspec.json.Decoder[WorkerMessage] = msgspec.json.Decoder(WorkerMessage)


class Workers:
    """Workers for one job, and the levels they carry out together. `close` in any case."""

    def __init__(self, job: Job, dataset: Dataset | None = None) -> None:
        """`dataset`: the job's, read. Raises LoadImpossible."""
        self._workers: list[_Worker] = []
        self._serial = 0
        self._prompts = 0 if dataset is None else len(dataset)
        self._folder = tempfile.TemporaryDirectory(prefix="tuner-tui-load-")
        self._tickets = Path(self._folder.name) / "tickets"
        if dataset is not None:
            entries = Path(self._folder.name) / "dataset.jsonl"
            try:
                dataset.write(entries)
            except OSError as error:
                raise LoadImpossible(f"{entries}: cannot be written: {error.strerror}") from error
            job = msgspec.structs.replace(job, dataset=str(entries))
        self._job = job

    async def run(self, order: RunLevel, report: Callable[[LoadProgress], None]) -> LevelDone:
        """One level. Raises LoadImpossible, also when a worker died."""
        level = order.traffic
        number = self._number(level)
        while len(self._workers) < number:
            self._workers.append(await _Worker.start(self._job))
        workers = self._workers[:number]
        lanes = self._job.max_in_flight if level.concurrency is None else level.concurrency
        limit = order.max_requests or (self._warm_up(level) if order.warm_up else self._job.max_requests)
        Tickets.issue(self._tickets)
        zero_s = perf_counter() + _LEAD_S
        template_tokens = self._job.text_length.overhead_tokens if self._job.text_length else 0
        gathered = _Gathered(order, number, report, max(0, template_tokens))
        async with asyncio.TaskGroup() as shares:
            for part, worker in enumerate(workers):
                share = RunShare(
                    level=order.level,
                    traffic=level,
                    warm_up=order.warm_up,
                    zero_s=zero_s,
                    first_serial=self._serial,
                    limit=limit,
                    part=part,
                    parts=number,
                    lanes=lanes // number + (part < lanes % number),
                    watched=order.watched,
                    tickets=str(self._tickets),
                )
                shares.create_task(gathered.follow(part, worker, share))
        done = gathered.done()
        repeat = level.scenario == DATASET and self._serial + gathered.sent > self._prompts
        self._serial += gathered.sent + number
        return msgspec.structs.replace(done, prompts_repeat=repeat)

    async def close(self) -> None:
        """Ends the workers at once."""
        await asyncio.gather(*(worker.close() for worker in self._workers))
        self._workers.clear()
        self._folder.cleanup()

    def _number(self, level: Level) -> int:
        """One for so many connections (or so high a rate), within the CPUs this process may use."""
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if level.concurrency is not None:
            needed = math.ceil(level.concurrency / _CONCURRENCY_PER_WORKER)
            return max(1, min(cpus, needed, level.concurrency))
        return max(1, min(cpus, math.ceil((level.request_rate or 0) / _RATE_PER_WORKER), self._job.max_in_flight))

    def _warm_up(self, level: Level) -> int:
        """Two rounds of a concurrency; of a rate, what it sends in two seconds, at least 2."""
        if level.concurrency is not None:
            return 2 * level.concurrency
        return max(2, math.ceil((level.request_rate or 0) * _WARM_UP_AT_A_RATE_S))


class _Gathered:
    """What the workers of one level say, put together."""

    def __init__(
        self, order: RunLevel, parts: int, report: Callable[[LoadProgress], None], template_tokens: int
    ) -> None:
        self._order = order
        self._report = report
        self._latest: dict[int, ShareProgress] = {}
        self._fresh: set[int] = set()
        self._ended: dict[int, ShareDone] = {}
        self._parts = parts
        self._template_tokens = template_tokens

    @property
    def sent(self) -> int:
        return sum(share.last.sent for share in self._ended.values())

    async def follow(self, part: int, worker: _Worker, share: RunShare) -> None:
        await worker.write(share)
        while True:
            message = await worker.read()
            if isinstance(message, ShareDone):
                self._latest[part] = message.last
                self._ended[part] = message
                return
            if isinstance(message, ShareProgress):
                self._latest[part] = message
                self._fresh.add(part)
                # One line twice a second, when all have told; those that ended count with their last word.
                if len(self._fresh | set(self._ended)) == self._parts:
                    self._fresh.clear()
                    self._report(self._progress(message.elapsed_s))

    def done(self) -> LevelDone:
        ends = list(self._ended.values())
        # The reason to give up says more than one request's error.
        errors = [end.error for end in sorted(ends, key=lambda end: not end.gave_up) if end.error is not None]
        lateness = merged(end.lateness for end in ends)
        return LevelDone(
            level=self._order.level,
            warm_up=self._order.warm_up,
            elapsed_s=max(end.last.elapsed_s for end in ends),
            done=sum(end.last.done for end in ends),
            failed=sum(end.last.failed for end in ends),
            error=next(iter(errors), None),
            client_lag_mean_s=mean_s(lateness),
            client_lag_p99_s=percentile_s(lateness, 0.99),
            client_busy=max(end.busy for end in ends),
            template_tokens=self._template_tokens,
        )

    def _progress(self, elapsed_s: float) -> LoadProgress:
        parts = list(self._latest.values())
        done, failed = sum(part.done for part in parts), sum(part.failed for part in parts)
        succeeded = done - failed
        at_a_rate = self._order.traffic.request_rate is not None
        return LoadProgress(
            level=self._order.level,
            warm_up=self._order.warm_up,
            elapsed_s=elapsed_s,
            done=done,
            failed=failed,
            running=sum(part.running for part in parts),
            output_tokens_per_s=sum(part.output_tokens for part in parts) / elapsed_s,
            ttft_mean_s=sum(part.ttft_sum_s for part in parts) / succeeded if succeeded else None,
            e2e_mean_s=sum(part.e2e_sum_s for part in parts) / succeeded if succeeded else None,
            achieved_rate=sum(part.sent for part in parts) / elapsed_s if at_a_rate else None,
        )


class _Worker:
    """One worker process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, job: Job) -> _Worker:
        # -P: a folder in the user's working directory that is named like one of our libraries is not imported.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "tuner_tui.load.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        worker = cls(process)
        try:
            if not isinstance(await worker.read(), LoadReady):
                raise LoadImpossible("a worker of the load generator did not begin as it should")
            await worker.write(job)
        except BaseException:
            await worker.close()
            raise
        return worker

    async def write(self, order: Job | RunShare) -> None:
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # `read` tells why
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            await self._process.stdin.drain()

    async def read(self) -> WorkerMessage:
        """Raises LoadImpossible when it failed or died."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            code = await self._process.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            raise LoadImpossible(f"a worker of the load generator {how}")
        message = _MESSAGE.decode(line)
        if isinstance(message, LoadFailed):
            raise LoadImpossible(message.reason)
        return message

    async def close(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
