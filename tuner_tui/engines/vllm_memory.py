"""What vLLM says of memory at its start: weights, activations, graphs, and how much the KV cache holds."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tuner_tui.engines.facts import (
    AnyFact,
    Entered,
    GraphsCaptured,
    Limits,
    MemoryTold,
    Told,
    Took,
    WeightsLoaded,
    Where,
)
from tuner_tui.engines.log_rows import COUNT, GIB, SECONDS, Row, count, group, nothing, number, row

Match = re.Match[str]

_BYTES_IN_USE = re.compile(rf"kv cache memory in use is (?:(?P<bytes>\d{{1,18}}) bytes|(?P<gib>{GIB}) GiB)")


def _weights(match: Match, where: Where) -> Iterable[AnyFact]:
    elapsed = number(group(match, "s"))
    yield WeightsLoaded(where=where, weights_gib=float(match["gib"]), elapsed_s=elapsed)
    yield Entered(where=where, phase="compile")


def _weights_time(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Took(where=where, phase="weights", elapsed_s=float(match["s"]))


def _told_memory(match: Match, where: Where) -> Iterable[AnyFact]:
    """Any of the figures that a row names: free (at the start), total, weights, activation, graphs, kv."""
    yield MemoryTold(
        where=where,
        available_gib=number(group(match, "free")),
        total_gib=number(group(match, "total")),
        weights_gib=number(group(match, "weights")),
        activation_gib=number(group(match, "activation")),
        graphs_gib=number(group(match, "graphs")),
        kv_cache_gib=number(group(match, "kv")),
    )
    if group(match, "kv") is not None:
        yield Entered(where=where, phase="kv")


def _bytes(match: Match, where: Where) -> Iterable[AnyFact]:
    kv, total = (round(int(match[name]) / 2**30, 3) for name in ("kv", "total"))
    yield Entered(where=where, phase="kv")
    yield MemoryTold(where=where, kv_cache_gib=kv, total_gib=total)


def _fitted(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="context_tokens", value=int(match["tokens"] or match["whole"]))


def _account(match: Match, where: Where) -> Iterable[AnyFact]:
    yield from _told_memory(match, where)
    in_use = _BYTES_IN_USE.search(match.string, match.end())
    if in_use:
        gib = float(in_use["gib"]) if in_use["gib"] else round(int(in_use["bytes"]) / 2**30, 2)
        yield MemoryTold(where=where, kv_cache_gib=gib)


def _blocks(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="kv")
    yield MemoryTold(where=where, kv_blocks=int(match["blocks"]))
    if match["device"] in ("CPU", "cpu"):
        yield Told(where=where, about="device", value="cpu")


def _tokens(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="kv")
    yield MemoryTold(where=where, kv_cache_tokens=count(match["tokens"]))
    if match["device"] == "CPU":
        yield Told(where=where, about="device", value="cpu")


def _concurrency(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Limits(where=where, context_tokens=count(match["context"]), max_concurrency=number(match["times"]))


def _graphs_end(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="graphs")
    yield Told(where=where, about="graphs", value=True)
    yield GraphsCaptured(where=where, elapsed_s=float(match["s"]), graphs_gib=number(match["gib"]))


ROWS: tuple[Row, ...] = (
    row(
        "Loading model weights took",
        rf"Loading model weights took (?P<gib>{GIB}) G(?:i)?B",
        _weights,
        "Loading model weights took 14.9595 GB",
        until="0.7.3",
    ),
    row(
        "Loading weights took",
        rf"Loading weights took (?P<s>{SECONDS}) seconds",
        _weights_time,
        "[default_loader.py:262] Loading weights took 11.92 seconds",
        since="0.8.0",
    ),
    row(
        "Model loading took",
        rf"Model loading took (?P<gib>{GIB}) G(?:i)?B(?: memory)? and (?P<s>{SECONDS}) seconds",
        _weights,
        "[gpu_model_runner.py:1892] Model loading took 11.9642 GiB and 13.051931 seconds",
        since="0.8.0",
    ),
    row(
        "Memory profiling results",
        rf"total_gpu_memory=(?P<total>{GIB})GiB.*?kv_cache_size=(?P<kv>{GIB})GiB",
        _told_memory,
        "Memory profiling results: total_gpu_memory=44.32GiB initial_memory_usage=15.44GiB peak_torch_memory=16.22GiB "
        "memory_usage_post_profile=15.51GiB non_torch_memory=0.13GiB kv_cache_size=23.53GiB "
        "gpu_memory_utilization=0.90",
        since="0.6.3",
        until="0.6.3",
    ),
    row(
        "model weights take",
        rf"model weights take (?P<weights>{GIB})GiB;(?:.*?activation peak memory takes (?P<activation>{GIB})GiB;)?"
        rf".*?reserved for KV Cache is (?P<kv>{GIB})GiB",
        _told_memory,
        "model weights take 0.70GiB; non_torch_memory takes 0.07GiB; PyTorch activation peak memory takes 1.12GiB; "
        "the rest of the memory reserved for KV Cache is 7.57GiB.",
        since="0.6.4",
        until="0.10.2",
    ),
    row(
        "total_gpu_memory (",
        rf"total_gpu_memory \((?P<total>{GIB})GiB\)",
        _told_memory,
        "the current vLLM instance can use total_gpu_memory (23.65GiB) x gpu_memory_utilization (0.40) = 9.46GiB",
        since="0.6.4",
        until="0.10.2",
    ),
    row(
        "torch peak memory increase",
        rf"torch peak memory increase: (?P<activation>{GIB})GiB;",
        _told_memory,
        "Memory profiling takes 3.10 seconds. Total non KV cache memory: 4.53GiB; torch peak memory increase: 1.11GiB; "
        "non-torch forward increase memory: 0.09GiB; weights memory: 3.33GiB.",
        since="0.8.0",
    ),
    row(
        "Available KV cache memory",
        rf"Available KV cache memory: (?P<kv>{GIB}) GiB",
        _told_memory,
        "[gpu_worker.py:298] Available KV cache memory: 57.38 GiB",
        since="0.9.0",
    ),
    row(
        "GiB for KV cache",
        rf"(?:Explicitly|Auto) set \((?P<kv>{GIB})/{GIB}\) GiB for KV cache",
        _told_memory,
        "[cpu_worker.py:260] Explicitly set (1.0/10.84) GiB for KV cache on node 0.",
    ),
    row(
        "reserved",
        rf"(?:Initial free memory (?P<free>{GIB}) GiB, )?reserved (?P<kv>{GIB}) GiB memory for KV Cache",
        _told_memory,
        "Initial free memory 78.60 GiB, reserved 20.00 GiB memory for KV Cache as specified by kv_cache_memory_bytes",
        since="0.10.2",
    ),
    row(
        "KV cache memory reduced to",
        rf"KV cache memory reduced to (?P<kv>{GIB}) GiB",
        _told_memory,
        "Reserving 2.0 GiB of GPU memory for frontend multimodal decoding; KV cache memory reduced to 54.1 GiB.",
        since="0.32.0",
    ),
    row(
        "total memory: ",
        # Plug-ins for other accelerators print bytes.
        rf"Available memory: (?P<kv>{COUNT}), total memory: (?P<total>{COUNT})",
        _bytes,
        "[worker_v1.py:198] Available memory: 39442891776, total memory: 65452113920",
        since="0.9.0",
    ),
    row(
        "Memory statistics | ",
        # TPUs; what is available is made the KV cache.
        rf"Memory statistics \| total_hbm_limit_gb=(?P<total>{GIB})GiB.*\| total_hbm_avail_gb=(?P<kv>{GIB})GiB",
        _told_memory,
        "Memory statistics | total_hbm_limit_gb=94.75GiB | total_hbm_used_gb=16.58GiB | total_hbm_avail_gb=63.95GiB",
        since="0.11.0",
    ),
    row(
        "Auto-fit max_model_len",
        rf"Auto-fit max_model_len: (?:reduced from {COUNT} to (?P<tokens>{COUNT})|full model context length "
        rf"(?P<whole>{COUNT}) fits)",
        _fitted,
        "Auto-fit max_model_len: reduced from 131072 to 40960 to fit in available KV cache memory (5.63 GiB GPU)",
        since="0.14.0",
    ),
    row(
        " blocks: ",
        # The device's own come first, those to swap to after a comma.
        rf"(?<!, )# (?P<device>[A-Za-z]{{3,6}}) blocks: (?P<blocks>{COUNT})",
        _blocks,
        "# cuda blocks: 41366, # CPU blocks: 21845",
        until="0.10.2",
    ),
    row(
        "KV cache size",
        r"(?P<device>[A-Z]+)(?: \+ host)? KV cache size: (?P<tokens>\d[\d,]{0,20}) tokens",
        _tokens,
        "[kv_cache_utils.py:2327] CPU KV cache size: 349,440 tokens, Maximum concurrency for 2,048 tokens per "
        "request: 170.62x",
        since="0.8.0",
    ),
    row(
        "Maximum concurrency",
        r"Maximum concurrency for (?P<context>\d[\d,]{0,20}) tokens per request: (?P<times>\d{1,12}(?:\.\d+)?)x",
        _concurrency,
        "Maximum concurrency for 32768 tokens per request: 20.20x",
    ),
    row(
        "raph capturing finished",
        rf"(?<!Encoder )[Gg]raph capturing finished in (?P<s>{SECONDS}) secs(?:, took (?P<gib>{GIB}) GiB)?",
        _graphs_end,
        "Graph capturing finished in 21 secs, took 0.61 GiB",
    ),
    row(
        "CUDA graph pool memory",
        rf"CUDA graph pool memory: (?P<graphs>{GIB}) GiB \(actual\)",
        _told_memory,
        "CUDA graph pool memory: 0.5 GiB (actual), 0.55 GiB (estimated), difference: 0.05 GiB (9.1%).",
        since="0.20.0",
    ),
    row(
        "Free memory on device",
        rf"Free memory on device (?:\S+ )?\((?P<free>{GIB})/(?P<total>{GIB}) GiB\)",
        _told_memory,
        "Free memory on device cuda:0 (10.1/79.2 GiB) on startup is less than desired GPU memory utilization",
    ),
    row(
        "Actual usage is",
        rf"Actual usage is (?:(?P<weights>{GIB}) GiB for weights?|{GIB} GiB for consumed memory \([^)]*\)), "
        rf"(?P<activation>{GIB}) GiB for peak activation,.*? and (?P<graphs>{GIB}) GiB for CUDAGraph memory",
        _account,
        "Free memory on device (78.6/79.2 GiB) on startup. Desired GPU memory utilization is (0.9, 71.3 GiB). Actual "
        "usage is 14.9 GiB for weight, 1.2 GiB for peak activation, 0.1 GiB for non-torch memory, and 0.6 GiB for "
        "CUDAGraph memory. Current kv cache memory in use is 57000000000 bytes.",
        since="0.10.2",
    ),
    row(
        "padding layers, may waste",
        r"Add \d+ padding layers, may waste",
        nothing,
        "Add 3 padding layers, may waste at most 6.25% KV cache memory",
        since="0.11.0",
    ),
    row(
        "CUDA graph memory profiling",
        r"CUDA graph memory profiling (?:is|will be) enabled",
        nothing,
        "CUDA graph memory profiling is enabled (default since v0.21.0). To maintain the same effective KV cache size",
        since="0.16.0",
    ),
    row(
        "Estimated CUDA graph memory",
        r"Estimated CUDA graph memory",
        nothing,
        "Estimated CUDA graph memory: 0.55 GiB total",
        since="0.17.0",
    ),
)
