"""SGLang's start-up log (0.3 to 0.5.23): what each wording says. Figures are GiB although it prints "GB"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tuner_tui.engines.arguments import call_arguments
from tuner_tui.engines.facts import (
    AnyFact,
    Entered,
    GraphsCaptured,
    KvCacheAllocated,
    Limits,
    LoadBegan,
    MemoryTold,
    Phase,
    Retracted,
    Started,
    Told,
    Took,
    WeightsLoaded,
    Where,
)
from tuner_tui.engines.log_rows import COMMON, COUNT, GIB, SECONDS, Read, Row, count, group, nothing, number, row

Match = re.Match[str]


def _start(match: Match, where: Where) -> Iterable[AnyFact]:
    arguments = call_arguments(match["arguments"])
    yield Started(where=where, arguments=arguments)
    backend, device = arguments.get("attention_backend"), arguments.get("device")
    if isinstance(backend, str):
        yield Told(where=where, about="attention_backend", value=backend)
    if isinstance(device, str):
        yield Told(where=where, about="device", value=device)
    if arguments.get("disable_cuda_graph") is True or arguments.get("cuda_graph_backend_decode") == "disabled":
        yield Told(where=where, about="graphs", value=False)


def _phase(phase: Phase) -> Read:
    def read(match: Match, where: Where) -> Iterable[AnyFact]:
        yield Entered(where=where, phase=phase)

    return read


def _took(phase: Phase) -> Read:
    def read(match: Match, where: Where) -> Iterable[AnyFact]:
        yield Took(where=where, phase=phase, elapsed_s=float(match["s"]))

    return read


def _backend(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="attention_backend", value=match["backend"])


def _load_begin(match: Match, where: Where) -> Iterable[AnyFact]:
    yield LoadBegan(where=where, available_gib=number(match["avail"]))


def _load_end(match: Match, where: Where) -> Iterable[AnyFact]:
    yield WeightsLoaded(
        where=where,
        weights_gib=number(match["used"]),
        available_gib=number(match["avail"]),
        elapsed_s=number(match["s"]),
        model_type=match["type"],
        dtype=match["dtype"].removeprefix("torch.") if match["dtype"] else None,
    )
    yield Entered(where=where, phase="kv")


def _kv_dtype(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="kv_cache_dtype", value=match["dtype"])


def _pool(match: Match, where: Where) -> Iterable[AnyFact]:
    k, v = number(match["k"]), number(match["v"])
    total = number(match["kv"]) if k is None or v is None else round(k + v, 4)
    yield Entered(where=where, phase="kv")
    yield KvCacheAllocated(
        where=where,
        pool=match["label"] or "",
        tokens=count(match["tokens"]),
        k_gib=k,
        v_gib=v,
        total_gib=total,
        dtype=match["dtype"],
    )
    if match["dtype"]:
        yield Told(where=where, about="kv_cache_dtype", value=match["dtype"].removeprefix("torch."))


def _final_pool(match: Match, where: Where) -> Iterable[AnyFact]:
    pool = "draft" if match["draft"] else "final"
    yield KvCacheAllocated(
        where=where, pool=pool, tokens=int(match["tokens"]), total_gib=float(match["kv"]), dtype=match["dtype"]
    )
    if match["avail"]:
        yield MemoryTold(where=where, available_gib=float(match["avail"]))


def _final_tokens(match: Match, where: Where) -> Iterable[AnyFact]:
    yield MemoryTold(where=where, kv_cache_tokens=int(match["tokens"]), available_gib=number(group(match, "avail")))


def _sliding_window(match: Match, where: Where) -> Iterable[AnyFact]:
    yield KvCacheAllocated(where=where, pool="sum", tokens=int(match["full"]), total_gib=float(match["gib"]))


def _compressed_pools(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="kv")
    yield KvCacheAllocated(where=where, tokens=int(match["tokens"]), total_gib=float(match["kv"]))


def _states(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="kv")
    parts = [match["conv"], match["ssm"], match["more"], match["window"]]
    total = round(sum(float(part) for part in parts if part), 4)
    yield KvCacheAllocated(where=where, pool="state", total_gib=total)


def _pools_end(match: Match, where: Where) -> Iterable[AnyFact]:
    yield MemoryTold(where=where, available_gib=float(match["avail"]), pools_done=True)


def _graphs_begin(match: Match, where: Where) -> Iterable[AnyFact]:
    sizes = match["sizes"]
    yield Entered(where=where, phase="graphs", done=0 if sizes else None, of=_length(sizes))
    yield Told(where=where, about="graphs", value=True)
    if match["avail"] is not None:
        yield MemoryTold(where=where, available_gib=float(match["avail"]))


def _graph_sizes(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Entered(where=where, phase="graphs", done=0, of=_length(match["sizes"]))


def _length(sizes: str | None) -> int | None:
    return sizes.count(",") + 1 if sizes else None


def _graphs_end(match: Match, where: Where) -> Iterable[AnyFact]:
    yield GraphsCaptured(
        where=where,
        name=match["name"].removesuffix("graph").removesuffix("Graph").strip(),
        elapsed_s=number(match["s"]),
        graphs_gib=number(match["used"]),
        available_gib=number(match["avail1"] or match["avail2"]),
    )


def _limits(match: Match, where: Where) -> Iterable[AnyFact]:
    chunk = match["chunk"]
    yield Limits(
        where=where,
        max_total_tokens=int(match["tokens"]),
        chunked_prefill_tokens=int(chunk) if chunk and chunk != "None" else None,
        max_prefill_tokens=int(match["prefill"]),
        max_running_requests=int(match["requests"]),
        context_tokens=int(match["context"]),
        available_gib=number(match["avail"]),
    )
    if match["device"] == "cpu":
        yield Told(where=where, about="device", value="cpu")


def _timings(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Took(where=where, phase="weights", elapsed_s=float(match["load"]))
    yield Took(where=where, phase="kv", elapsed_s=float(match["kv"]))


def _retracted(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Retracted(where=where, requests=int(match["n"]))


def _no_graphs(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="graphs", value=False)


def _simulated(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="simulated", value=True)


def _info_memory(match: Match, where: Where) -> Iterable[AnyFact]:
    figure = float(match["value"])
    if match["key"] == "token_capacity":
        yield MemoryTold(where=where, kv_cache_tokens=int(figure))
    elif match["key"] == "weight":
        yield MemoryTold(where=where, weights_gib=figure)
    elif match["key"] == "kvcache":
        yield MemoryTold(where=where, kv_cache_gib=figure)
    else:
        yield MemoryTold(where=where, graphs_gib=figure)


def _info_version(match: Match, where: Where) -> Iterable[AnyFact]:
    yield Told(where=where, about="engine_version", value=match["version"])


ROWS: tuple[Row, ...] = (
    *COMMON,
    row(
        "server_args=",
        r"server_args=(?:ServerArgs)?(?P<arguments>[({].*)",
        _start,
        "server_args=ServerArgs(model_path='/model', tp_size=1)",
        since="0.3.0",
        settings=True,
    ),
    row("SIMULATED ENGINE", r"SIMULATED ENGINE", _simulated, "SIMULATED ENGINE: no model runs here"),
    row(
        "Init torch distributed begin",
        r"Init torch distributed begin\.",
        _phase("distributed"),
        "[2025-11-06 12:09:31] Init torch distributed begin.",
        since="0.3.6",
        until="0.5.20",
    ),
    row(
        "Init parallel begin",
        r"Init parallel begin\.",
        _phase("distributed"),
        "[2026-11-23 13:50:47] Init parallel begin.",
        since="0.5.22",
    ),
    row(
        "Init torch distributed ends. mem",
        rf"Init torch distributed ends\. mem usage={GIB} GB",
        nothing,
        "[2025-11-06 12:09:31] Init torch distributed ends. mem usage=0.00 GB",
        since="0.4.3",
        until="0.5.8",
    ),
    row(
        "Init torch distributed ends. elapsed",
        rf"Init torch distributed ends\. elapsed=(?P<s>{SECONDS}) s, mem usage={GIB} GB",
        _took("distributed"),
        "[2026-03-04 16:46:01 TP0] Init torch distributed ends. elapsed=1.52 s, mem usage=1.33 GB",
        since="0.5.9",
        until="0.5.20",
    ),
    row(
        "Init parallel ends",
        rf"Init parallel ends\. elapsed=(?P<s>{SECONDS}) s",
        _took("distributed"),
        "[2026-11-23 13:50:47] Init parallel ends. elapsed=0.02 s",
        since="0.5.22",
    ),
    row("Memory baseline", r"Memory baseline taken\.", nothing, "Memory baseline taken. mem usage=0.00 GB"),
    row(
        "Attention backend not set",
        r"Attention backend not set\. Use (?P<backend>\w+) backend by default",
        _backend,
        "Attention backend not set. Use flashinfer backend by default.",
        since="0.4.4",
        until="0.4.10",
    ),
    row(
        "Attention backend not explicitly",
        r"Attention backend not explicitly specified\. Use (?P<backend>\w+) backend by default",
        _backend,
        "Attention backend not explicitly specified. Use fa3 backend by default.",
        since="0.5.0",
        until="0.5.6",
    ),
    row(
        "ttention backend",
        r"Use (?P<backend>\w+) (?:as (?:the |default )?)?attention backend",
        _backend,
        "Use trtllm_mla as attention backend on sm100 for DeepseekV3ForCausalLM",
    ),
    row(
        "MLA optimization is turned on. Use",
        r"MLA optimization is turned on\. Use (?P<backend>\w+) backend",
        _backend,
        "MLA optimization is turned on. Use triton backend.",
        until="0.4.6",
    ),
    row(
        "Load weight begin",
        rf"Load weight begin\.(?: avail mem=(?P<avail>{GIB}) GB)?",
        _load_begin,
        "[2025-11-06 12:09:32] Load weight begin. avail mem=94.76 GB",
    ),
    row(
        "Load weight end",
        rf"Load weight end\.(?: elapsed=(?P<s>{SECONDS}) s,)?(?: type=(?P<type>\w+),)?(?: dtype=(?P<dtype>[\w.]+),)?"
        rf".*?avail mem=(?P<avail>{GIB}) GB(?:, mem usage=(?P<used>{GIB}) GB)?",
        _load_end,
        "Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=92.35 GB, mem usage=2.41 GB.",
    ),
    # Said by the loader; "Load weight end" has it all.
    row("Loading weights took", r"Loading weights took", nothing, "Loading weights took 1.21 seconds", since="0.5.7"),
    row(
        "Using KV cache dtype",
        r"Using KV cache dtype: (?:torch\.)?(?P<dtype>\w+)",
        _kv_dtype,
        "Using KV cache dtype: torch.bfloat16",
        since="0.5.3",
        until="0.5.12",
    ),
    row(
        "KV Cache is allocated",
        rf"(?:(?:^|\] )(?P<label>[A-Za-z][\w -]*?) )?KV Cache is allocated\.(?: dtype: (?P<dtype>[\w.]+),)?"
        rf"(?: #tokens: (?P<tokens>{COUNT}),)? (?:K size: (?P<k>{GIB}) GB, V size: (?P<v>{GIB}) GB|KV size: "
        rf"(?P<kv>{GIB}) GB)",
        _pool,
        "KV Cache is allocated. #tokens: 2094537, K size: 31.96 GB, V size: 31.96 GB",
        since="0.4.1",
    ),
    # An address range that is only reserved; "Post-capture KV sizing" says what became of it.
    row("VA upper bound", r"VA upper bound[.:]", nothing, "KV Cache VA upper bound. dtype: x", since="0.5.18"),
    row(
        "Post-capture KV sizing",
        rf"Post-capture KV sizing: (?P<draft>draft )?KV cache allocated\.(?: dtype: (?P<dtype>[\w.]+),)?.*?#tokens: "
        rf"(?P<tokens>{COUNT}), KV size: (?P<kv>{GIB}) GB(?:, avail mem=(?P<avail>{GIB}) GB)?",
        _final_pool,
        "Post-capture KV sizing: KV cache allocated. dtype: torch.bfloat16, #tokens: 100, KV size: 1.00 GB",
        since="0.5.18",
    ),
    row(
        "Post-capture KV sizing: full",
        rf"Post-capture KV sizing: full_layer_tokens=(?P<tokens>{COUNT})",
        _final_tokens,
        "Post-capture KV sizing: full_layer_tokens=213761, swa_layer_tokens=171008",
        since="0.5.18",
    ),
    row(
        "Post-capture KV sizing: max",
        rf"Post-capture KV sizing: max_total_num_tokens=(?P<tokens>{COUNT}), free memory=(?P<avail>{GIB}) GB",
        _final_tokens,
        "Post-capture KV sizing: max_total_num_tokens=213761, free memory=5.10 GB",
        since="0.5.16",
        until="0.5.16",
    ),
    row(
        "liding window memory pool",
        rf"[Uu]se [Ss]liding window memory pool\. full_layer_tokens=(?P<tokens>{COUNT})",
        _final_tokens,
        "Use Sliding window memory pool. full_layer_tokens=213761, swa_layer_tokens=171008",
        since="0.4.9",
    ),
    row(
        "SWAKVPool mem usage",
        rf"SWAKVPool mem usage: (?P<gib>{GIB}) GB, swa size: \d+, full size: (?P<full>{COUNT})",
        _sliding_window,
        "SWAKVPool mem usage: 36.69 GB, swa size: 171008, full size: 213761",
        since="0.5.3",
    ),
    row(
        "Mamba Cache is allocated",
        rf"Mamba Cache is allocated\..*?conv_state size: (?P<conv>{GIB}) ?GB, ssm_state size: (?P<ssm>{GIB}) ?GB"
        rf"(?: intermediate_ssm_state_cache size: (?P<more>{GIB}) ?GB)?"
        rf"(?: intermediate_conv_window_cache size: (?P<window>{GIB}) ?GB)?",
        _states,
        "Mamba Cache is allocated. max_mamba_cache_size: 128, conv_state size: 0.10GB, ssm_state size: 4.50GB ",
        since="0.5.2",
    ),
    row(
        "DSV4 memory calculation",
        # All pools of DeepSeek V4 together; there is no line for each.
        rf"DSV4 memory calculation: .*?available_bytes=(?P<kv>{GIB}) GB,.*? full_token=(?P<tokens>{COUNT})",
        _compressed_pools,
        "DSV4 memory calculation: bytes_per_full_token=3712.50, available_bytes=10.21 GB, full_token=2999808",
        since="0.5.12",
    ),
    row(
        "Memory pool end",
        rf"Memory pool end\. avail mem=(?P<avail>{GIB}) GB",
        _pools_end,
        "[2025-11-06 12:09:33] Memory pool end. avail mem=26.32 GB",
    ),
    row(
        "Capture ",
        r"Capture .*?(?:[Gg]raph|-CG).*?begin(?: \(step \d+\))?\."
        r"(?:(?:.*?(?:bs|num_tokens)=\[(?P<sizes>[\d, ]*)\])?.*?"
        rf"avail mem=(?P<avail>{GIB}) GB)?",
        _graphs_begin,
        "Capture cuda graph begin. This can take up to several minutes. avail mem=26.23 GB",
    ),
    row(
        "graph bs [",
        r"Capture (?:cuda|CUDA) graph bs \[(?P<sizes>[\d, ]+)\]",
        _graph_sizes,
        "[2025-11-06 12:09:33] Capture cuda graph bs [1, 2, 4]",
        since="0.4.3",
        until="0.5.13",
    ),
    row(
        "Capture ",
        r"Capture (?P<name>.*?(?:[Gg]raph|-CG draft extend)) end\."
        r"(?:(?: bs=\[[\d, ]*\],)? (?:Time elapsed: |elapsed=|step=\d+, elapsed=)"
        rf"(?P<s>{SECONDS}) s[.,]?)?(?: avail mem=(?P<avail1>{GIB}) GB\.)?(?: mem usage=(?P<used>{GIB}) GB[.,]?)?"
        rf"(?: avail mem=(?P<avail2>{GIB}) GB)?",
        _graphs_end,
        "Capture cuda graph end. Time elapsed: 15.99 s. mem usage=0.60 GB. avail mem=25.62 GB.",
    ),
    row(
        "max_total_num_tokens=",
        rf"max_total_num_tokens=(?P<tokens>{COUNT}), (?:chunked_prefill_size=(?P<chunk>-?{COUNT}|None), )?"
        rf"max_prefill_tokens=(?P<prefill>{COUNT}), max_running_requests=(?P<requests>{COUNT}), "
        rf"context_len=(?P<context>{COUNT})(?:, available_(?P<device>gpu|cpu)_mem=(?P<avail>{GIB}) GB)?",
        _limits,
        "max_total_num_tokens=2094537, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=4096, "
        "context_len=131072, available_gpu_mem=25.62 GB",
    ),
    row(
        "Engine startup timings",
        rf"Engine startup timings \(s\): load_weight=(?P<load>{SECONDS}), kv_cache_allocation=(?P<kv>{SECONDS}),",
        _timings,
        "Engine startup timings (s): load_weight=0.06, kv_cache_allocation=0.48, scheduler_e2e=2.28",
        since="0.5.18",
    ),
    row("Started server process", r"Started server process", _phase("http"), "INFO:     Started server process [1]"),
    row(
        "Uvicorn running on", r"Uvicorn running on", _phase("warm-up"), "INFO:     Uvicorn running on http://0.0.0.0:1"
    ),
    row(
        "The server is fired up",
        r"The server is fired up and ready to roll!",
        _phase("ready"),
        "[2025-11-06 12:09:53] The server is fired up and ready to roll!",
    ),
    row(
        "#retracted_reqs:",
        r"(?:Decode out of memory happened|KV cache pool is full)\..*?#retracted_reqs: (?P<n>\d{1,9})",
        _retracted,
        "KV cache pool is full. Retract requests. #retracted_reqs: 3, #new_token_ratio: 0.5980 -> 0.9989",
    ),
    row(
        "graph is disabled",
        r"(?:CUDA|[Cc]uda) graph is disabled",
        _no_graphs,
        "CUDA graph is disabled because --enable-mis is set.",
    ),
    # GET /get_server_info, laid out over several lines or on one.
    row(
        '"',
        rf'"(?P<key>weight|kvcache|token_capacity|graph|cuda_graph)": (?P<value>{GIB})\b',
        _info_memory,
        '                "kvcache": 21.35,',
        since="0.4.9",
    ),
    row(
        "sglang",
        r"^(?:sglang|sglang version): (?P<version>\d[\w.+-]*)$",
        _info_version,
        "sglang: 0.5.11.dev20260512+g339e36e",  # from a report of the environment beside the log
    ),
    row('"version": "', r'"version": "(?P<version>\d[\w.+-]*)"', _info_version, '    "version": "0.5.9"'),
)
