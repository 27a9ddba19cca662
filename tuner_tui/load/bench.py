"""The load alone, against a server that is already up."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tuner_tui.load import client
from tuner_tui.load.address import api_base
from tuner_tui.load.client import LoadError
from tuner_tui.load.find_max import least_requests
from tuner_tui.load.metrics import level_result
from tuner_tui.load.model import Job, Level, LevelDone, LevelResult, LoadProgress, RunLevel
from tuner_tui.load.records import RecordReader

Levels = Generator[Level, LevelResult, Any]
"""Levels one at a time, each told the result of the last: a search."""


async def bench(
    job: Job,
    levels: Sequence[Level] | Levels,
    *,
    cpus: str | None = None,
    limits_s: Mapping[str, float] | None = None,
    limits_kept: Sequence[str] = (),
    on_level: Callable[[Level], None] | None = None,
    on_progress: Callable[[LoadProgress], None] | None = None,
    on_result: Callable[[LevelResult], None] | None = None,
) -> list[LevelResult]:
    """Warms up and measures each level in turn; one result a level, given to `on_result` at once.

    The job's `url` is any OpenAI-compatible server's, as `api_base` takes it. Its `records` (an empty path: they are
    not kept) name a file that is not there yet. A seed of 0 stands for one of this moment: a server that stays up
    may have cached the last prompts. Levels that are searched for have `least_requests` each.
    Raises LoadError with one sentence, also when every warm-up request fails.
    """
    try:
        base = api_base(job.url)
    except ValueError as error:
        raise LoadError(str(error)) from error
    if job.records and Path(job.records).exists():
        raise LoadError(f"{job.records} exists already; name a new file for the records")
    searched = isinstance(levels, Generator)
    source = levels if isinstance(levels, Generator) else _in_turn(levels)
    with tempfile.TemporaryDirectory(prefix="tuner-tui-") as folder:
        path = Path(job.records) if job.records else Path(folder) / "requests.jsonl"
        records = RecordReader(path)
        generator = await client.Generator.start(cpus=cpus)
        try:
            await generator.begin(msgspec.structs.replace(job, records=str(path), seed=job.seed or time.time_ns()))
            results: list[LevelResult] = []
            level = next(source, None)
            while level is not None:
                if on_level is not None:
                    on_level(level)
                order = RunLevel(level=len(results), traffic=level)
                if searched and job.max_requests is not None:
                    least = least_requests(level, limits_kept, results)
                    order = msgspec.structs.replace(order, max_requests=max(job.max_requests, least))
                await _run(generator, base, order, warm_up=True, on_progress=on_progress)
                done = await _run(generator, base, order, warm_up=False, on_progress=on_progress)
                measured = [record for record in records.new() if record.level == order.level]
                results.append(level_result(level, measured, limits_s, done))
                if on_result is not None:
                    on_result(results[-1])
                try:
                    level = source.send(results[-1])
                except StopIteration:
                    break
            return results
        finally:
            await generator.close()


def _in_turn(levels: Sequence[Level]) -> Levels:
    for level in levels:  # noqa: UP028 (a list iterator takes no `send`)
        yield level


async def _run(
    generator: client.Generator,
    base: str,
    order: RunLevel,
    *,
    warm_up: bool,
    on_progress: Callable[[LoadProgress], None] | None,
) -> LevelDone:
    order = msgspec.structs.replace(order, watched=on_progress is not None)
    if warm_up:
        order = msgspec.structs.replace(order, warm_up=True, max_requests=None)
    done = await generator.run(order, on_progress or (lambda progress: None))
    if warm_up and done.failed == done.done:
        error = done.error or "no request was sent"
        hint = "; has this server the endpoint, and the model?" if "HTTP 404" in error else ""
        raise LoadError(f"{base}: every warm-up request of {order.traffic.name} failed: {error}{hint}")
    return done
