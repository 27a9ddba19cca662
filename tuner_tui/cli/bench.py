"""`tuner-tui bench`: the load generator alone, against any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from tuner_tui.load.bench import Levels, bench
from tuner_tui.load.client import LoadError
from tuner_tui.load.dataset import Dataset
from tuner_tui.load.find_max import broken_limits, find_max, parse_limit
from tuner_tui.load.model import Arrivals, Distribution, Found, Job, Level, LevelResult, LoadKind, LoadProgress
from tuner_tui.load.scenario import DATASET, parse
from tuner_tui.report.words import milliseconds
from tuner_tui.task.units import duration_s

# A time that may be wrong by so much of TPOT is worth a remark.
_LAG_SHARE = 0.05
_LAG_S = 0.0005
_BUSY = 0.9
_LONG_NAME = 20
_FEWER = ("mean", "p50", "p99", "max")


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
    limits), 1 when not, 2 for bad input."""
    try:
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
            max_time_s=None if max_time is None else duration_s(max_time),
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
    try:
        results = asyncio.run(
            bench(
                job,
                levels,
                cpus=cpus,
                limits_s=_of_a_request(limits_s),
                limits_kept=tuple(limits_s),
                on_level=shown.level,
                on_progress=shown.progress if shown.on_terminal else None,
            )
        )
    except LoadError as error:
        shown.clear()
        click.echo(f"tuner-tui: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        shown.clear()
        click.echo("interrupted", err=True)
        return 130
    shown.clear()
    if as_json:
        document = {"url": url, "levels": results} | ({"found": found[0]} if found else {})
        click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
    else:
        _print(results, limits_s)
        if found:
            click.echo(_found_words(found[0], traffic[0], limits))
    if found:
        return 0 if found[0].highest is not None else 1
    return 0 if all(result.succeeded for result in results) else 1


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
        Dataset(dataset, None).check(endpoint, request)


def _limits(given: tuple[str, ...]) -> dict[str, float]:
    limits_s = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--limit {text!r}: expected NAME=DURATION, such as ttft.p99=500ms")
        limits_s[parse_limit(name.strip())] = duration_s(value.strip())
    return limits_s


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


def _print(results: list[LevelResult], limits_s: dict[str, float]) -> None:
    """A block a level, 80 columns wide."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("level", no_wrap=True)
    # A rate's long name takes the room of a column.
    columns = ("mean", "p50", "p90", "p99", "max") if all(len(each.name) < _LONG_NAME for each in results) else _FEWER
    for column in ("", *columns):
        table.add_column(column, justify="right", no_wrap=True)
    console = Console()
    remarks: list[str] = []
    for result in results:
        metrics = result.metrics
        first = [result.name, f"{result.requests} requests", f"{metrics.output_tokens_per_s:.0f} tok/s", ""]
        if metrics.achieved_rate is not None:
            first[3] = f"{metrics.achieved_rate:.3g} requests/s sent"
        rows = [
            ("TTFT", metrics.ttft_s),
            ("TPOT", metrics.tpot_s),
            ("E2E", metrics.e2e_s),
            ("delay", metrics.delay_s) if metrics.delay_s else ("ITL", metrics.itl_s),
        ]
        for head, (metric, distribution) in zip(first, rows, strict=True):
            table.add_row(*(Text(cell) for cell in (head, metric, *_statistics(distribution, columns))))
        table.add_section()
        remarks += _remarks(result, limits_s)
    console.print(table, highlight=False)
    for remark in remarks:
        console.print(Text(remark))


def _remarks(result: LevelResult, limits_s: dict[str, float]) -> list[str]:
    name, metrics = result.name, result.metrics
    remarks = [f"{name}: {count} × {error}" for error, count in result.errors.items()]
    if result.wrong_length:
        remarks.append(f"{name}: {result.wrong_length} outputs had another length than asked")
    if limits_s:
        broken = broken_limits(result, limits_s)
        good = f"; {metrics.good_requests} of {result.requests} requests keep them, {metrics.good_requests_per_s:.3g}/s"
        keeps = "breaks the limits: " + "; ".join(broken) if broken else "keeps the limits"
        remarks.append(f"{name} {keeps}{good if metrics.good_requests is not None else ''}")
    if metrics.e2e_s and metrics.e2e_s.too_few_samples:
        few = ", ".join(metrics.e2e_s.too_few_samples)
        remarks.append(f"{name}: {few} rests on too few requests ({metrics.e2e_s.n}) to be trusted")
    lag_s, tpot_s = result.client_lag_p99_s, metrics.tpot_s.mean if metrics.tpot_s else None
    if lag_s is not None and tpot_s is not None and lag_s > max(_LAG_SHARE * tpot_s, _LAG_S):
        remarks.append(f"{name}: this generator was up to {milliseconds(lag_s)} late; give it more CPUs (--cpus)")
    elif result.client_busy is not None and result.client_busy > _BUSY:
        remarks.append(f"{name}: this generator used {result.client_busy:.0%} of its CPU; give it more (--cpus)")
    return remarks


def _found_words(found: Found, scenario: str, limits: tuple[str, ...]) -> str:
    unit = "requests at once" if found.kind == "concurrency" else "requests a second"
    kept = f"{', '.join(limits)} at {scenario}"
    if found.lowest_broken is None and found.highest is None:
        return f"Even one request at a time breaks {kept}."
    if found.highest is None:
        return f"Even {found.lowest_broken:g} {unit} break {kept}."
    if found.bounded:
        return f"{found.highest:g} {unit} keep {kept}; more was not tried (--most)."
    return f"{found.highest:g} {unit} keep {kept}; {found.lowest_broken:g} do not."


def _statistics(distribution: Distribution | None, names: Sequence[str]) -> list[str]:
    """In milliseconds."""
    if distribution is None:
        return ["–"] * len(names)
    return [milliseconds(getattr(distribution, name)) for name in names]
