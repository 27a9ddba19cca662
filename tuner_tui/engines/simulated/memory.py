"""Where the simulated GPU's memory goes: weights, KV cache, tables, graphs.

The arithmetic is that of SGLang 0.5.2 as its own log shows it:

    KV bytes = free after loading - free before * (1 - mem_fraction_static)
    tokens   = KV bytes / bytes per token, rounded down to whole pages
    table    = max_running_requests * (context_len + 4) * 4 bytes (request → token slots; unlogged there)

All sizes in GiB and per GPU, which is what SGLang logs and calls "GB".
"""

from __future__ import annotations

from dataclasses import dataclass

from tuner_tui.engines.simulated.hardware import GIB, Gpu, ModelShape, Parallelism

_WORKSPACES_GIB = 0.107
_BEFORE_GRAPHS_GIB = 0.09
_GRAPH_BASE_GIB = 0.10
_GRAPH_EACH_GIB = 0.5 / 35
"""0.60 GiB for the 35 batch sizes of the measured run."""


class NotEnoughMemory(Exception):
    """The weights leave nothing for the KV cache; the message is SGLang's."""


class OutOfMemory(Exception):
    """The GPU is full before the graphs are captured; the message is torch's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """The memory of one GPU after each phase; `kv_tokens` is that of one replica (all its GPUs share it)."""

    total_gib: float
    weights_gib: float
    kv_gib: float
    kv_tokens: int
    profiled_tokens: int
    max_running_requests: int
    after_load_gib: float
    after_pool_gib: float
    before_graphs_gib: float
    graphs_gib: float
    after_graphs_gib: float
    graph_sizes: tuple[int, ...]


def default_fraction(gpu: Gpu, chunk_tokens: int, graph_max_batch: int, parallelism: Parallelism) -> float:
    """`mem-fraction-static` where none is given: all but a reserve for activations and graphs."""
    reserve_mib = 512 + 1.5 * max(chunk_tokens, 2048) + 2 * graph_max_batch
    reserve_mib += parallelism.tensor * parallelism.pipeline * 128
    if gpu.memory_gib > 60:
        reserve_mib = max(reserve_mib, 10 * 1024)
    return round(max(1 - reserve_mib / 1024 / gpu.memory_gib, 0.05), 3)


def default_chunk_tokens(gpu: Gpu) -> int:
    """`chunked-prefill-size` by GPU size."""
    return 2048 if gpu.memory_gib < 35 else 8192 if gpu.memory_gib < 160 else 16384


def default_graph_max_batch(gpu: Gpu, parallelism: Parallelism) -> int:
    """`cuda-graph-max-bs` by GPU size."""
    if gpu.memory_gib < 35:
        return 8 if parallelism.tensor < 4 else 80
    return 256


def graph_sizes(max_batch: int, max_running_requests: int) -> tuple[int, ...]:
    """The batch sizes a graph is captured for; larger batches run without one."""
    largest = min(max_batch, max_running_requests)
    sizes = {each for each in (1, 2, 4, *range(8, largest + 1, 8)) if each <= largest}
    return tuple(sorted({*sizes, largest}))


def plan_memory(
    *,
    gpu: Gpu,
    shape: ModelShape,
    parallelism: Parallelism,
    fraction: float,
    kv_dtype_bytes: int,
    page_tokens: int,
    context_tokens: int,
    max_total_tokens: int | None,
    max_running_requests: int | None,
    graph_max_batch: int | None,
) -> MemoryPlan:
    """The whole account; `graph_max_batch` None means that no graphs are captured.

    Raises NotEnoughMemory when the fraction leaves no KV cache, OutOfMemory when it leaves no room for the rest.
    """
    weights = shape.weights_gib / (parallelism.tensor * parallelism.pipeline)
    after_load = gpu.memory_gib - weights
    # Each GPU of a group holds its share of layers and of KV heads (a KV head is never split).
    per_token = shape.kv_bytes_per_token(kv_dtype_bytes) / min(parallelism.tensor, shape.kv_heads)
    per_token /= parallelism.pipeline
    room = after_load - gpu.memory_gib * (1 - fraction)
    profiled = _whole_pages(int(room * GIB / per_token), page_tokens)
    if after_load <= 0:
        raise OutOfMemory(_oom_text(shape.weights_gib * 1024 / 64, gpu.memory_gib, 0.0))
    if profiled <= 0:
        raise NotEnoughMemory("Not enough memory. Please try to increase --mem-fraction-static.")
    tokens = profiled if max_total_tokens is None else _whole_pages(min(max_total_tokens, profiled), page_tokens)
    if tokens <= 0:
        raise NotEnoughMemory("Not enough memory. Please try to increase --max-total-tokens.")
    running = max_running_requests or min(max(tokens * 512 // context_tokens, 2048), 4096)
    kv = tokens * per_token / GIB
    table = running * (context_tokens + 4) * 4 / GIB
    after_pool = after_load - kv - table - _WORKSPACES_GIB
    before_graphs = after_pool - _BEFORE_GRAPHS_GIB
    sizes = () if graph_max_batch is None else graph_sizes(graph_max_batch, running)
    graphs = _GRAPH_BASE_GIB + len(sizes) * _GRAPH_EACH_GIB if sizes else 0.0
    if before_graphs - graphs < 0:
        raise OutOfMemory(_oom_text(max(table * 1024, 64.0), gpu.memory_gib, max(before_graphs, 0.01)))
    return MemoryPlan(
        total_gib=gpu.memory_gib,
        weights_gib=weights,
        kv_gib=kv,
        kv_tokens=tokens,
        profiled_tokens=profiled,
        max_running_requests=running,
        after_load_gib=after_load,
        after_pool_gib=after_pool,
        before_graphs_gib=before_graphs,
        graphs_gib=graphs,
        after_graphs_gib=before_graphs - graphs,
        graph_sizes=sizes,
    )


def told_out_of_memory(plan: MemoryPlan) -> OutOfMemory:
    """For `--simulate-oom-above`: as if the graphs did not fit."""
    return OutOfMemory(_oom_text(512.0, plan.total_gib, 0.3))


def _whole_pages(tokens: int, page_tokens: int) -> int:
    return max(tokens, 0) // page_tokens * page_tokens


def _oom_text(asked_mib: float, total_gib: float, free_gib: float) -> str:
    used = total_gib - free_gib
    return (
        f"CUDA out of memory. Tried to allocate {_size(asked_mib)}. GPU 0 has a total capacity of {total_gib:.2f} GiB "
        f"of which {_size(free_gib * 1024)} is free. Including non-PyTorch memory, this process has {used:.2f} GiB "
        f"memory in use. Of the allocated memory {used - 0.5:.2f} GiB is allocated by PyTorch, and 61.13 MiB is "
        "reserved by PyTorch but unallocated."
    )


def _size(mib: float) -> str:
    return f"{mib:.2f} MiB" if mib < 1024 else f"{mib / 1024:.2f} GiB"
