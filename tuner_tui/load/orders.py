"""What the generator process does with its orders: one job, then levels, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from tuner_tui.load.cpus import pin
from tuner_tui.load.dataset import Dataset
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.lines import obey
from tuner_tui.load.model import Job, Level, LevelDone, LoadProgress, RunLevel
from tuner_tui.load.records import mend
from tuner_tui.load.scenario import DATASET, parse
from tuner_tui.load.text_length import find_text_length, find_tokens_per_character
from tuner_tui.load.workers import Workers

Report = Callable[[LoadProgress | LevelDone], None]
_Order = TypeVar("_Order", Job, RunLevel)


async def carry_out_orders(report: Report) -> None:
    """Reads orders from standard input until it ends, which also ends what is running.

    Raises LoadImpossible when an order cannot be carried out.
    """

    async def work(lines: asyncio.Queue[bytes]) -> None:
        job = _decode(await lines.get(), Job)
        with _value_errors_end_it():
            dataset = _checked(job)
            if job.cpus is not None:
                pin(job.cpus)
        workers: Workers | None = None
        try:
            while True:
                order = _decode(await lines.get(), RunLevel)
                with _value_errors_end_it():
                    _check_level(order.traffic, job)
                if workers is None:
                    workers = Workers(await _prepared(job, dataset), dataset)
                    dataset = None
                report(await _run(workers, order, report))
        finally:
            if workers is not None:
                await workers.close()

    await obey(work)


async def _run(workers: Workers, order: RunLevel, report: Report) -> LevelDone:
    try:
        return await workers.run(order, report)
    except BaseExceptionGroup as group:
        # One worker's end ends the level, and the others with it: that one is the reason.
        failures = group.subgroup(LoadImpossible)
        if failures is None:
            raise
        first = failures.exceptions[0]
        assert isinstance(first, LoadImpossible)
        raise first from None


async def _prepared(job: Job, dataset: Dataset | None) -> Job:
    """The job with what the server had to be asked for: its model's name, and how long our texts are there."""
    endpoint = Endpoint(job)
    try:
        await endpoint.find_model()
        job = msgspec.structs.replace(job, model=endpoint.model)
        if job.endpoint == "chat" or job.text_prompts:
            job = msgspec.structs.replace(job, text_length=await find_text_length(endpoint, job))
        if dataset is not None and dataset.answers:
            ratio = await find_tokens_per_character(endpoint, job, dataset.answers)
            job = msgspec.structs.replace(job, tokens_per_character=ratio)
    finally:
        await endpoint.close()
    try:
        mend(Path(job.records))
    except OSError as error:
        raise LoadImpossible(f"the requests cannot be written: {error.strerror}: {job.records}") from error
    return job


def _checked(job: Job) -> Dataset | None:
    """The job's file of prompts. Raises ValueError."""
    if job.max_requests is None and job.max_time_s is None:
        raise ValueError("a level needs an end: give max_requests, max_time, or both")
    if job.dataset is None:
        return None
    dataset = Dataset(Path(job.dataset), job.drawn_by)
    dataset.check(job.endpoint, job.request)
    return dataset


def _check_level(level: Level, job: Job) -> None:
    """Raises ValueError."""
    if level.scenario != DATASET:
        parse(level.scenario)
    elif job.dataset is None:
        raise ValueError("the scenario dataset needs a file of prompts")
    if (level.concurrency is None) == (level.request_rate is None):
        raise ValueError("a level has either a concurrency or a request rate")
    if level.concurrency is not None and level.concurrency < 1:
        raise ValueError(f"concurrency {level.concurrency} is not possible; it is at least 1")
    if level.request_rate is not None and not 0 < level.request_rate < 1e6:
        raise ValueError(f"a rate of {level.request_rate:g} requests a second is not possible; it is above 0")


@contextmanager
def _value_errors_end_it() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise LoadImpossible(str(error)) from error


def _decode(line: bytes, kind: type[_Order]) -> _Order:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LoadImpossible(f"unreadable order, expected a {kind.__name__}: {error}") from error
