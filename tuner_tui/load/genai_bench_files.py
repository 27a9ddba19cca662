"""What genai-bench writes down: a run file (one scenario at one concurrency) → request records and a level's result.

Read of genai-bench 0.0.5 (metrics/metrics.py, metrics/aggregated_metrics_collector.py, cli/cli.py):

- `individual_request_metrics`: of each request ttft, e2e_latency, token counts, error_code; no moment of sending, no
  last token, no finish reason. Its tpot is (e2e_latency − ttft) / (output tokens − 1): the end of the stream stands for
  the last token.
- `aggregated_metrics`: the same over all successful requests, each as mean, stddev (population) and percentiles, and
  `run_duration` (always seconds), from before the first request to after the stop that follows the last; it is polled
  once a second, and requests in flight at the end are dropped.
- `_time_unit`: `s` or `ms`, of every latency in the file (absent in older versions: seconds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import msgspec
from msgspec.structs import replace

from tuner_tui.load.metrics import level_result, too_few_samples
from tuner_tui.load.model import Distribution, Level, LevelMetrics, LevelResult, RequestRecord
from tuner_tui.load.scenario import Fixed, parse

_File = TypeVar("_File", "_RunFile", "Metadata")

_SCALES = {"s": 1.0, "ms": 1e-3}
# A closed loop cannot hold more request-seconds than its lanes times its duration. Latencies in another unit than the
# file says are a thousand times off; requests that began before and ended after the clock are worth a few per cent.
_MOST_FULL = 2.0


class Statistics(msgspec.Struct, frozen=True):
    """One metric over the successful requests of a run; `stddev` with n in the denominator."""

    min: float | None = None
    max: float | None = None
    mean: float | None = None
    stddev: float | None = None
    sum: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


class Aggregated(msgspec.Struct, frozen=True):
    """`aggregated_metrics` of one run, as far as it is used."""

    scenario: str
    num_concurrency: int
    run_duration: float
    stats: dict[str, Statistics]
    iteration_type: str = "num_concurrency"
    num_completed_requests: int = 0
    num_error_requests: int = 0
    error_codes_frequency: dict[str, int] = {}


class _Request(msgspec.Struct, frozen=True):
    ttft: float | None = None
    e2e_latency: float | None = None
    num_input_tokens: int | None = None
    num_output_tokens: int | None = None
    error_code: int | None = None
    error_message: str | None = None


class _RunFile(msgspec.Struct, frozen=True):
    individual_request_metrics: list[_Request]
    aggregated_metrics: dict[str, Any]
    time_unit: str = msgspec.field(name="_time_unit", default="s")


class Metadata(msgspec.Struct, frozen=True):
    """experiment_metadata.json, as far as it is used. Its times are seconds, whatever the command line said."""

    benchmark_version: str
    api_backend: str
    model: str
    task: str
    server_engine: str | None = None
    server_gpu_count: str | None = None
    traffic_scenario: list[str] = []
    num_concurrency: list[int] = []
    max_time_per_run_s: float | None = None
    max_requests_per_run: int | None = None


class MeasuredRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run file: its level, the requests in the order they ended, and how long the run was (seconds)."""

    level: Level
    records: tuple[RequestRecord, ...]
    duration_s: float


class _Rates(TypedDict):
    input_tokens_per_s: float
    output_tokens_per_s: float
    total_tokens_per_s: float
    requests_per_s: float


METADATA = "experiment_metadata.json"


def read_metadata(folder: Path) -> Metadata:
    """Raises ValueError with one sentence; OSError."""
    return _decode(folder / METADATA, Metadata, "genai-bench's experiment metadata")


def run_files(folder: Path) -> list[Path]:
    """The run files of an experiment folder, by name; those of runs in which every request failed are left out."""
    return sorted(path for path in folder.glob("*_time_*.json") if not path.name.startswith("debug_"))


def read_run(path: Path, level: int = 0) -> MeasuredRun:
    """A run file's requests as records of level number `level`. Raises ValueError with one sentence; OSError.

    Their times count from the request's own sending, which is all that is known of it: `sent_s` is 0, `last_s` None.
    """
    file = _decode(path, _RunFile, "a genai-bench run file")
    scale = _scale(path, file.time_unit)
    # Without `stats` where every request failed: then the counts below are zero, and nothing is taken from them.
    about = _convert(path, {"stats": {}} | file.aggregated_metrics)
    if about.iteration_type != "num_concurrency":
        raise ValueError(f"{path}: a run over {about.iteration_type}; only runs over num_concurrency are read")
    asked = _asked(path, about.scenario)
    records = tuple(
        _record(request, level, index, scale, asked) for index, request in enumerate(file.individual_request_metrics)
    )
    busy_s = math.fsum(record.end_s for record in records)
    _check_unit(path, busy_s, about, file.time_unit)
    return MeasuredRun(
        level=Level(scenario=about.scenario, concurrency=about.num_concurrency),
        records=records,
        duration_s=about.run_duration,
    )


def measured_result(
    level: Level,
    records: Sequence[RequestRecord],
    duration_s: float,
    limits_s: Mapping[str, float] | None = None,
    *,
    tool: str,
) -> LevelResult:
    """A level's result from records of `read_run`, by genai-bench's definitions.

    The end of the stream stands for the last token, and rates are over `duration_s`; there is no steady state, since
    no moment of sending is known.
    """
    ended = [replace(record, last_s=record.end_s) if record.first_s is not None else record for record in records]
    result = level_result(level, ended, limits_s)
    good = [record for record in records if record.error is None]
    input_tokens = sum(record.prompt_tokens or 0 for record in good)
    output_tokens = sum(record.output_tokens or 0 for record in good)
    metrics = replace(
        result.metrics,
        duration_s=duration_s,
        steady_output_tokens_per_s=None,
        good_requests_per_s=_rate(result.metrics.good_requests, duration_s),
        **_rates(input_tokens, output_tokens, len(good), duration_s),
    )
    return replace(result, metrics=metrics, tool=tool)


