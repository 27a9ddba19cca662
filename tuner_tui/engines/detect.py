"""Whose log is this?"""

from __future__ import annotations

import re
from typing import Literal

from tuner_tui.engines.log_lines import unwrapped

_MARKS: tuple[tuple[Literal["sglang", "vllm"], int, re.Pattern[bytes]], ...] = (
    # (engine, weight, words): what only one of them prints weighs most, a name that others mention least.
    ("sglang", 20, re.compile(rb"server_args=|Load weight (?:begin|end)|The server is fired up|max_total_num_tokens=")),
    ("sglang", 20, re.compile(rb"(?:Prefill|Decode) batch(?: \[\d+\])?[.,] #|KV Cache is allocated|Memory pool end\.")),
    ("sglang", 20, re.compile(rb"SWAKVPool |mem-fraction-static|Capture (?:cuda|draft|target|piecewise)\b.* graph")),
    # Who refuses an argument is sure, whatever a library of the other one's has said before.
    ("sglang", 40, re.compile(rb"sglang(?: serve)?: error: |launch_server\.py: error: ")),
    ("sglang", 20, re.compile(rb"Received sigquit from|(?:Scheduler|Controller) hit an exc|Launch DP\d+ start")),
    ("sglang", 10, re.compile(rb"Scheduler or DataParallelController|\"token_capacity\": |\"last_gen_throughput\": ")),
    ("sglang", 8, re.compile(rb"sampling params from model generation config|GET /get_model_info")),
    ("sglang", 8, re.compile(rb"\[20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?(?: [A-Z_]+\d+)+\] ")),
    ("sglang", 5, re.compile(rb"/sglang/|sglang\.srt|\bsgl_kernel\b")),
    ("sglang", 2, re.compile(rb"\[20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?\] ")),
    ("sglang", 1, re.compile(rb"(?i)sglang")),
    (
        "vllm",
        20,
        re.compile(
            rb"[(\[](?:APIServer|EngineCore\w*|ApiServer_\d+|(?:Vllm|Ray)?Worker\w*)(?: rank=\d+| [A-Z]+\d\w*)? pid="
        ),
    ),
    (
        "vllm",
        20,
        # Its greeting is in SGLang's log, too, where SGLang takes kernels from it.
        re.compile(
            rb"(?:INFO|WARNING|ERROR) (?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d \[?[\w./-]+:\d+\]"
            rb"(?! Automatically detected platform)|EngineCore (?:hit|encountered|failed)"
        ),
    ),
    ("vllm", 1, re.compile(rb"Automatically detected platform")),
    (
        "vllm",
        20,
        re.compile(
            rb"LLM engine \(v\d|vLLM API server|Avg prompt throughput: |vllm(?: serve)?: error: |api_server\.py: error"
        ),
    ),
    ("vllm", 20, re.compile(rb"max_model_len|gpu_memory_utilization|VLLM_[A-Z]{3}|Available KV cache memory")),
    ("vllm", 10, re.compile(rb"api_server\.py: error")),
    ("vllm", 5, re.compile(rb"/vllm/|vllm\.(?:v1|engine|entrypoints|worker)")),
    ("vllm", 1, re.compile(rb"(?i)vllm")),
)


def engine_of(log: bytes) -> Literal["sglang", "vllm"] | None:
    """The engine whose log `log` is (or begins); None where nothing tells."""
    if log.startswith(b'{"'):
        log = b"".join(inner for line in log.splitlines(keepends=True) for inner in unwrapped(line))
    points = {"sglang": 0, "vllm": 0}
    for engine, weight, pattern in _MARKS:
        if pattern.search(log):
            points[engine] += weight
    if points["sglang"] == points["vllm"]:
        return None
    return "sglang" if points["sglang"] > points["vllm"] else "vllm"
