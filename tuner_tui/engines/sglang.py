"""SGLang's log (0.3 to 0.5.23): what each wording says. Figures are GiB although it prints "GB"."""

from __future__ import annotations

import re

from tuner_tui.engines.log_rows import CAPTURE, SHARDS, Row, row
from tuner_tui.engines.log_state import LogState, Rank

_PREFIX = re.compile(
    r"\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:\.\d{3})?(?P<ranks>(?: (?:DP|PP|ATTN_CP|MOE_DP|TP|EP)\d{1,6})*)\]"
)
_WORD = re.compile(r"([A-Z_]+)(\d+)")


def rank_of(text: str) -> Rank:
    """The rank words of the prefix in any order: `[2025-02-04 05:21:40 DP1 TP0]`; none means the only one."""
    found = _PREFIX.search(text)
    words = dict(_WORD.findall(found["ranks"])) if found else {}
    return Rank(int(words.get("DP", 0)), " ".join(f"{word}{words[word]}" for word in sorted(words)))


def _start(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    # One container's log may hold several starts.
    state.ranks.clear()
    state.ready = False
    state.on_cpu = bool(re.search(r"'?device'?[=:] ?'cpu'", match.string))
    state.enter("start")


def _distributed(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("distributed")


def _load_begin(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    memory.loads += 1
    memory.available_gib = float(match["avail"])
    if memory.loads == 1:
        memory.free_at_load_gib = float(match["avail"])
    state.enter("weights")


def _load_end(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    before, after = memory.free_at_load_gib, float(match["avail"])
    memory.available_gib = after
    if memory.loads <= 1:
        if match["used"] is not None:
            memory.weights_gib = float(match["used"])
        elif before is not None:  # before 0.4.3 the line does not say how much the weights took
            memory.weights_gib = round(before - after, 2)
    state.enter("kv")


def _pool(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    state.enter("kv")
    if memory.loads > 1 or "draft" in (match["label"] or "").lower():
        return
    size = float(match["kv"]) if match["kv"] else float(match["k"]) + float(match["v"])
    memory.pools_gib[f"pool {len(memory.pools_gib)}"] = size
    if match["tokens"] is not None:
        memory.kv_tokens = max(int(match["tokens"]), memory.kv_tokens or 0)


def _final_pool(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    if match["draft"]:
        return
    memory = state.rank(rank)
    memory.pools_gib = {"pool 0": float(match["kv"])}
    memory.kv_tokens = int(match["tokens"])
    if match["avail"]:
        memory.available_gib = float(match["avail"])


def _sliding_window(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    if memory.loads <= 1:
        memory.pools_gib["sliding window"] = float(match["gib"])
        memory.kv_tokens = memory.kv_tokens or int(match["full"])


def _states(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    if memory.loads <= 1:
        memory.pools_gib["state"] = float(match["conv"]) + float(match["ssm"])
    state.enter("kv")


def _available(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.rank(rank).available_gib = float(match["avail"])


def _graph_begin(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    if match["avail"] is not None:
        state.rank(rank).available_gib = float(match["avail"])
    if state.stage != "graphs":
        state.enter("graphs")


def _plain_bar(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    if state.stage == "graphs":
        state.enter("graphs", f"{match['n']}/{match['of']}")


def _limits(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    memory = state.rank(rank)
    memory.token_limit = int(match["tokens"])
    if match["avail"] is not None:
        memory.available_gib = float(match["avail"])
    if match["device"] == "cpu":
        state.on_cpu = True


def _http(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("http")


def _warm_up(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("warm-up")


def _ready(state: LogState, rank: Rank, match: re.Match[str]) -> None:
    state.enter("ready")


_GIB = r"-?\d{1,9}(?:\.\d{1,9})?"
_COUNT = r"\d{1,15}"

ROWS: tuple[Row, ...] = (
    row(
        "server_args=", r"server_args=(?:ServerArgs\(|\{)", _start, "all", "server_args=ServerArgs(model_path='/model',"
    ),
    row(
        "Init ",
        r"Init (?:torch distributed|parallel) begin\.",
        _distributed,
        "0.3.6+; 0.5.22+ says parallel",
        "[2025-11-06 12:09:31] Init torch distributed begin.",
    ),
    row(
        "Load weight begin",
        rf"Load weight begin\. avail mem=(?P<avail>{_GIB}) GB",
        _load_begin,
        "all",
        "[2025-11-06 12:09:32] Load weight begin. avail mem=94.76 GB",
    ),
    SHARDS,
    row(
        "Load weight end",
        rf"Load weight end\..*?avail mem=(?P<avail>{_GIB}) GB(?:, mem usage=(?P<used>{_GIB}) GB)?",
        _load_end,
        "all; mem usage since 0.4.3",
        "Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=92.35 GB, mem usage=2.41 GB.",
    ),
    row(
        "KV Cache is allocated",
        rf"(?:\] (?P<label>[\w -]+) )?KV Cache is allocated\.(?: dtype: [\w.]+,)?(?: #tokens: (?P<tokens>{_COUNT}),)? "
        rf"(?:K size: (?P<k>{_GIB}) GB, V size: (?P<v>{_GIB}) GB|KV size: (?P<kv>{_GIB}) GB)",
        _pool,
        "0.4.1+; #tokens since 0.4.3, dtype since 0.5.13, one KV size for MLA",
        "KV Cache is allocated. #tokens: 2094537, K size: 31.96 GB, V size: 31.96 GB",
    ),
    row(
        "Post-capture KV sizing",
        rf"Post-capture KV sizing: (?P<draft>draft )?KV cache allocated\..*?#tokens: (?P<tokens>{_COUNT}), "
        rf"KV size: (?P<kv>{_GIB}) GB(?:, avail mem=(?P<avail>{_GIB}) GB)?",
        _final_pool,
        "0.5.18+, where switched on",
        "Post-capture KV sizing: KV cache allocated. dtype: torch.bfloat16, #tokens: 100, KV size: 1.00 GB",
    ),
    row(
        "SWAKVPool",
        rf"SWAKVPool mem usage: (?P<gib>{_GIB}) GB, swa size: \d+, full size: (?P<full>{_COUNT})",
        _sliding_window,
        "0.5.3+",
        "SWAKVPool mem usage: 36.69 GB, swa size: 171008, full size: 213761",
    ),
    row(
        "Mamba Cache is allocated",
        rf"Mamba Cache is allocated\..*?conv_state size: (?P<conv>{_GIB}) ?GB, ssm_state size: (?P<ssm>{_GIB}) ?GB",
        _states,
        "0.5.2+",
        "Mamba Cache is allocated. max_mamba_cache_size: 128, conv_state size: 0.10GB, ssm_state size: 4.50GB",
    ),
    row(
        "Memory pool end",
        rf"Memory pool end\. avail mem=(?P<avail>{_GIB}) GB",
        _available,
        "all",
        "[2025-11-06 12:09:33] Memory pool end. avail mem=26.32 GB",
    ),
    row(
        "Capture ",
        rf"Capture .*?begin\.(?:.*avail mem=(?P<avail>{_GIB}) GB)?",
        _graph_begin,
        "all; avail mem since 0.4.3",
        "Capture cuda graph begin. This can take up to several minutes. avail mem=26.23 GB",
    ),
    CAPTURE,
    row(
        "%|",
        r"^\s*\d+%\|[^|]*\| (?P<n>\d+)/(?P<of>\d+) \[",
        _plain_bar,
        "up to 0.4.3, and the first state of every bar",
        " 25%|██▌       | 1/4 [00:01<00:03,  1.14s/it]",
    ),
    row(
        "Capture ",
        rf"Capture .*?end\..*?avail mem=(?P<avail>{_GIB}) GB",
        _available,
        "0.4.3+",
        "Capture cuda graph end. Time elapsed: 15.99 s. mem usage=0.60 GB. avail mem=25.62 GB.",
    ),
    row(
        "max_total_num_tokens=",
        rf"max_total_num_tokens=(?P<tokens>{_COUNT}), .*?context_len=\d+"
        rf"(?:, available_(?P<device>gpu|cpu)_mem=(?P<avail>{_GIB}) GB)?",
        _limits,
        "all; available memory since 0.4.7",
        "max_total_num_tokens=2094537, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=4096, "
        "context_len=131072, available_gpu_mem=25.62 GB",
    ),
    row("Started server process", r"Started server process", _http, "all", "INFO:     Started server process [1]"),
    row(
        "Uvicorn running on", r"Uvicorn running on", _warm_up, "all", "INFO:     Uvicorn running on http://0.0.0.0:8002"
    ),
    row(
        "The server is fired up",
        r"The server is fired up and ready to roll!",
        _ready,
        "all",
        "[2025-11-06 12:09:53] The server is fired up and ready to roll!",
    ),
)
