"""Start-up: the phases, what each says, and how long it takes."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from tuner_tui.engines.simulated import failures
from tuner_tui.engines.simulated.arguments import context_tokens, gpu_of, kv_dtype_bytes, parallelism_of
from tuner_tui.engines.simulated.hardware import ModelShape
from tuner_tui.engines.simulated.log import SIMULATED, Log
from tuner_tui.engines.simulated.memory import (
    MemoryPlan,
    NotEnoughMemory,
    OutOfMemory,
    plan_memory,
    told_out_of_memory,
)

INIT, LOAD, KV, CAPTURE, WARM_UP = 0.25, 0.15, 0.02, 0.48, 0.10
"""Shares of `--simulate-start-s`; nearly those of the measured run, where graphs took half of it."""


class StartFailed(Exception):
    """The log says why; the process is to end as SGLang would."""


def begin(log: Log, args: Namespace) -> None:
    """The first lines, before anything takes time."""
    log.line(SIMULATED)
    if not args.simulate_hang:
        log.line(f"server_args=ServerArgs({_server_args(args)})")


async def load(args: Namespace) -> MemoryPlan:
    """All phases until the HTTP server may come up. Raises StartFailed."""
    log = Log(_ranks(args)[0])
    total_s = args.simulate_start_s / args.simulate_speed
    if args.simulate_hang:
        await asyncio.Event().wait()
    _check(log, args)
    if args.attention_backend is None:
        log.line("Attention backend not explicitly specified. Use fa3 backend by default.")
    log.line("Init torch distributed begin.")
    await asyncio.sleep(INIT * total_s)
    log.line("Init torch distributed ends. mem usage=0.00 GB")
    plan, error = _plan(args)
    await _weights(args, LOAD * total_s)
    if plan is None:
        _say_failure(log, error)
        raise StartFailed
    shape = ModelShape()
    if args.max_total_tokens is not None and args.max_total_tokens > plan.profiled_tokens:
        log.line(
            f"max_total_tokens={args.max_total_tokens} is larger than the profiled value {plan.profiled_tokens}. "
            "Use the profiled value instead."
        )
    await asyncio.sleep(KV * total_s)
    for each in _ranks(args):
        half = plan.kv_gib / 2
        Log(each).line(
            f"KV Cache is allocated. #tokens: {plan.kv_tokens}, K size: {half:.2f} GB, V size: {half:.2f} GB"
        )
        Log(each).line(f"Memory pool end. avail mem={plan.after_pool_gib:.2f} GB")
    log.line(f"{SIMULATED} (as {shape.name}, {shape.parameters / 1e9:.2f} B parameters, {plan.total_gib:.2f} GiB GPU)")
    if args.no_effect:
        flags = ", ".join("--" + name.replace("_", "-") for name in args.no_effect)
        log.line(f"SIMULATED ENGINE: taken without effect: {flags}")
    if not args.disable_cuda_graph:
        await _capture(log, args, plan, CAPTURE * total_s)
    elif args.simulate_oom_above is not None and args.mem_fraction_static > args.simulate_oom_above:
        failures.out_of_memory(log, told_out_of_memory(plan), "model_executor/model_runner.py")
        raise StartFailed
    log.line(
        f"max_total_num_tokens={plan.kv_tokens}, chunked_prefill_size={args.chunked_prefill_size}, "
        f"max_prefill_tokens={args.max_prefill_tokens}, max_running_requests={plan.max_running_requests}, "
        f"context_len={context_tokens(args)}, available_gpu_mem={plan.after_graphs_gib:.2f} GB"
    )
    return plan


async def warm_up(log: Log, args: Namespace, port: int) -> None:
    """From the HTTP server's first answer until requests are welcome."""
    half_s = WARM_UP / 2 * args.simulate_start_s / args.simulate_speed
    await asyncio.sleep(half_s)
    log.access(f"127.0.0.1:{port}", "GET /get_model_info HTTP/1.1", 200, "OK")
    Log(_ranks(args)[0]).line(
        "Prefill batch. #new-seq: 1, #new-token: 7, #cached-token: 0, token usage: 0.00, "
        "#running-req: 0, #queue-req: 0, "
    )
    await asyncio.sleep(half_s)
    log.access(f"127.0.0.1:{port}", "POST /generate HTTP/1.1", 200, "OK")
    log.line("The server is fired up and ready to roll!")


def replica_logs(args: Namespace) -> list[Log]:
    """One for each data-parallel replica: that of its first GPU."""
    per_replica = args.tp_size * args.pp_size
    return [Log(rank) for rank in _ranks(args)[::per_replica]]


