"""All that a saved log says, as one document. docs/engines.md describes its JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from tuner_tui.engines import origins
from tuner_tui.engines.detect import engine_of
from tuner_tui.engines.facts import EngineError, Fix, Memory, Value
from tuner_tui.engines.log import LogReader
from tuner_tui.engines.timeline import Step
from tuner_tui.engines.totals import Load, Throughput

CLASSES = frozenset(
    (
        *("cuda_out_of_memory", "not_enough_kv_memory", "kv_cache_too_small", "context_too_long", "gpu_memory_in_use"),
        *("unknown_flag", "bad_flag_value", "port_in_use", "model_not_found", "gated_model"),
        *("shared_memory_too_small", "nccl_failure", "no_nvidia_runtime", "driver_too_old", "host_out_of_memory"),
        *("missing_module", "engine_process_died", "watchdog_timeout", "image_not_found", "other"),
    )
)
_FIRST_BYTES = 256 << 10
"""What is looked at to tell the engine, at most."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One error of the log. `class` is one of `CLASSES`."""

    failure_class: str = msgspec.field(name="class")
    line_number: int
    line: str
    advice: str
    fix: Fix | None = None


class ThroughputTotals(msgspec.Struct, frozen=True, kw_only=True):
    decode_tokens_per_s: Throughput
    prefill_tokens_per_s: Throughput
    decode_by_requests: dict[int, float]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A line in words that are not known."""

    line_number: int
    line: str


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a log says of its last start. None: it does not say."""

    engine: str | None
    version: str | None
    cuda_version: str | None
    device: str | None
    attention_backend: str | None
    graphs_enabled: bool | None
    model_type: str | None
    dtype: str | None
    kv_cache_dtype: str | None
    arguments: dict[str, Value]
    starts: int
    ready: bool
    phase: str | None
    gpus: int
    timeline: tuple[Step, ...]
    memory: Memory
    draft: Memory | None
    limits: dict[str, int | float]
    max_concurrency: float | None
    throughput: ThroughputTotals
    running: Load
    requests: dict[int, int]
    warnings: int
    unread: int
    unread_samples: tuple[Sample, ...]
    errors: tuple[Problem, ...]


def inspect(chunks: Iterable[bytes], engine: Literal["sglang", "vllm", "simulated"] | None = None) -> Inspection:
    """Reads a whole log. Where `engine` is None the log's first 256 KiB tell whose it is.

    Raises whatever `chunks` raises, nothing else.
    """
    first = b""
    rest = iter(chunks)
    found: Literal["sglang", "vllm"] | None = None
    if engine is None:
        for chunk in rest:
            first += chunk
            if len(first) >= _FIRST_BYTES:
                break
        found = engine_of(first[:_FIRST_BYTES])
    else:
        found = "vllm" if engine == "vllm" else "sglang"
    reader = LogReader(found or "")
    reader.feed(first)
    for chunk in rest:
        reader.feed(chunk)
    reader.close()
    return inspection(reader, engine or found)


def inspection(reader: LogReader, engine: str | None) -> Inspection:
    """What `reader` has read."""
    state = reader.state
    told = state.told
    if told.get("simulated"):
        engine = "simulated"
    count = origins.ranks_of_vllm if engine == "vllm" else origins.ranks_of_sglang
    limits = dict(state.limit)
    if isinstance(context := told.get("context_tokens"), int):
        limits.setdefault("context_tokens", context)
    return Inspection(
        engine=engine,
        version=_text(told.get("engine_version")),
        cuda_version=_text(told.get("cuda_version")) or _built_for(_text(told.get("engine_version"))),
        device=_text(told.get("device")),
        attention_backend=_text(told.get("attention_backend")),
        graphs_enabled=state.graphs_enabled,
        model_type=_text(told.get("model_type")),
        dtype=_text(told.get("dtype")),
        kv_cache_dtype=_text(told.get("kv_cache_dtype")),
        arguments=state.arguments,
        starts=state.starts,
        ready=state.was_ready if engine else state.ready,
        phase=state.phase,
        gpus=max(count(state.members), len(state.assigned)),
        timeline=state.timeline.steps,
        memory=state.memory,
        draft=state.ledger.draft,
        limits=limits,
        max_concurrency=round(sum(state.concurrency.values()), 4) if state.concurrency else None,
        throughput=ThroughputTotals(
            decode_tokens_per_s=state.totals.decode.throughput,
            prefill_tokens_per_s=state.totals.prefill.throughput,
            decode_by_requests=state.totals.decode_by_requests,
        ),
        running=state.totals.load,
        requests=dict(sorted(state.totals.requests.items())),
        warnings=state.warnings,
        unread=state.unread,
        unread_samples=tuple(
            Sample(line_number=each.where.line_number, line=each.text) for each in state.unread_samples
        ),
        errors=tuple(_problem(error) for error in reader.errors()),
    )


def _built_for(version: str | None) -> str | None:
    """The CUDA version that an engine's own version names: "0.14.0rc2+cu130" → "13.0"."""
    named = re.search(r"[+.]cu(\d\d)(\d)\b", version or "")
    return f"{named[1]}.{named[2]}" if named else None


def _text(value: str | bool | int | None) -> str | None:
    return None if value is None else str(value)


def _problem(error: EngineError) -> Problem:
    return Problem(
        failure_class=error.failure_class if error.failure_class in CLASSES else "other",
        line_number=error.line_number,
        line=error.line,
        advice=error.reason,
        fix=error.fix,
    )
