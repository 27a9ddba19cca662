"""vLLM's log (0.3 to 0.33): what each wording says."""

from __future__ import annotations

import re

from tuner_tui.engines.log_rows import CAPTURE, SHARDS, Row, number, row
from tuner_tui.engines.log_state import LogState, Rank

_PROCESS = re.compile(r"\((?P<name>[A-Za-z][\w-]*)(?: rank=(?P<rank>\d+))? pid=(?P<pid>\d+)\)")
_COPY = re.compile(r"DP(\d+)")
V0_BLOCK_TOKENS = 16
"""Tokens in a block where the log gives blocks alone: the default of the versions that printed blocks."""


def rank_of(text: str) -> Rank:
    """From prefixes such as `(EngineCore_DP0 pid=9) (VllmWorker rank=1 pid=10)`: the innermost names the rank.

    An engine core speaks for all of its workers, so it and a worker without numbers share one rank.
    """
    if "(" not in text:
        return Rank(0, "")
    copy, name = 0, ""
    for found in _PROCESS.finditer(text[:200]):
        if numbered := _COPY.search(found["name"]):
            copy = int(numbered[1])
        if "Worker" in found["name"]:
            numbers = "_".join(part for part in found["name"].split("_")[1:])
            name = f"rank{found['rank']}" if found["rank"] else numbers
    return Rank(copy, name)


def _start(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    if state.ready or state.ranks:  # several starts in one log
        state.ranks.clear()
        state.ready = False
    state.enter("start")


def _engine(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.on_cpu = state.on_cpu or "device_config=cpu" in match.string
    state.enter("distributed")


def _load_start(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).loads += 1
    state.enter("weights")


def _weights(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).weights_gib = round(float(match["gib"]), 2)
    state.enter("compile")


def _weights_time(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("compile")


def _profile_v0(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    if memory.weights_gib is None:
        memory.weights_gib = float(match["weights"])
    memory.pools_gib = {"pool": float(match["kv"])}
    state.enter("kv")


def _total(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).total_gib = float(match["total"])


def _kv(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).pools_gib = {"pool": float(match["gib"])}
    state.enter("kv")


def _blocks(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).kv_tokens = int(match["blocks"]) * V0_BLOCK_TOKENS
    state.enter("kv")


def _tokens(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).kv_tokens = int(number(match["tokens"]))
    state.on_cpu = state.on_cpu or match["device"] == "CPU"
    state.enter("kv")


def _compile(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("compile")


def _graphs(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("graphs")


def _account(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).total_gib = float(match["total"])


def _http(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("http")


def _ready(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("ready")


_GIB = r"-?\d{1,9}(?:\.\d{1,9})?"
_COUNT = r"\d{1,15}"

ROWS: tuple[Row, ...] = (
    row(
        "args",
        r"(?:non-default args: |\bargs: Namespace\()",
        _start,
        "0.9+; Namespace before",
        "(APIServer pid=1) INFO 11-23 13:31:18 [api_utils.py:286] non-default args: {'model': '/model'}",
    ),
    row(
        "LLM engine (v",
        r"Initializing an? (?:V1 )?LLM engine \(v",
        _engine,
        "all",
        "Initializing a V1 LLM engine (v0.32.0) with config: model='/model', ... device_config=cpu,",
    ),
    row("Starting to load model", r"Starting to load model ", _load_start, "all", "Starting to load model /model..."),
    SHARDS,
    row(
        "Loading model weights took",
        rf"Loading model weights took (?P<gib>{_GIB}) G(?:i)?B",
        _weights,
        "up to 0.7",
        "Loading model weights took 14.9595 GB",
    ),
    row(
        "Loading weights took",
        r"Loading weights took [\d.]+ seconds",
        _weights_time,
        "0.8+",
        "[default_loader.py:262] Loading weights took 11.92 seconds",
    ),
    row(
        "Model loading took",
        rf"Model loading took (?P<gib>{_GIB}) GiB(?: memory)? and [\d.]+ seconds",
        _weights,
        "0.8+",
        "[gpu_model_runner.py:1892] Model loading took 11.9642 GiB and 13.051931 seconds",
    ),
    row(
        "torch.compile",
        r"torch\.compile (?:takes|took) ",
        _compile,
        "0.7+",
        "[monitor.py:33] torch.compile takes 30.12 s in total",
    ),
    row(
        "model weights take",
        rf"model weights take (?P<weights>{_GIB})GiB;.*reserved for KV Cache is (?P<kv>{_GIB})GiB",
        _profile_v0,
        "V0 of 0.6.4 to 0.10",
        "model weights take 0.70GiB; non_torch_memory takes 0.07GiB; PyTorch activation peak memory takes 1.12GiB; "
        "the rest of the memory reserved for KV Cache is 7.57GiB.",
    ),
    row(
        "total_gpu_memory",
        rf"total_gpu_memory \((?P<total>{_GIB})GiB\)",
        _total,
        "V0 of 0.6.4 to 0.10",
        "the current vLLM instance can use total_gpu_memory (23.65GiB) x gpu_memory_utilization (0.40) = 9.46GiB",
    ),
    row(
        "Available KV cache memory",
        rf"Available KV cache memory: (?P<gib>{_GIB}) GiB",
        _kv,
        "0.9+",
        "[gpu_worker.py:298] Available KV cache memory: 57.38 GiB",
    ),
    row(
        "GiB for KV cache on node",
        rf"Explicitly set \((?P<gib>{_GIB})/{_GIB}\) GiB for KV cache",
        _kv,
        "CPU builds",
        "[cpu_worker.py:260] Explicitly set (1.0/10.84) GiB for KV cache on node 0.",
    ),
    row(
        " blocks: ",
        rf"# (?:GPU|cuda) blocks: (?P<blocks>{_COUNT})",
        _blocks,
        "V0, up to 0.10",
        "# cuda blocks: 41366, # CPU blocks: 21845",
    ),
    row(
        "KV cache size",
        r"(?P<device>[A-Z]+)(?: \+ host)? KV cache size: (?P<tokens>\d[\d,]{0,20}) tokens",
        _tokens,
        "0.8+",
        "[kv_cache_utils.py:2327] CPU KV cache size: 349,440 tokens, Maximum concurrency for 2,048 tokens per "
        "request: 170.62x",
    ),
    row(
        "Capturing",
        r"Capturing (?:the model for CUDA graphs|cudagraphs for decoding)",
        _graphs,
        "V0",
        "Capturing the model for CUDA graphs. This may lead to unexpected consequences if the model is not static.",
    ),
    CAPTURE,
    row(
        "Free memory on device",
        rf"Free memory on device (?:\S+ )?\({_GIB}/(?P<total>{_GIB}) GiB\)",
        _account,
        "0.10.2, 0.28+, and in the error about too little free memory",
        "Free memory on device (78.6/79.2 GiB) on startup. Desired GPU memory utilization is (0.9, 71.3 GiB).",
    ),
    row(
        "Starting vLLM",
        r"Starting vLLM (?:API )?server(?: \d+)? on http",
        _http,
        "all",
        "[entry.py:140] Starting vLLM server on http://127.0.0.1:8000",
    ),
    row(
        "Application startup complete",
        r"Application startup complete\.",
        _ready,
        "all",
        "Application startup complete.",
    ),
)
