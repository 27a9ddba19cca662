"""The running figures in an engine's `/metrics` (Prometheus' text format, version 0.0.4), read once a second.

Only these lines are looked at: the page of a busy server is mostly histograms. Names and versions:
SGLang `production-metrics`, vLLM `usage/metrics`.
"""

from __future__ import annotations

import re

import msgspec

METRICS_PATH = "/metrics"


class LiveMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. Data-parallel copies are added up (`kv_usage`: the fullest). Counters run since the server began;
    None: this engine does not have it."""

    running: int | None = None
    queued: int | None = None
    kv_usage: float | None = None
    """0 to 1."""
    decode_tokens_per_s: float | None = None
    """SGLang's own gauge, of its last interval."""
    prompt_tokens: float | None = None
    """Counter: prompt tokens of requests, cached ones too."""
    generated_tokens: float | None = None
    """Counter. SGLang counts a request's when it ends, vLLM every step's."""
    prefilled_tokens: float | None = None
    """Counter: prompt tokens computed, as it happens."""
    decoded_tokens: float | None = None
    """Counter: output tokens, as it happens."""
    cached_tokens: float | None = None
    """Counter: prompt tokens taken from the prefix cache …"""
    looked_up_tokens: float | None = None
    """… out of so many that were looked up in it."""
    preemptions: float | None = None
    """Counter: requests thrown out of the batch for want of KV cache."""
    accept_length: float | None = None


# Field → names, the first one that is there counts. Gauges first: one figure a copy, which its ranks repeat.
_GAUGES: dict[str, tuple[str, ...]] = {
    "running": ("sglang:num_running_reqs", "vllm:num_requests_running"),
    "queued": ("sglang:num_queue_reqs", "vllm:num_requests_waiting"),
    "kv_usage": ("sglang:token_usage", "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    "decode_tokens_per_s": ("sglang:gen_throughput",),
    "accept_length": ("sglang:spec_accept_length",),
}
_COUNTERS: dict[str, tuple[str, ...]] = {
    "prompt_tokens": ("sglang:prompt_tokens_total", "vllm:prompt_tokens_total"),
    "generated_tokens": ("sglang:generation_tokens_total", "vllm:generation_tokens_total"),
    "cached_tokens": (
        "sglang:cached_tokens_total",
        "vllm:prefix_cache_hits_total",
        "vllm:gpu_prefix_cache_hits_total",
    ),
    "looked_up_tokens": ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
    "preemptions": ("sglang:num_retracted_requests_total", "vllm:num_preemptions_total"),
    "drafts": ("vllm:spec_decode_num_drafts_total",),
    "accepted": ("vllm:spec_decode_num_accepted_tokens_total",),
}
_REALTIME = "sglang:realtime_tokens_total"  # since 0.5.9; labelled by mode
_NAMES = sorted({name for names in (*_GAUGES.values(), *_COUNTERS.values()) for name in names} | {_REALTIME})
_LINE = re.compile(
    rb"^(" + b"|".join(re.escape(name.encode()) for name in _NAMES) + rb")(?:\{([^\n]*)\})? ([-+.\deE]{1,40})\b",
    re.MULTILINE,
)
_COPY = re.compile(rb'(?:^|,)(?:dp_rank|engine)="([^"]*)"')
_MODE = re.compile(rb'(?:^|,)mode="([^"]*)"')


def read_live_metrics(page: bytes) -> LiveMetrics | None:
    """What `page` says; None where it is not the page of a known engine. Never raises."""
    gauges: dict[str, dict[bytes, float]] = {}
    counters: dict[str, float] = {}
    modes: dict[bytes, float] = {}
    for raw_name, labels, raw in _LINE.findall(page):
        try:
            value = float(raw)
        except ValueError:
            continue
        name = raw_name.decode()
        counters[name] = counters.get(name, 0.0) + value
        copy = _COPY.search(labels)
        gauges.setdefault(name, {}).setdefault(copy[1] if copy else b"", value)
        if name == _REALTIME and (mode := _MODE.search(labels)):
            modes[mode[1]] = modes.get(mode[1], 0.0) + value
    if not counters:
        return None

    def gauge(field: str) -> list[float]:
        return next((list(gauges[name].values()) for name in _GAUGES[field] if name in gauges), [])

    def counter(field: str) -> float | None:
        return next((counters[name] for name in _COUNTERS[field] if name in counters), None)

    running, queued, usage, speed, accept = map(gauge, _GAUGES)
    prompt, generated, cached = counter("prompt_tokens"), counter("generated_tokens"), counter("cached_tokens")
    drafts, accepted = counter("drafts"), counter("accepted")
    is_vllm = any(name.startswith("vllm:") for name in counters)
    return LiveMetrics(
        running=int(sum(running)) if running else None,
        queued=int(sum(queued)) if queued else None,
        kv_usage=max(usage) if usage else None,
        decode_tokens_per_s=sum(speed) if speed else None,
        prompt_tokens=prompt,
        generated_tokens=generated,
        prefilled_tokens=modes.get(b"prefill_compute", prompt if is_vllm else None),
        decoded_tokens=modes.get(b"decode", generated if is_vllm else None),
        cached_tokens=cached if cached is not None or prompt is None or is_vllm else 0.0,
        looked_up_tokens=counter("looked_up_tokens") if is_vllm else prompt,
        preemptions=counter("preemptions"),
        accept_length=1 + accepted / drafts if drafts and accepted is not None else max(accept, default=0.0) or None,
    )
