"""What the generator process does with its orders: one job, then levels, one at a time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from tuner_tui.load.closed_loop import ClosedLoop
from tuner_tui.load.cpus import pin
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.model import Job, LevelDone, LoadProgress, RunLevel
from tuner_tui.load.prompts import Prompts
from tuner_tui.load.records import RecordFile
from tuner_tui.load.scenario import parse

_MAX_LINE_BYTES = 2**24

Report = Callable[[LoadProgress | LevelDone], None]
_Order = TypeVar("_Order", Job, RunLevel)


async def carry_out_orders(report: Report) -> None:
    """Reads orders from standard input until it ends, which also ends what is running.

    Raises LoadImpossible when an order cannot be carried out.
    """
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    listening = asyncio.create_task(_listen(lines))
    working = asyncio.create_task(_work(lines, report))
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


async def _work(lines: asyncio.Queue[bytes], report: Report) -> None:
    job = _decode(await lines.get(), Job)
    if job.max_requests is None and job.max_time_s is None:
        raise LoadImpossible("a level needs an end: give max_requests, max_time, or both")
    if job.cpus is not None:
        with _value_errors_end_it():
            pin(job.cpus)
    endpoint = Endpoint(job)
    try:
        await endpoint.find_model()
        with _write_errors_end_it(job):
            records = RecordFile(Path(job.records))
        try:
            await _run_levels(lines, report, job, endpoint, records)
        finally:
            # Each level's end has written all; a close that fails again has nothing new to say.
            with suppress(OSError):
                records.close()
    finally:
        await endpoint.close()


async def _run_levels(
    lines: asyncio.Queue[bytes], report: Report, job: Job, endpoint: Endpoint, records: RecordFile
) -> None:
    prompts = Prompts(job.seed)
    while True:
        order = _decode(await lines.get(), RunLevel)
        with _value_errors_end_it():
            scenario = parse(order.traffic.scenario)
            if (order.traffic.concurrency or 0) < 1:
                raise ValueError(f"concurrency {order.traffic.concurrency} is not possible; it is at least 1")
        loop = ClosedLoop(order, scenario, job=job, endpoint=endpoint, prompts=prompts, records=records, report=report)
        with _write_errors_end_it(job):
            done = await loop.run()
        report(done)


@contextmanager
def _value_errors_end_it() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise LoadImpossible(str(error)) from error


@contextmanager
def _write_errors_end_it(job: Job) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LoadImpossible(f"{job.records}: cannot be written: {error.strerror}") from error


def _decode(line: bytes, kind: type[_Order]) -> _Order:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LoadImpossible(f"unreadable order, expected a {kind.__name__}: {error}") from error
