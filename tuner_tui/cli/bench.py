"""`tuner-tui bench`: the load generator alone, against any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
from collections.abc import Coroutine, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from tuner_tui.cli.bench_report import found_words, print_results
from tuner_tui.load.address import api_base
from tuner_tui.load.bench import Levels, bench
from tuner_tui.load.client import LoadError
from tuner_tui.load.cpus import allowed_cpus
from tuner_tui.load.dataset import Dataset
from tuner_tui.load.find_max import find_max, parse_limit
from tuner_tui.load.model import Arrivals, Found, Job, Level, LevelResult, LoadKind, LoadProgress
from tuner_tui.load.scenario import DATASET, parse
from tuner_tui.task.units import DURATION, duration_s


def bench_url(
    *,
    url: str,
    traffic: tuple[str, ...],
    concurrency: tuple[int, ...],
    request_rate: tuple[float, ...],
    arrivals: Arrivals,
    max_in_flight: int,
    max_requests: int,
    max_time: str | None,
    model: str | None,
    endpoint: Literal["completions", "chat"],
    text_prompts: bool,
    dataset: Path | None,
    request_json: str | None,
    api_key_variable: str | None,
    ca_file: Path | None,
    insecure: bool,
    limits: tuple[str, ...],
    find: LoadKind | None,
    start: float | None,
    most: float | None,
    cpus: str | None,
    records: Path | None,
    as_json: bool,
) -> int:
    """Measures and prints; exit code 0 when something succeeded at every level (or a load was found that keeps the
    limits), 1 when not, 2 for bad input, 128 and its number where a signal ended it. What was measured before it failed
    or was interrupted is printed, too."""
    try:
        api_base(url)
        if cpus is not None:
            allowed_cpus(cpus)
        if api_key_variable and not os.environ.get(api_key_variable):
            raise ValueError(f"--api-key-variable: ${api_key_variable} is not set")
        if records is not None and records.exists():
            raise ValueError(f"--records: {records} exists already; name a new file")
        for number in (*request_rate, start, most):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"{number} is no number that can be sent; leave it out, or name one")
        request = _request(request_json)
        _check_traffic(traffic, dataset, endpoint, request)
        if concurrency and request_rate:
            raise ValueError("--concurrency and --request-rate exclude each other: a level has one of the two")
        if find and (concurrency or request_rate):
            raise ValueError("--find-max looks for the load itself; leave --concurrency and --request-rate out")
        if find and not limits:
            raise ValueError("--find-max needs what is to be kept, such as --limit ttft.p99=500ms")
        if find and len(traffic) > 1:
            raise ValueError("--find-max takes one --traffic")
        limits_s = _limits(limits)
        job = Job(
            url=url,
            records=str(records) if records else "",
            endpoint=endpoint,
            model=model,
            request=request,
            max_requests=max_requests,
            max_time_s=None if max_time is None else _duration_s("--max-time", max_time),
            api_key_variable=api_key_variable,
            text_prompts=text_prompts,
            dataset=str(dataset.absolute()) if dataset else None,
            max_in_flight=max_in_flight,
            ca_file=str(ca_file) if ca_file else None,
            insecure=insecure,
        )
    except ValueError as error:
        click.echo(f"tuner-tui: {error}", err=True)
        return 2
    found: list[Found] = []
    levels: list[Level] | Levels
    if find:
        search = find_max(traffic[0], find, limits_s, start=start, most=most or 256, arrivals=arrivals)
        levels = _keeping(search, found)
    elif request_rate:
        rates = [Level(scenario="", request_rate=each, arrivals=arrivals) for each in request_rate]
        levels = [msgspec.structs.replace(rate, scenario=scenario) for scenario in traffic for rate in rates]
    else:
        levels = [Level(scenario=scenario, concurrency=each) for scenario in traffic for each in concurrency or (1, 4)]
    shown = _Progress()
    results: list[LevelResult] = []
    ended: tuple[int, str] | None = None
    measuring = bench(
        job,
        levels,
        cpus=cpus,
        limits_s=_of_a_request(limits_s),
        limits_kept=tuple(limits_s),
        on_level=shown.level,
        on_progress=shown.progress if shown.on_terminal else None,
        on_result=results.append,
    )
    ended_by: list[int] = []
    try:
        asyncio.run(_unless_ended(measuring, ended_by))
    except LoadError as error:
        ended = 1, f"tuner-tui: {error}"
    except (KeyboardInterrupt, asyncio.CancelledError):
        ended = 128 + next(iter(ended_by), signal.SIGINT), "interrupted"
    shown.clear()
    if results:
        _tell(url, results, limits_s, found, as_json=as_json)
    if ended is not None:
        code, words = ended
        click.echo(words, err=True)
        return code
    if found:
        if not as_json:
            click.echo(found_words(found[0], traffic[0], limits))
        return 0 if found[0].highest is not None else 1
    return 0 if all(result.succeeded for result in results) else 1


async def _unless_ended(work: Coroutine[Any, Any, list[LevelResult]], ended_by: list[int]) -> None:
    """`work`, ended in order by SIGTERM and SIGHUP as it is by SIGINT, so that none of its files stays. A signal that
    is ignored (by nohup) stays so."""
    task = asyncio.current_task()
    assert task is not None

    def end(number: int) -> None:
        ended_by.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, end, number)
    await work


def _tell(
    url: str, results: Sequence[LevelResult], limits_s: Mapping[str, float], found: Sequence[Found], *, as_json: bool
) -> None:
    if as_json:
        document = {"url": url, "levels": results} | ({"found": found[0]} if found else {})
        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        print_results(results, limits_s)


def _check_traffic(
    traffic: tuple[str, ...],
    dataset: Path | None,
    endpoint: Literal["completions", "chat"],
    request: dict[str, Any],
) -> None:
    for scenario in traffic:
        if scenario != DATASET:
            parse(scenario)
        elif dataset is None:
            raise ValueError("--traffic dataset needs --dataset FILE")
    if dataset is not None:
        if DATASET not in traffic:
            raise ValueError("--dataset is read by --traffic dataset only")
        prompts = Dataset(dataset, None)
        prompts.check(endpoint, request)
        for note in prompts.notes:
            click.echo(f"note: {note}", err=True)


def _limits(given: tuple[str, ...]) -> dict[str, float]:
    limits_s = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--limit {text!r}: expected NAME=DURATION, such as ttft.p99=500ms")
        limits_s[parse_limit(name.strip())] = _duration_s(f"--limit {text!r}", value)
    return limits_s


def _duration_s(option: str, text: str) -> float:
    try:
        return duration_s(text)
    except ValueError as error:
        raise ValueError(f"{option}: expected {DURATION}") from error


def _of_a_request(limits_s: dict[str, float]) -> dict[str, float]:
    """What each single request is held against, by metric: the strictest, whatever the statistic."""
    strictest: dict[str, float] = {}
    for name, most_s in limits_s.items():
        metric = name.partition(".")[0]
        if metric != "itl":
            strictest[metric] = min(most_s, strictest.get(metric, most_s))
    return strictest


def _keeping(search: Generator[Level, LevelResult, Found], found: list[Found]) -> Levels:
    found.append((yield from search))


class _Progress:
    """One line that is written over, on a terminal only."""

    def __init__(self) -> None:
        self.on_terminal = sys.stderr.isatty()
        self._level = ""

    def level(self, level: Level) -> None:
        self._level = level.name

    def progress(self, progress: LoadProgress) -> None:
        doing = "warming up" if progress.warm_up else f"{progress.done} requests done, {progress.failed} failed"
        rate = f", {progress.output_tokens_per_s:.0f} tok/s" if progress.output_tokens_per_s else ""
        click.echo(f"\r\x1b[K{self._level}: {doing}{rate}", nl=False, err=True)

    def clear(self) -> None:
        if self.on_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)


def _request(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ValueError(f"--request: expected a JSON object such as '{{\"temperature\": 0}}' ({error})") from error
