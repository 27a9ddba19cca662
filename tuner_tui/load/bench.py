"""The load alone, against a server that is already up."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tuner_tui.load.address import api_base
from tuner_tui.load.client import Generator, LoadError
from tuner_tui.load.metrics import level_result, read_records
from tuner_tui.load.model import Job, Level, LevelDone, LevelResult, LoadProgress, RunLevel


async def bench(
    url: str,
    levels: Sequence[Level],
    *,
    model: str | None = None,
    endpoint: Literal["completions", "chat"] = "completions",
    request: dict[str, Any] | None = None,
    max_requests: int | None = None,
    max_time_s: float | None = None,
    request_timeout_s: float = 600.0,
    seed: int | None = None,
    api_key_variable: str | None = None,
    cpus: str | None = None,
    records: Path | None = None,
    limits_s: Mapping[str, float] | None = None,
    on_progress: Callable[[LoadProgress], None] | None = None,
) -> list[LevelResult]:
    """Warms up and measures each level in turn; one result a level.

    `url` is any OpenAI-compatible server's, with or without `/v1`. `records` keeps the raw request records, in a
    file that is not there yet. Without `seed`, prompts differ from one call to the next: a server that stays up
    may have cached the last ones. Raises LoadError with one sentence, also when every warm-up request fails.
    """
    try:
        base = api_base(url)
    except ValueError as error:
        raise LoadError(str(error)) from error
    if records is not None and records.exists():
        raise LoadError(f"{records} exists already; name a new file for the records")
    with tempfile.TemporaryDirectory(prefix="tuner-tui-") as folder:
        path = records if records is not None else Path(folder) / "requests.jsonl"
        generator = await Generator.start(cpus=cpus)
        try:
            await generator.begin(
                Job(
                    url=base,
                    records=str(path),
                    endpoint=endpoint,
                    model=model,
                    request=request or {},
                    max_requests=max_requests,
                    max_time_s=max_time_s,
                    request_timeout_s=request_timeout_s,
                    seed=time.time_ns() if seed is None else seed,
                    api_key_variable=api_key_variable,
                )
            )
            results = []
            for index, level in enumerate(levels):
                await _run(generator, base, index, level, warm_up=True, on_progress=on_progress)
                done = await _run(generator, base, index, level, warm_up=False, on_progress=on_progress)
                measured = [record for record in read_records(path) if record.level == index]
                results.append(level_result(level, measured, limits_s, done))
            return results
        finally:
            await generator.close()


async def _run(
    generator: Generator,
    base: str,
    index: int,
    level: Level,
    *,
    warm_up: bool,
    on_progress: Callable[[LoadProgress], None] | None,
) -> LevelDone:
    order = RunLevel(level=index, traffic=level, warm_up=warm_up)
    done = await generator.run(order, on_progress or (lambda progress: None))
    if warm_up and done.failed == done.done:
        error = done.error or "no request was sent"
        hint = "; has this server the endpoint, and the model?" if "HTTP 404" in error else ""
        raise LoadError(f"{base}: every warm-up request of {level.name} failed: {error}{hint}")
    return done
