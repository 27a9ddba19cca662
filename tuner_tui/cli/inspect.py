"""`tuner-tui inspect`: what a saved log says."""

from __future__ import annotations

import contextlib
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click
import msgspec

from tuner_tui.cli.saved_log import chunks
from tuner_tui.engines.inspection import Inspection, Problem, inspect
from tuner_tui.engines.prefixes import stripped
from tuner_tui.engines.registry import ENGINES

_WIDEST = 120
"""Columns of a page that is still read with ease."""
_QUOTED_LINES, _OTHERS = 4, 6
"""Of the deciding error, and of the errors after it."""
_BAR = 16
"""Columns of the longest memory bar."""


def inspect_log(log: str, engine: Literal["sglang", "vllm", "simulated"] | None, *, as_json: bool) -> int:
    """Prints what `log` (a path, or `-` for standard input) says. Returns the exit code: 0, or 2 where the log cannot
    be read."""
    try:
        with contextlib.ExitStack() as stack:
            file = sys.stdin.buffer if log == "-" else stack.enter_context(Path(log).open("rb"))
            found = inspect(chunks(file), engine)
    except OSError as error:
        name = "standard input" if log == "-" else log
        click.echo(
            f"tuner-tui: {name}: {error.strerror or error}; expected a saved log, gzipped or not, or - for a pipe",
            err=True,
        )
        return 2
    if as_json:
        document = msgspec.json.format(msgspec.json.encode(found), indent=2)
        sys.stdout.buffer.write(document + b"\n")
        sys.stdout.buffer.flush()
    else:
        width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
        click.echo("\n".join(_page(found, width)))
    return 0


def _page(found: Inspection, width: int) -> Iterator[str]:
    if found.engine is None and not (found.timeline or found.errors or found.ready):
        yield "Nothing in this log is known to be said by SGLang or vLLM."
        return
    yield from _wrapped(_headline(found), width)
    yield from _arguments(found, width)
    yield from _start(found)
    yield from _memory(found, width)
    yield from _work(found, width)
    yield from _errors(found, width)
    if found.unread:
        yield ""
        words = f"{found.unread} lines speak of known things in words this version does not know, the first:"
        yield from _wrapped(words, width)
        yield _cut(f"  line {found.unread_samples[0].line_number}: {found.unread_samples[0].line}", width)


def _headline(found: Inspection) -> str:
    parts = [ENGINES[found.engine].title if found.engine in ENGINES else "an unknown engine"]
    if found.version:
        parts[0] += f" {found.version}"
    if found.model_type:
        parts.append(found.model_type)
    if found.dtype:
        parts.append(found.dtype)
    if found.kv_cache_dtype and found.kv_cache_dtype not in (found.dtype, "auto"):
        parts.append(f"KV cache {found.kv_cache_dtype}")
    if found.attention_backend:
        parts.append(f"attention {found.attention_backend}")
    if found.graphs_enabled is not None:
        parts.append(f"graphs {'on' if found.graphs_enabled else 'off'}")
    if found.cuda_version:
        parts.append(f"CUDA {found.cuda_version}")
    if found.gpus > 1:
        parts.append(f"{found.gpus} ranks")
    if found.starts > 1:
        parts.append(f"the last of {found.starts} starts")
    return " · ".join(parts)


_TELLING = (
    # What a person looks for among two hundred arguments.
    *("model_path", "model", "tp_size", "dp_size", "pp_size", "tensor_parallel_size", "data_parallel_size"),
    *("pipeline_parallel_size", "mem_fraction_static", "gpu_memory_utilization", "max_running_requests"),
    *("max_num_seqs", "chunked_prefill_size", "max_num_batched_tokens", "context_length", "max_model_len"),
    *("quantization", "speculative_algorithm", "schedule_policy", "port"),
)


def _arguments(found: Inspection, width: int) -> Iterator[str]:
    told = [f"{name} {found.arguments[name]}" for name in _TELLING if found.arguments.get(name) not in (None, "", 1)]
    if told:
        yield from _wrapped(" · ".join(told), width)


def _start(found: Inspection) -> Iterator[str]:
    if not found.timeline:
        if found.ready:
            yield from ("", "Ready; the start is not in this log.")
        return
    yield ""
    yield "Start: ready" if found.ready else f"Start: not ready, {found.phase}"
    for step in found.timeline:
        clock = step.at[-8:] if step.at[-4:-3] != "." else step.at[-12:-4]
        steps = f"{step.steps}" if step.steps is not None else ""
        took = "" if step.seconds is None else f"{step.seconds:,.2f} s".replace(".00 s", " s")
        yield f"  {clock:8}  {step.phase.replace('_', ' '):18}{steps:>5}{took:>12}".rstrip()


