"""`tuner-tui bench`: the load generator alone, against any OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from tuner_tui.load.bench import bench
from tuner_tui.load.client import LoadError
from tuner_tui.load.model import Distribution, Level, LevelResult, LoadProgress
from tuner_tui.load.scenario import parse
from tuner_tui.report.words import milliseconds
from tuner_tui.task.units import duration_s


def bench_url(
    *,
    url: str,
    traffic: tuple[str, ...],
    concurrency: tuple[int, ...],
    max_requests: int,
    max_time: str | None,
    model: str | None,
    endpoint: Literal["completions", "chat"],
    request_json: str | None,
    api_key_variable: str | None,
    cpus: str | None,
    records: Path | None,
    as_json: bool,
) -> int:
    """Measures and prints; exit code 0 when something succeeded at every level, 1 when not, 2 for bad input."""
    try:
        for scenario in traffic:
            parse(scenario)
        max_time_s = None if max_time is None else duration_s(max_time)
        request = _request(request_json)
    except ValueError as error:
        click.echo(f"tuner-tui: {error}", err=True)
        return 2
    levels = [Level(scenario=scenario, concurrency=each) for scenario in traffic for each in concurrency]

    def on_progress(progress: LoadProgress) -> None:
        if sys.stderr.isatty() and not progress.warm_up:
            words = f"{levels[progress.level].name}: {progress.done}/{max_requests} requests, {progress.failed} failed"
            click.echo(f"\r\x1b[K{words}", nl=False, err=True)

    try:
        results = asyncio.run(
            bench(
                url,
                levels,
                model=model,
                endpoint=endpoint,
                request=request,
                max_requests=max_requests,
                max_time_s=max_time_s,
                api_key_variable=api_key_variable,
                cpus=cpus,
                records=records,
                on_progress=on_progress,
            )
        )
    except LoadError as error:
        click.echo(f"tuner-tui: {error}", err=True)
        return 1
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return 130
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"url": url, "levels": results}), indent=2).decode())
    else:
        _print(results)
    return 0 if all(result.succeeded for result in results) else 1


def _request(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ValueError(f"--request: expected a JSON object such as '{{\"temperature\": 0}}' ({error})") from error


def _print(results: list[LevelResult]) -> None:
    """A block a level, 80 columns wide."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("level", no_wrap=True)
    for column in ("", "mean", "p50", "p90", "p99", "max"):
        table.add_column(column, justify="right", no_wrap=True)
    console = Console()
    remarks: list[str] = []
    for result in results:
        metrics = result.metrics
        name = result.name
        first = [name, f"{result.requests} requests", f"{metrics.output_tokens_per_s:.0f} tok/s"]
        for head, metric, distribution in zip(
            first, ("TTFT", "TPOT", "E2E"), (metrics.ttft_s, metrics.tpot_s, metrics.e2e_s), strict=True
        ):
            table.add_row(*(Text(cell) for cell in (head, metric, *_statistics(distribution))))
        table.add_section()
        remarks += [f"{name}: {count} × {error}" for error, count in result.errors.items()]
        if result.wrong_length:
            remarks.append(f"{name}: {result.wrong_length} outputs had another length than asked")
        if metrics.e2e_s and metrics.e2e_s.too_few_samples:
            few = ", ".join(metrics.e2e_s.too_few_samples)
            remarks.append(f"{name}: {few} rests on too few requests ({metrics.e2e_s.n}) to be trusted")
    console.print(table, highlight=False)
    for remark in remarks:
        console.print(Text(remark))


def _statistics(distribution: Distribution | None) -> list[str]:
    """mean, p50, p90, p99 and max, in milliseconds."""
    if distribution is None:
        return ["–"] * 5
    return [milliseconds(getattr(distribution, name)) for name in ("mean", "p50", "p90", "p99", "max")]