def _plan(args: Namespace) -> tuple[MemoryPlan | None, Exception]:
    try:
        plan = plan_memory(
            gpu=gpu_of(args),
            shape=ModelShape(),
            parallelism=parallelism_of(args),
            fraction=args.mem_fraction_static,
            kv_dtype_bytes=kv_dtype_bytes(args),
            page_tokens=args.page_size,
            context_tokens=context_tokens(args),
            max_total_tokens=args.max_total_tokens,
            max_running_requests=args.max_running_requests,
            graph_max_batch=None if args.disable_cuda_graph else args.cuda_graph_max_bs,
        )
    except (NotEnoughMemory, OutOfMemory) as error:
        return None, error
    return plan, NotEnoughMemory()


def _say_failure(log: Log, error: Exception) -> None:
    if isinstance(error, OutOfMemory):
        failures.out_of_graph_memory(log, error)
    else:
        failures.refused(log, error)


def _check(log: Log, args: Namespace) -> None:
    """What SGLang refuses before it loads."""
    shape = ModelShape()
    if context_tokens(args) > shape.context_tokens:
        told = ValueError(
            f"User-specified context_length ({args.context_length}) is greater than the derived context_length "
            f"({shape.context_tokens}). This may lead to incorrect model outputs or CUDA errors."
        )
        failures.refused(log, told, "ValueError")
        raise StartFailed
    if shape.heads % args.tp_size:
        told = ValueError(
            f"Total number of attention heads ({shape.heads}) must be divisible by tensor parallel size "
            f"({args.tp_size})."
        )
        failures.refused(log, told, "ValueError")
        raise StartFailed


async def _weights(args: Namespace, seconds: float) -> None:
    gpu, shape = gpu_of(args), ModelShape()
    weights = shape.weights_gib / (args.tp_size * args.pp_size)
    logs = [Log(rank) for rank in _ranks(args)]
    for each in logs:
        each.line(f"Load weight begin. avail mem={gpu.memory_gib:.2f} GB")
    bar = "\rLoading safetensors checkpoint shards: {:3d}% Completed | {}/1 [00:{:02.0f}<{}]\n"
    logs[0].raw(bar.format(0, 0, 0, "?, ?it/s"))
    await asyncio.sleep(seconds)
    rate = 1 / max(seconds, 0.01)
    logs[0].raw(bar.format(100, 1, seconds, f"00:00, {rate:5.2f}it/s"))
    logs[0].raw("\n")
    for each in logs:
        each.line(
            f"Load weight end. type={shape.name}, dtype=torch.bfloat16, "
            f"avail mem={gpu.memory_gib - weights:.2f} GB, mem usage={weights:.2f} GB."
        )


async def _capture(log: Log, args: Namespace, plan: MemoryPlan, seconds: float) -> None:
    sizes = plan.graph_sizes
    avail = plan.before_graphs_gib
    log.line(f"Capture cuda graph begin. This can take up to several minutes. avail mem={avail:.2f} GB")
    log.line(f"Capture cuda graph bs {list(sizes)}")
    log.raw(f"\r  0%|          | 0/{len(sizes)} [00:00<?, ?it/s]")
    fails = args.simulate_oom_above is not None and args.mem_fraction_static > args.simulate_oom_above
    each_s = seconds / len(sizes)
    for done, size in enumerate(reversed(sizes), 1):
        await asyncio.sleep(each_s)
        if fails and done > len(sizes) // 2:
            log.raw("\n")
            failures.out_of_graph_memory(log, told_out_of_memory(plan))
            raise StartFailed
        avail -= plan.graphs_gib / len(sizes)
        share = done / len(sizes)
        left_s = each_s * (len(sizes) - done)
        log.raw(
            f"\rCapturing batches (bs={size} avail_mem={avail:.2f} GB): {share:4.0%}|{'█' * int(share * 10):<10}| "
            f"{done}/{len(sizes)} [00:{each_s * done:02.0f}<00:{left_s:02.0f}, {1 / max(each_s, 1e-3):5.2f}it/s]"
        )
    log.raw("\n")
    log.line(
        f"Capture cuda graph end. Time elapsed: {seconds:.2f} s. mem usage={plan.graphs_gib:.2f} GB. "
        f"avail mem={plan.after_graphs_gib:.2f} GB."
    )


def _ranks(args: Namespace) -> list[str]:
    """The rank words of every GPU's prefix; sizes of 1 are left out, as since 0.4.6."""
    words = []
    for data in range(args.dp_size):
        for tensor in range(args.tp_size):
            for stage in range(args.pp_size):
                parts = ((args.dp_size, f"DP{data}"), (args.tp_size, f"TP{tensor}"), (args.pp_size, f"PP{stage}"))
                words.append(" ".join(word for size, word in parts if size > 1))
    return words


def _server_args(args: Namespace) -> str:
    told = {name: value for name, value in vars(args).items() if name != "no_effect"}
    return ", ".join(f"{name}={value!r}" for name, value in {**told, "device": "cuda"}.items())
