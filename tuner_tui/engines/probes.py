"""What an engine tells of itself over HTTP: where to ask, and what the answers say.

Data and pure parsing; whoever has the server's address does the asking. SGLang has GET /server_info since 0.5.6 and
/get_server_info since 0.4.0; vLLM tells sizes only in /metrics, and nothing of weights, activations or graphs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from tuner_tui.engines.facts import Memory

Source = Literal["log", "server_info", "metrics", "models", "version"]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One question: `paths` are asked in turn until one answers 200."""

    source: Source
    paths: tuple[str, ...]


PROBES: dict[str, tuple[Probe, ...]] = {
    "sglang": (
        Probe(source="server_info", paths=("/server_info", "/get_server_info")),
        Probe(source="metrics", paths=("/metrics",)),
        Probe(source="models", paths=("/v1/models",)),
    ),
    "vllm": (
        Probe(source="metrics", paths=("/metrics",)),
        Probe(source="models", paths=("/v1/models",)),
        Probe(source="version", paths=("/version",)),
    ),
}
"""Log language → what to ask, the most telling first."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer says; None where it says nothing. Units as in `facts.Memory`; `max_concurrency` counts
    requests of the full context."""

    source: Source
    memory: Memory = Memory()
    version: str | None = None
    attention_backend: str | None = None
    context_tokens: int | None = None
    max_running_requests: int | None = None
    max_concurrency: float | None = None
    requests_running: int | None = None
    requests_queued: int | None = None
    token_usage: float | None = None
    decode_tokens_per_s: float | None = None


def read(source: Source, body: bytes) -> Answer:
    """What `body` says. Never raises: an answer that cannot be read says nothing."""
    if source == "metrics":
        return _metrics(body.decode("utf-8", errors="replace"))
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer(source=source)
    if not isinstance(document, dict):
        return Answer(source=source)
    if source == "server_info":
        return _server_info(document)
    if source == "models":
        models = document.get("data")
        first = models[0] if isinstance(models, list) and models and isinstance(models[0], dict) else {}
        return Answer(source=source, context_tokens=_int(first.get("max_model_len")))
    return Answer(source=source, version=_text(document.get("version")))


def _server_info(document: dict[str, Any]) -> Answer:
    """SGLang. Each internal state is one data-parallel rank's; `kvcache` leaves out the state of hybrid models."""
    states = document.get("internal_states")
    states = states if isinstance(states, list) else [states]
    copies = [state for state in states if isinstance(state, dict)]
    usages = [usage for state in copies if isinstance(usage := state.get("memory_usage"), dict)]
    tokens = [count for usage in usages if (count := _int(usage.get("token_capacity"))) is not None]
    limits = [count for state in copies if (count := _int(state.get("effective_max_running_requests_per_dp")))]
    speeds = [speed for state in copies if (speed := _float(state.get("last_gen_throughput"))) is not None]
    return Answer(
        source="server_info",
        memory=Memory(
            weights_gib=_most(_float(usage.get("weight")) for usage in usages),
            kv_cache_gib=_most(_float(usage.get("kvcache")) for usage in usages),
            kv_cache_tokens=sum(tokens) if tokens else _int(document.get("max_total_num_tokens")),
            available_gib=_least(_float(usage.get("startup_available")) for usage in usages),
            graphs_gib=_most(_graphs(usage) for usage in usages),
        ),
        version=_text(document.get("version")),
        attention_backend=_text(document.get("attention_backend")),
        context_tokens=_int(document.get("context_length")),
        max_running_requests=sum(limits) if limits else None,
        decode_tokens_per_s=round(sum(speeds), 3) if speeds else None,
    )


def _graphs(usage: dict[str, Any]) -> float | None:
    """A number up to 0.5.16 (`cuda_graph` before 0.5.2), later one for each phase; those of a draft stay apart."""
    told = usage.get("graph", usage.get("cuda_graph"))
    if isinstance(told, dict):
        parts = [_float(value) for phase, value in told.items() if not str(phase).startswith("draft")]
        return round(sum(part for part in parts if part is not None), 4)
    return _float(told)


_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')


def _metrics(text: str) -> Answer:
    """Prometheus' text of either engine."""
    samples: dict[str, list[tuple[dict[str, str], float]]] = {}
    for name, labels, value in _SAMPLE.findall(text):
        figure = _float(value)
        if figure is not None and name.partition(":")[0] in ("sglang", "vllm"):
            samples.setdefault(name, []).append((dict(_LABEL.findall(labels)), figure))

    def per_copy(*names: str) -> list[float]:
        """One figure for each data-parallel copy: its ranks repeat it."""
        for name in names:
            copies: dict[str, float] = {}
            for labels, figure in samples.get(name, ()):
                copies.setdefault(labels.get("dp_rank") or labels.get("engine") or "", figure)
            if copies:
                return list(copies.values())
        return []

    def per_rank(name: str) -> list[float]:
        """The sum of a rank's phases, draft models' apart."""
        ranks: dict[tuple[str, ...], float] = {}
        for labels, figure in samples.get(name, ()):
            if not labels.get("phase", "").startswith("draft"):
                rank = tuple(labels.get(key, "") for key in ("dp_rank", "pp_rank", "tp_rank", "moe_ep_rank"))
                ranks[rank] = round(ranks.get(rank, 0.0) + figure, 4)
        return list(ranks.values())

    config = [labels for labels, _ in samples.get("vllm:cache_config_info", ())]
    tokens = per_copy("sglang:max_total_num_tokens") or [size for each in config if (size := _vllm_tokens(each))]
    concurrency = [times for each in config if (times := _float(each.get("kv_cache_max_concurrency")))]
    running = per_copy("sglang:num_running_reqs", "vllm:num_requests_running")
    queued = per_copy("sglang:num_queue_reqs", "vllm:num_requests_waiting")
    usage = per_copy("sglang:token_usage", "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
    speed = per_copy("sglang:gen_throughput")
    context = per_copy("sglang:context_len")
    return Answer(
        source="metrics",
        memory=Memory(
            weights_gib=_most(per_rank("sglang:weight_memory_usage_gb")),
            kv_cache_gib=_most(per_rank("sglang:kv_cache_memory_usage_gb")),
            kv_cache_tokens=int(sum(tokens)) if tokens else None,
            available_gib=_least(per_rank("sglang:startup_available_gpu_memory_gb")),
            graphs_gib=_most(per_rank("sglang:graph_memory_usage_gb")),
        ),
        context_tokens=int(context[0]) if context else None,
        max_concurrency=round(sum(concurrency), 4) if concurrency else None,
        requests_running=int(sum(running)) if running else None,
        requests_queued=int(sum(queued)) if queued else None,
        token_usage=_most(usage),
        decode_tokens_per_s=round(sum(speed), 3) if speed else None,
    )


def _vllm_tokens(labels: dict[str, str]) -> float | None:
    """Told since 0.24; before it is blocks × block size."""
    told = _float(labels.get("kv_cache_size_tokens"))
    blocks, size = _float(labels.get("num_gpu_blocks")), _float(labels.get("block_size"))
    if told is not None:
        return told
    return blocks * size if blocks is not None and size is not None else None


def _float(value: object) -> float | None:
    """Also from text; None for anything else, NaN and infinities."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        figure = float(value)
    except (ValueError, OverflowError):
        return None
    return figure if figure - figure == 0 and abs(figure) < 1e18 else None


def _int(value: object) -> int | None:
    figure = _float(value)
    return None if figure is None else int(figure)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