def _memory(found: Inspection, width: int) -> Iterator[str]:
    memory, limits = found.memory, found.limits
    tokens = f"{memory.kv_cache_tokens:,} tokens" if memory.kv_cache_tokens is not None else ""
    if found.max_concurrency is not None:
        tokens += f"{', ' if tokens else ''}{found.max_concurrency:,g} × full length"
    rows = [
        ("weights", memory.weights_gib, ""),
        ("KV cache", memory.kv_cache_gib, tokens),
        ("graphs", memory.graphs_gib, ""),
        ("activations", memory.activation_gib, "peak"),
        ("available", memory.available_gib, ""),
        ("total", memory.total_gib, ""),
    ]
    draft = found.draft
    if draft is not None:
        rows[3:3] = [("draft weights", draft.weights_gib, ""), ("draft KV cache", draft.kv_cache_gib, "")]
    known = [(name, gib, note) for name, gib, note in rows if gib is not None or (name == "KV cache" and note)]
    if known:
        most = max([gib for _, gib, _ in known if gib is not None], default=0.0) or 1.0
        yield ""
        yield ("Memory, GiB" if found.device == "cpu" else "GPU memory, GiB") + (
            ", the worst rank" if found.gpus > 1 else ""
        )
        for name, gib, note in known:
            bar = "█" * round(max(gib or 0.0, 0.0) / most * _BAR)
            figure = "" if gib is None else f"{gib:.2f}"
            yield f"  {name:15}{figure:>8}  {bar:{_BAR}}  {note}".rstrip()
    if "max_running_requests" in limits or "context_tokens" in limits:
        told = [f"{name.replace('_', ' ')} {value:,}" for name, value in limits.items() if name != "max_total_tokens"]
        yield from _wrapped("Limits: " + ", ".join(told), width)


def _work(found: Inspection, width: int) -> Iterator[str]:
    decode, prefill, load = found.throughput.decode_tokens_per_s, found.throughput.prefill_tokens_per_s, found.running
    lines: list[str] = []
    if decode.max:
        lines.append(f"decode {decode.median:,.0f} tokens/s (median), {decode.max:,.0f} at most")
        batches = found.throughput.decode_by_requests
        if len(batches) > 1:
            shown = list(batches.items())[:: max(len(batches) // 6, 1)]
            lines.append("decode by requests: " + ", ".join(f"{n}: {speed:,.0f}" for n, speed in shown))
    if prefill.max:
        lines.append(f"prefill {prefill.median:,.0f} tokens/s (median), {prefill.max:,.0f} at most")
    parts = []
    if load.requests_max:
        parts.append(f"at most {load.requests_max} requests at once, {load.queued_max or 0} waiting")
    if load.token_usage_max is not None:
        parts.append(f"KV cache up to {load.token_usage_max:.0%} full")
    if load.cache_hit_rate is not None:
        parts.append(f"{load.cache_hit_rate:.0%} of prompt tokens cached")
    if load.accept_length is not None:
        parts.append(f"{load.accept_length:g} tokens accepted a step")
    if parts:
        lines.append(", ".join(parts))
    if load.retractions:
        lines.append(
            f"{load.retractions} requests sent back because the KV cache was full: admit fewer, or give it more memory"
        )
    if lines:
        yield from ("", "At work")
        for line in lines:
            yield from _wrapped(line, width, "  ")


def _errors(found: Inspection, width: int) -> Iterator[str]:
    """The deciding error in full, then the others, a line each."""
    if not found.errors:
        return
    yield ""
    yield "What went wrong" if not found.ready else "Errors"
    deciding, *others = found.errors
    yield f"  line {deciding.line_number}: {_class(deciding)}"
    said = _wrapped(stripped(deciding.line).message.strip(), width, "    ")
    yield from said[:_QUOTED_LINES]
    if len(said) > _QUOTED_LINES:
        yield "      …"
    yield from _wrapped(f"→ {deciding.advice}", width, "    ")
    if deciding.fix is not None:
        yield from _wrapped(f"fix: {deciding.fix}", width, "    ")
    for other in others[:_OTHERS]:
        words = f"  line {other.line_number}: {_class(other)} | {stripped(other.line).message.strip()}"
        yield _cut(words, width)
    if len(others) > _OTHERS:
        yield f"  and {len(others) - _OTHERS} more (--json has them all)"


def _class(problem: Problem) -> str:
    return "other failure" if problem.failure_class == "other" else problem.failure_class.replace("_", " ")


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
