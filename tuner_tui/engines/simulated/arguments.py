"""The command line: SGLang's main flags by their names in 0.5.2, and what the simulation is told."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

from tuner_tui.engines.simulated.hardware import Gpu, ModelShape, Parallelism
from tuner_tui.engines.simulated.memory import default_chunk_tokens, default_fraction, default_graph_max_batch

PROG = "python3 -m tuner_tui.engines.simulated"
_FP8 = ("fp8_e5m2", "fp8_e4m3")

NO_EFFECT = (
    "attention_backend",
    "sampling_backend",
    "tokenizer_path",
    "load_format",
    "quantization",
    "download_dir",
    "revision",
    "trust_remote_code",
    "skip_server_warmup",
    "disable_overlap_schedule",
    "disable_custom_all_reduce",
    "enable_torch_compile",
    "torch_compile_max_bs",
    "log_requests",
    "enable_cache_report",
    "dtype",
    "random_seed",
    "watchdog_timeout",
    "enable_metrics",
    "log_level",
)
"""Flags that are taken because SGLang takes them, and change nothing here."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The flags with every default filled in that depends on others. Ends the process with 2 on bad ones, as
    SGLang does: usage on standard error, then `error: unrecognized arguments: …`."""
    parser = _parser()
    args = parser.parse_args(arguments)
    gpu = gpu_of(args)
    # As given, before the defaults: what the log and the server's information call server_args.
    args.no_effect = [name for name in NO_EFFECT if getattr(args, name) != parser.get_default(name)]
    if args.served_model_name is None:
        args.served_model_name = args.model_path
    if args.chunked_prefill_size is None:
        args.chunked_prefill_size = default_chunk_tokens(gpu)
    if args.cuda_graph_max_bs is None:
        args.cuda_graph_max_bs = default_graph_max_batch(gpu, parallelism_of(args))
    if args.mem_fraction_static is None:
        args.mem_fraction_static = default_fraction(
            gpu, args.chunked_prefill_size, args.cuda_graph_max_bs, parallelism_of(args)
        )
    if args.simulate_seed is None:
        args.simulate_seed = random.SystemRandom().randrange(2**31)
    if args.random_seed is None:
        args.random_seed = args.simulate_seed
    if args.chunked_prefill_size > 0 and args.chunked_prefill_size % args.page_size:
        parser.error("argument --chunked-prefill-size: must be a multiple of --page-size")
    return args


def gpu_of(args: argparse.Namespace) -> Gpu:
    return Gpu(
        memory_gib=args.simulate_memory_gib,
        bandwidth_gb_per_s=args.simulate_bandwidth_gbs,
        compute_tflops=args.simulate_flops_tflops,
    )


def parallelism_of(args: argparse.Namespace) -> Parallelism:
    return Parallelism(tensor=args.tp_size, pipeline=args.pp_size, data=args.dp_size)


def kv_dtype_bytes(args: argparse.Namespace) -> int:
    return 1 if args.kv_cache_dtype in _FP8 else 2


def context_tokens(args: argparse.Namespace) -> int:
    given: int | None = args.context_length
    return given or ModelShape().context_tokens


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROG,
        allow_abbrev=False,
        description="A server that looks like SGLang from outside but runs no model: timing follows a performance "
        "model. It is for trying out tuner-tui without a GPU.",
    )
    _server(parser.add_argument_group("server, as in SGLang"))
    _scheduling(parser.add_argument_group("memory and scheduling, as in SGLang"))
    _ignored(parser.add_argument_group("taken as in SGLang, without effect here"))
    _simulation(parser.add_argument_group("the simulation"))
    return parser


def _server(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model-path", "--model", required=True, metavar="NAME", help="only a name here; nothing is loaded")
    add("--served-model-name", metavar="NAME", help="what /v1/models says (default: the model path)")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=30000, help="0: a free one, printed in the line `Uvicorn running on`")
    add("--context-length", type=_from(1), metavar="TOKENS")
    add("--stream-interval", type=_from(1), default=1, metavar="TOKENS", help="tokens in one streamed piece")
    add("--decode-log-interval", type=_from(1), default=40, metavar="STEPS")


def _scheduling(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--mem-fraction-static", type=_fraction, metavar="FRACTION", help="GPU memory for weights and KV cache")
    add("--max-running-requests", type=_from(1), metavar="N", help="largest batch")
    add("--max-queued-requests", type=_from(1), metavar="N", help="more are answered with 503")
    add("--max-total-tokens", type=_from(1), metavar="TOKENS", help="upper bound of the KV cache")
    add("--chunked-prefill-size", type=_chunk, metavar="TOKENS", help="longest piece of a prompt; -1: whole prompts")
    add("--max-prefill-tokens", type=_from(1), default=16384, metavar="TOKENS", help="most in one prefill step")
    add("--schedule-policy", default="fcfs", choices=["lpm", "random", "fcfs", "dfs-weight", "lof"])
    add("--schedule-conservativeness", type=_at_least_0, default=1.0, metavar="FACTOR")
    add("--page-size", type=_from(1), default=1, metavar="TOKENS", help="page of the KV cache")
    add("--kv-cache-dtype", default="auto", choices=["auto", *_FP8, "bf16", "bfloat16"], help="fp8: half the bytes")
    add("--tp-size", "--tensor-parallel-size", type=_from(1), default=1, metavar="GPUS")
    add("--pp-size", "--pipeline-parallel-size", type=_from(1), default=1, metavar="GPUS")
    add("--dp-size", "--data-parallel-size", type=_from(1), default=1, metavar="COPIES")
    add("--disable-cuda-graph", action="store_true", help="slower decode steps, more free memory")
    add("--cuda-graph-max-bs", "--cuda-graph-max-bs-decode", type=_from(1), metavar="N", help="largest graph")
    add("--disable-radix-cache", action="store_true", help="no prefix cache")
    add("--enable-mixed-chunk", action="store_true", help="decode in the same step as prefill")
    add("--num-continuous-decode-steps", type=_from(1), default=1, metavar="STEPS")


def _ignored(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for name in ("attention-backend", "sampling-backend", "tokenizer-path", "quantization", "download-dir", "revision"):
        add(f"--{name}")
    add("--load-format", default="auto")
    add("--dtype", default="auto", choices=["auto", "half", "float16", "bfloat16", "float", "float32"])
    add("--log-level", default="info")
    for name in ("random-seed", "torch-compile-max-bs"):
        add(f"--{name}", type=int)
    add("--watchdog-timeout", type=float, default=300)
    for name in ("trust-remote-code", "skip-server-warmup", "disable-overlap-schedule", "disable-custom-all-reduce"):
        add(f"--{name}", action="store_true")
    for name in ("enable-torch-compile", "log-requests", "enable-cache-report"):
        add(f"--{name}", action="store_true")
    add("--enable-metrics", action="store_true", help="/metrics is always there")


def _simulation(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    gpu = Gpu()
    add("--simulate-start-s", type=_at_least_0, default=1.0, metavar="S", help="start-up time (default: %(default)s)")
    add("--simulate-speed", type=_above_0, default=1.0, metavar="F", help="time runs F times faster")
    add("--simulate-seed", type=_from(0), metavar="N", help="of all that is drawn (default: another each launch)")
    add("--simulate-noise", type=_at_least_0, default=0.0, metavar="SIGMA", help="log-normal, once a launch, step time")
    add("--simulate-jitter", type=_at_least_0, default=0.0, metavar="SIGMA", help="log-normal, each step, step time")
    add(
        "--simulate-oom-above",
        type=_fraction,
        metavar="FRACTION",
        help="out of memory in graph capture when --mem-fraction-static is above this",
    )
    add("--simulate-crash-after", type=_from(1), metavar="N", help="the scheduler dies after N requests")
    add("--simulate-hang", action="store_true", help="never gets ready, says nothing")
    add("--simulate-error-rate", type=_fraction, default=0.0, metavar="P", help="share of requests answered with 500")
    add("--simulate-no-usage", action="store_true", help="answers carry no token usage")
    add(
        "--simulate-memory-gib",
        type=_above_0,
        default=gpu.memory_gib,
        metavar="GIB",
        help="memory of each GPU (default: %(default)s)",
    )
    add(
        "--simulate-bandwidth-gbs",
        type=_above_0,
        default=gpu.bandwidth_gb_per_s,
        metavar="GB/S",
        help="memory bandwidth of each GPU, GB/s (default: %(default)s)",
    )
    add(
        "--simulate-flops-tflops",
        type=_above_0,
        default=gpu.compute_tflops,
        metavar="TFLOPS",
        help="dense bf16 arithmetic of each GPU, TFLOP/s (default: %(default)s)",
    )
    add(
        "--simulate-vocabulary",
        type=_from(2),
        default=128256,
        metavar="TOKENS",
        help="token ids from this on are refused (default: %(default)s)",
    )


class _from:
    """An integer of at least `least`."""

    __name__ = "int"

    def __init__(self, least: int) -> None:
        self._least = least

    def __call__(self, text: str) -> int:
        value = int(text)
        if value < self._least:
            raise argparse.ArgumentTypeError(f"must be at least {self._least}, not {value}")
        return value


def _chunk(text: str) -> int:
    value = int(text)
    if value < 1 and value != -1:
        raise argparse.ArgumentTypeError(f"must be at least 1, or -1 for whole prompts, not {value}")
    return value


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, not {text}")
    return value


def _at_least_0(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be at least 0, not {text}")
    return value


def _above_0(text: str) -> float:
    value = _at_least_0(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


for _type, _name in ((_chunk, "int"), (_fraction, "float"), (_at_least_0, "float"), (_above_0, "float")):
    # What argparse says: "invalid float value: 'abc'".
    _type.__name__ = _name