def summary_result(where: str, raw: dict[str, Any], *, tool: str) -> LevelResult:
    """A level's result from `aggregated_metrics` alone, in seconds. Raises ValueError with one sentence.

    `where` names the place in the file. Means, deviations and percentiles are carried over; the deviation becomes the
    sample's (n − 1). Where lengths varied although the scenario fixes them, as many as cannot be right count as wrong.
    """
    about = _convert(where, raw)
    asked = _asked(where, about.scenario)
    n = about.num_completed_requests
    latency = about.stats.get("e2e_latency")
    _check_unit(where, (latency.sum if latency else None) or 0.0, about, "s")
    lengths = about.stats.get("num_output_tokens")
    known = lengths is not None and lengths.min is not None and lengths.max is not None
    wrong = n if asked and not (known and lengths and lengths.min == lengths.max == asked[1]) else 0
    sums = {name: _sum(about.stats.get(name)) for name in ("num_input_tokens", "num_output_tokens")}
    return LevelResult(
        scenario=about.scenario,
        concurrency=about.num_concurrency,
        requests=n + about.num_error_requests,
        succeeded=n,
        failed=about.num_error_requests,
        wrong_length=wrong,
        prompt_tokens=sums["num_input_tokens"],
        cached_tokens=0,
        metrics=LevelMetrics(
            ttft_s=_distribution(about.stats.get("ttft"), n),
            tpot_s=_distribution(about.stats.get("tpot"), n),
            e2e_s=_distribution(latency, n),
            steady_output_tokens_per_s=None,
            duration_s=about.run_duration,
            **_rates(sums["num_input_tokens"], sums["num_output_tokens"], n, about.run_duration),
        ),
        errors={f"HTTP {code}": count for code, count in about.error_codes_frequency.items()},
        tool=tool,
    )


def _record(request: _Request, level: int, index: int, scale: float, asked: tuple[int, int] | None) -> RequestRecord:
    prompt_tokens, output_tokens = asked or (0, 0)
    error = None
    if request.error_code is not None:
        said = " ".join((request.error_message or "no message").split())
        error = f"HTTP {request.error_code}: {said[:200]}"
    elif request.e2e_latency is None:
        error = "genai-bench has no latency of it"
    return RequestRecord(
        level=level,
        index=index,
        sent_s=0.0,
        first_s=None if request.ttft is None else request.ttft * scale,
        end_s=(request.e2e_latency or 0.0) * scale,
        asked_prompt_tokens=prompt_tokens,
        asked_output_tokens=output_tokens,
        prompt_tokens=request.num_input_tokens,
        output_tokens=request.num_output_tokens,
        status=request.error_code or 200,
        error=error,
    )


def _distribution(stats: Statistics | None, n: int) -> Distribution | None:
    if stats is None or stats.mean is None or n < 1:
        return None

    def of(value: float | None) -> float:
        return stats.mean or 0.0 if value is None else value

    return Distribution(
        n=n,
        mean=stats.mean,
        std=(stats.stddev or 0.0) * math.sqrt(n / (n - 1)) if n > 1 else 0.0,
        p50=of(stats.p50),
        p90=of(stats.p90),
        p99=of(stats.p99),
        min=of(stats.min),
        max=of(stats.max),
        too_few_samples=too_few_samples(n),
    )


def _rates(input_tokens: float, output_tokens: float, requests: float, duration_s: float) -> _Rates:
    return _Rates(
        input_tokens_per_s=_rate(input_tokens, duration_s) or 0.0,
        output_tokens_per_s=_rate(output_tokens, duration_s) or 0.0,
        total_tokens_per_s=_rate(input_tokens + output_tokens, duration_s) or 0.0,
        requests_per_s=_rate(requests, duration_s) or 0.0,
    )


def _rate(amount: float | None, duration_s: float) -> float | None:
    if amount is None:
        return None
    return amount / duration_s if duration_s > 0 else 0.0


def _sum(stats: Statistics | None) -> int:
    return round(stats.sum or 0) if stats else 0


def _asked(where: object, scenario: str) -> tuple[int, int] | None:
    """The lengths that the scenario fixes; None where it draws them, for what was drawn is not written down."""
    try:
        lengths = parse(scenario)
    except ValueError as error:
        raise ValueError(f"{where}: {error}; only text traffic is read") from error
    if isinstance(lengths.prompt, Fixed) and isinstance(lengths.output, Fixed):
        return lengths.prompt.tokens, lengths.output.tokens
    return None


def _scale(where: object, unit: str) -> float:
    if unit not in _SCALES:
        raise ValueError(f"{where}: _time_unit: expected s or ms, found {unit!r}")
    return _SCALES[unit]


def _check_unit(where: object, busy_s: float, about: Aggregated, unit: str) -> None:
    room_s = about.num_concurrency * about.run_duration
    if busy_s > _MOST_FULL * room_s:
        raise ValueError(
            f"{where}: its requests took {busy_s:.4g} s in all, but {about.num_concurrency} at once for "
            f"{about.run_duration:.4g} s have room for {room_s:.4g} s: its latencies are not in {unit}, as it says"
        )


def _convert(where: object, raw: dict[str, Any]) -> Aggregated:
    try:
        return msgspec.convert(raw, Aggregated, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}: aggregated_metrics: {error}") from error


def _decode(path: Path, kind: type[_File], what: str) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected {what}: {error}") from error
