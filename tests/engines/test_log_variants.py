# ruff: noqa: E501, W291 -- log lines stand here as they are printed
"""Wordings by version, as the engines' sources have them: logs nobody recorded here, and what must be read in them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tuner_tui.engines.inspection import inspect


def found(log: str | bytes, engine: Any = None) -> dict[str, Any]:
    data = log.encode() if isinstance(log, str) else log
    document: dict[str, Any] = json.loads(msgspec.json.encode(inspect([data], engine)))
    return document


def memory(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document["memory"].items() if value is not None}


def phases(document: dict[str, Any]) -> list[tuple[str, float | None]]:
    return [(step["phase"], step["seconds"]) for step in document["timeline"]]


def test_sglang_0_3_prints_only_the_clock_and_no_kv_line() -> None:
    log = """\
[10:00:00 TP0] Init nccl begin.
[10:00:02 TP0] Load weight begin. avail mem=78.81 GB
[10:00:09 TP0] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=63.70 GB
[10:00:09 TP0] Memory pool end. avail mem=9.40 GB
[10:00:09 TP0] Capture cuda graph begin. This can take up to several minutes.
[10:00:16 TP0] max_total_num_tokens=443000, max_prefill_tokens=16384, max_running_requests=2047, context_len=8192
[10:00:18] The server is fired up and ready to roll!
[10:00:20 TP0] Prefill batch. #new-seq: 1, #new-token: 60, #cached-token: 40, cache hit rate: 40.00%, token usage: \
0.01, #running-req: 0, #queue-req: 2
[10:00:20 TP0] Decode batch. #running-req: 3, #token: 120, token usage: 0.03, gen throughput (token/s): 88.10, \
#queue-req: 1
"""
    document = found(log)
    assert document["engine"] == "sglang"
    assert memory(document) == {
        "weights_gib": 15.11,
        "kv_cache_tokens": 443_000,
        "available_gib": 9.40,
        "total_gib": 78.81,
    }
    assert phases(document) == [("load_weights", 7.0), ("kv_cache", 0.0), ("capture_graphs", 9.0), ("ready", None)]
    assert document["running"] == {
        "requests_max": 3,
        "queued_max": 2,
        "token_usage_max": 0.03,
        "cache_hit_rate": 0.4,
        "accept_length": None,
        "retractions": 0,
    }
    assert document["gpus"] == 1


def test_sglang_tensor_parallel_with_lines_glued_to_an_open_bar() -> None:
    log = b"""\
[2025-03-08 12:29:20 TP0] Load weight begin. avail mem=79.10 GB
[2025-03-08 12:29:20 TP1] Load weight begin. avail mem=78.90 GB
[2025-03-08 12:29:20 TP0] Load weight end. type=X, dtype=torch.bfloat16, avail mem=60.00 GB, mem usage=19.10 GB.
[2025-03-08 12:29:20 TP1] Load weight end. type=X, dtype=torch.bfloat16, avail mem=59.50 GB, mem usage=19.40 GB.
[2025-03-08 12:29:20 TP1] KV Cache is allocated. #tokens: 1000, K size: 10.00 GB, V size: 11.00 GB
[2025-03-08 12:29:20 TP0] KV Cache is allocated. #tokens: 1000, K size: 10.00 GB, V size: 10.00 GB
\r  0%|          | 0/13 [00:00<?, ?it/s][2025-03-08 12:29:21 TP1] Capture cuda graph begin. This can take up to \
several minutes. avail mem=31.00 GB\r 46%|\xe2\x96\x88 | 6/13 [00:02<00:03]\r100%|\xe2\x96\x88 | 13/13 [00:05<00:00]
[2025-03-08 12:29:27 TP1] Capture cuda graph end. Time elapsed: 5.70 s. avail mem=29.50 GB. mem usage=1.50 GB.
[2025-03-08 12:29:27 TP0] Capture cuda graph end. Time elapsed: 5.60 s. avail mem=30.50 GB. mem usage=1.40 GB.
[2025-03-08 12:29:27 TP0] max_total_num_tokens=1000, chunked_prefill_size=8192, max_prefill_tokens=16384, \
max_running_requests=2049, context_len=4096
"""
    document = found(log)
    assert document["gpus"] == 2
    assert memory(document) == {
        "weights_gib": 19.40,
        "kv_cache_gib": 21.0,
        "kv_cache_tokens": 1000,
        "available_gib": 29.50,
        "total_gib": 78.90,
        "graphs_gib": 1.50,
    }
    assert ("capture_graphs", 5.7) in phases(document)


DP = """\
[2026-03-01 10:00:00 DP{dp} TP{tp} EP{tp}] Load weight end. elapsed=9.10 s, type=DeepseekV3ForCausalLM, quant=fp8, \
avail mem=50.{tp}0 GB, mem usage=85.1{tp} GB.
[2026-03-01 10:00:01 DP{dp} TP{tp} EP{tp}] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 10{dp}, KV size: \
20.00 GB
[2026-03-01 10:00:02 DP{dp} TP{tp} EP{tp}] max_total_num_tokens=10{dp}, chunked_prefill_size=8192, \
max_prefill_tokens=16384, max_running_requests=256, context_len=163840, available_gpu_mem=2{dp}.50 GB
"""


def test_sglang_data_parallel_attention_adds_tokens_over_dp_ranks() -> None:
    document = found("".join(DP.format(dp=rank, tp=rank) for rank in (0, 1, 2, 3)))
    assert document["gpus"] == 4
    assert document["memory"]["kv_cache_tokens"] == 100 + 101 + 102 + 103
    assert document["memory"]["kv_cache_gib"] == 20.0
    assert document["memory"]["weights_gib"] == 85.13
    assert document["memory"]["available_gib"] == 20.50


def test_sglang_two_tensor_parallel_ranks_in_each_of_two_copies() -> None:
    ranks = [(0, 0), (0, 1), (1, 0), (1, 1)]
    document = found("".join(DP.format(dp=dp, tp=tp) for dp, tp in ranks))
    assert document["gpus"] == 4
    assert document["memory"]["kv_cache_tokens"] == 100 + 101


def test_sglang_throughput_of_two_copies_is_the_server_s() -> None:
    line = (
        "[2026-03-01 10:00:0{second} DP{dp} TP0] Decode batch, #running-req: {n}, #token: 9, token usage: 0.5{dp}, "
        "cuda graph: True, gen throughput (token/s): {speed}.00, #queue-req: {dp}\n"
    )
    log = "".join(
        line.format(second=second, dp=dp, n=4 + dp, speed=100 * (dp + 1)) for second in range(5) for dp in (0, 1)
    )
    document = found(log)
    assert document["throughput"]["decode_tokens_per_s"]["max"] == 300.0
    assert document["throughput"]["decode_tokens_per_s"]["median"] == 300.0
    assert document["running"]["requests_max"] == 9
    assert document["running"]["queued_max"] == 1
    assert document["running"]["token_usage_max"] == 0.51


def test_sglang_speculative_decoding_keeps_the_draft_apart() -> None:
    log = """\
[2026-06-01 10:00:00] Load weight begin. avail mem=79.00 GB
[2026-06-01 10:00:05] Load weight end. elapsed=5.01 s, type=LlamaForCausalLM, avail mem=64.00 GB, mem usage=15.00 GB.
[2026-06-01 10:00:05] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 300000, K size: 20.00 GB, V size: 20.00 GB
[2026-06-01 10:00:05] Memory pool end. avail mem=22.00 GB
[2026-06-01 10:00:05] Capture target verify CUDA graph begin. backend=full, num_tokens_per_req=4, bs=[1, 2, 4, 8], \
avail mem=22.00 GB
[2026-06-01 10:00:09] Capture target verify CUDA graph end. elapsed=4.00 s, mem usage=0.80 GB, avail mem=21.20 GB.
[2026-06-01 10:00:09] Load weight begin. avail mem=21.20 GB
[2026-06-01 10:00:10] Load weight end. elapsed=0.90 s, type=LlamaForCausalLMEagle3, avail mem=19.90 GB, mem \
usage=1.30 GB.
[2026-06-01 10:00:10] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 300000, K size: 0.60 GB, V size: 0.60 GB
[2026-06-01 10:00:10] Memory pool end. avail mem=18.60 GB
[2026-06-01 10:00:10] Capture draft decode CUDA graph begin. backend=full, bs=[1, 2, 4, 8], avail mem=18.60 GB
[2026-06-01 10:00:12] Capture draft decode CUDA graph end. elapsed=1.50 s, mem usage=0.20 GB, avail mem=18.40 GB.
[2026-06-01 10:00:12] max_total_num_tokens=300000, chunked_prefill_size=8192, max_prefill_tokens=16384, \
max_running_requests=48, context_len=8192, available_gpu_mem=18.40 GB
[2026-06-01 10:01:00] Decode batch, #running-req: 1, #token: 99, token usage: 0.01, accept len: 2.50, accept rate: \
0.62, cuda graph: True, gen throughput (token/s): 210.00, #queue-req: 0
"""
    document = found(log)
    assert memory(document) == {
        "weights_gib": 15.0,
        "kv_cache_gib": 40.0,
        "kv_cache_tokens": 300_000,
        "available_gib": 18.40,
        "total_gib": 79.0,
        "graphs_gib": 0.80,
    }
    assert (document["draft"]["weights_gib"], document["draft"]["kv_cache_gib"]) == (1.3, 1.2)
    assert [phase for phase, _ in phases(document)] == [
        "load_weights",
        "kv_cache",
        "capture_graphs",
        "load_draft_model",
    ]
    assert document["running"]["accept_length"] == 2.5
    assert document["model_type"] == "LlamaForCausalLM"


def test_sglang_hybrid_models_add_their_pools() -> None:
    log = """\
[2026-01-01 10:00:00] Mamba Cache is allocated. max_mamba_cache_size: 376, conv_state size: 0.50GB, ssm_state size: \
17.50GB 
[2026-01-01 10:00:01] KV Cache is allocated. #tokens: 900000, K size: 5.00 GB, V size: 5.00 GB
"""
    assert memory(found(log)) == {"kv_cache_gib": 28.0, "kv_cache_tokens": 900_000}
    windows = """\
[2026-01-01 10:00:00] Use Sliding window memory pool. full_layer_tokens=213761, swa_layer_tokens=171008
[2026-01-01 10:00:01] KV Cache is allocated. #tokens: 171008, K size: 10.00 GB, V size: 10.00 GB
[2026-01-01 10:00:01] KV Cache is allocated. #tokens: 213761, K size: 8.00 GB, V size: 8.69 GB
[2026-01-01 10:00:01] SWAKVPool mem usage: 36.69 GB, swa size: 171008, full size: 213761
"""
    assert memory(found(windows)) == {"kv_cache_gib": 36.69, "kv_cache_tokens": 213_761}


def test_sglang_post_capture_sizing_replaces_the_upper_bound() -> None:
    log = """\
[2026-09-01 10:00:00] KV Cache VA upper bound. dtype: torch.bfloat16, #tokens: 999999, K size: 60.00 GB, V size: 60.00 GB
[2026-09-01 10:00:09] Post-capture KV sizing: KV cache allocated. dtype: torch.bfloat16, #tokens: 400000, KV size: \
50.00 GB, avail mem=4.00 GB
"""
    assert memory(found(log)) == {"kv_cache_gib": 50.0, "kv_cache_tokens": 400_000, "available_gib": 4.0}


def test_a_container_that_was_restarted_is_what_its_last_start_says() -> None:
    start = "[2026-01-01 10:00:00] server_args=ServerArgs(model_path='/m', mem_fraction_static=0.9, tp_size=1)\n"
    first = start + (
        "[2026-01-01 10:00:01 TP0] Load weight begin. avail mem=50.00 GB\n"
        "[2026-01-01 10:00:02 TP1] Load weight begin. avail mem=50.00 GB\n"
        "[2026-01-01 10:00:02 TP0] Capture cuda graph begin. avail mem=9.00 GB\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.00 GiB.\n"
    )
    second = start.replace("0.9", "0.8") + "[2026-01-01 10:01:01] Load weight begin. avail mem=78.00 GB\n"
    document = found(first + second)
    assert document["starts"] == 2
    assert document["errors"] == []
    assert document["arguments"] == {"model_path": "/m", "mem_fraction_static": 0.8, "tp_size": 1}
    assert document["memory"]["total_gib"] == 78.0
    assert document["gpus"] == 1
    assert [phase for phase, _ in phases(document)] == ["start", "load_weights"]
    assert [error["class"] for error in found(second + first)["errors"]] == ["cuda_out_of_memory"]


VLLM_V1 = """\
\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO 09-20 10:00:00 [api_server.py:1896] vLLM API server version 0.10.2
\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO 09-20 10:00:00 [utils.py:328] non-default args: {'model_tag': '/m', \
'model': '/m', 'max_model_len': 8192, 'tensor_parallel_size': 2, 'compilation_config': {"level":null}, 'seed': None}
\x1b[1;36m(EngineCore_DP0 pid=279)\x1b[0;0m INFO 09-20 10:00:05 [core.py:76] Initializing a V1 LLM engine (v0.10.2) \
with config: model='/m', dtype=torch.bfloat16, max_seq_len=8192, enforce_eager=False, kv_cache_dtype=auto, \
device_config=cuda
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m INFO 09-20 10:00:06 [gpu_model_runner.py:2338] Starting to load model /m...
\x1b[1;36m(Worker_TP1 pid=301)\x1b[0;0m INFO 09-20 10:00:06 [gpu_model_runner.py:2338] Starting to load model /m...
\x1b[1;36m(Worker_TP1 pid=301)\x1b[0;0m INFO 09-20 10:00:07 [cuda.py:362] Using Flash Attention backend on V1 engine.
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m INFO 09-20 10:00:20 [gpu_model_runner.py:2392] Model loading took 7.5099 GiB \
and 12.500000 seconds
\x1b[1;36m(Worker_TP1 pid=301)\x1b[0;0m INFO 09-20 10:00:21 [gpu_model_runner.py:2392] Model loading took 7.5199 GiB \
and 13.250000 seconds
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m INFO 09-20 10:00:51 [monitor.py:34] torch.compile takes 30.00 s in total
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m INFO 09-20 10:00:52 [gpu_worker.py:298] Available KV cache memory: 60.00 GiB
\x1b[1;36m(Worker_TP1 pid=301)\x1b[0;0m INFO 09-20 10:00:52 [gpu_worker.py:298] Available KV cache memory: 59.50 GiB
\x1b[1;36m(EngineCore_DP0 pid=279)\x1b[0;0m INFO 09-20 10:00:53 [kv_cache_utils.py:864] GPU KV cache size: 974,848 \
tokens
\x1b[1;36m(EngineCore_DP0 pid=279)\x1b[0;0m INFO 09-20 10:00:53 [kv_cache_utils.py:868] Maximum concurrency for 8,192 \
tokens per request: 119.00x
\x1b[1;36m(EngineCore_DP0 pid=279)\x1b[0;0m INFO 09-20 10:00:53 [kv_cache_utils.py:864] GPU KV cache size: 974,848 \
tokens
\x1b[1;36m(EngineCore_DP0 pid=279)\x1b[0;0m INFO 09-20 10:00:53 [kv_cache_utils.py:868] Maximum concurrency for 8,192 \
tokens per request: 119.00x
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m Capturing CUDA graphs (mixed prefill-decode, PIECEWISE): 100%|#| 67/67 [00:09]
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m INFO 09-20 10:01:10 [gpu_model_runner.py:3118] Graph capturing finished in 16 \
secs, took 0.60 GiB
\x1b[1;36m(Worker_TP1 pid=301)\x1b[0;0m INFO 09-20 10:01:10 [gpu_model_runner.py:3118] Graph capturing finished in 16 \
secs, took 0.62 GiB
\x1b[1;36m(Worker_TP0 pid=300)\x1b[0;0m INFO 09-20 10:01:10 [gpu_worker.py:391] Free memory on device \
(78.6/79.19 GiB) on startup. Desired GPU memory utilization is (0.9, 71.27 GiB). Actual usage is 7.51 GiB for weight, \
1.42 GiB for peak activation, 0.15 GiB for non-torch memory, and 0.61 GiB for CUDAGraph memory. Replace \
gpu_memory_utilization config with `--kv-cache-memory=66000000000` to fit into requested memory, or \
`--kv-cache-memory=74000000000` to fully utilize gpu memory. Current kv cache memory in use is 64424509440 bytes.
\x1b[1;36m(EngineCore_DP0 pid=279)\x1b[0;0m INFO 09-20 10:01:11 [core.py:218] init engine (profile, create kv cache, \
warmup model) took 50.00 seconds
\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO 09-20 10:01:12 [api_server.py:1971] Starting vLLM API server 0 on \
http://0.0.0.0:8000
\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO:     Application startup complete.
\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO 09-20 10:02:00 [loggers.py:123] Engine 000: Avg prompt throughput: 512.3 \
tokens/s, Avg generation throughput: 801.5 tokens/s, Running: 16 reqs, Waiting: 3 reqs, GPU KV cache usage: 12.5%, \
Prefix cache hit rate: 33.3%
\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO 09-20 10:02:10 [loggers.py:123] Engine 000: Avg prompt throughput: 0.0 \
tokens/s, Avg generation throughput: 0.0 tokens/s, Running: 0 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.0%, \
Prefix cache hit rate: 33.3%
"""


def test_vllm_0_10_with_colours_and_two_ranks() -> None:
    document = found(VLLM_V1)
    assert (document["engine"], document["version"]) == ("vllm", "0.10.2")
    assert document["arguments"]["tensor_parallel_size"] == 2
    assert document["arguments"]["seed"] is None
    assert (document["attention_backend"], document["graphs_enabled"]) == ("Flash Attention", True)
    assert document["ready"] is True
    assert document["gpus"] == 2
    assert document["max_concurrency"] == 119.0
    assert memory(document) == {
        "weights_gib": 7.5199,
        "kv_cache_gib": 60.0,
        "kv_cache_tokens": 974_848,
        "graphs_gib": 0.62,
        "activation_gib": 1.42,
        "available_gib": 78.6,
        "total_gib": 79.19,
    }
    assert phases(document) == [
        ("start", 5.0),
        ("distributed_init", 1.0),
        ("load_weights", 13.25),
        ("compile_and_profile", 30.0),
        ("kv_cache", 1.0),
        ("capture_graphs", 16.0),
        ("http", 0.0),
        ("ready", None),
    ]
    assert document["throughput"]["decode_tokens_per_s"] == {"max": 801.5, "median": 801.5}
    assert document["throughput"]["prefill_tokens_per_s"] == {"max": 512.3, "median": 512.3}
    assert document["running"] == {
        "requests_max": 16,
        "queued_max": 3,
        "token_usage_max": 0.125,
        "cache_hit_rate": 0.333,
        "accept_length": None,
        "retractions": 0,
    }
    assert document["errors"] == []


def test_vllm_newest_account_of_memory_and_one_line_kv_size() -> None:
    log = """\
(EngineCore_DP0 pid=2) INFO 11-23 13:31:30 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: model='/m'
(Worker_DP0_TP0 pid=3) INFO 11-23 13:31:38 [m.py:1] Model loading took 14.99 GiB memory and 3.000000 seconds
(Worker_DP1_TP0 pid=4) INFO 11-23 13:31:38 [m.py:1] Model loading took 15 GiB memory and 3.100000 seconds
(EngineCore_DP0 pid=2) INFO 11-23 13:32:12 [k.py:1] GPU KV cache size: 400,000 tokens, Maximum concurrency for 4,096 \
tokens per request: 97.66x
(EngineCore_DP1 pid=5) INFO 11-23 13:32:12 [k.py:1] GPU KV cache size: 390,000 tokens, Maximum concurrency for 4,096 \
tokens per request: 95.21x
(Worker_DP0_TP0 pid=3) INFO 11-23 13:32:20 [g.py:1] CUDA graph pool memory: 0.51 GiB (actual), 0.55 GiB (estimated), \
difference: 0.04 GiB (7.8%).
(Worker_DP0_TP0 pid=3) INFO 11-23 13:32:20 [g.py:1] Free memory on device (78.52/79.19 GiB) on startup. Desired GPU \
memory utilization is (0.92, 72.85 GiB). Actual usage is 15.21 GiB for consumed memory (weights + non-torch), 1.1 GiB \
for peak activation, and 0.51 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with \
`--kv-cache-memory=1` (56 GiB) to fit into requested memory, or `--kv-cache-memory=2` (61 GiB) to fully utilize gpu \
memory. Current kv cache memory in use is 55.5 GiB.
(APIServer pid=1) INFO 11-23 13:40:00 [loggers.py:335] Engine 000: Avg prompt throughput: 10.0 tokens/s, Avg generation \
throughput: 100.0 tokens/s, Running: 2 reqs, Waiting: 0 reqs, Preemptions: 2, GPU KV cache usage: 99.0%, Prefix cache \
hit rate: 10.0%, External prefix cache hit rate: 90.0%
(APIServer pid=1) INFO 11-23 13:40:00 [loggers.py:335] Engine 001: Avg prompt throughput: 20.0 tokens/s, Avg generation \
throughput: 150.0 tokens/s, Running: 3 reqs, Waiting: 4 reqs, GPU KV cache usage: 50.0%, Prefix cache hit rate: 30.0%
(APIServer pid=1) INFO 11-23 13:40:00 [metrics.py:1] SpecDecoding metrics: Mean acceptance length: 2.75, Accepted \
throughput: 70.0 tokens/s, Drafted throughput: 100.0 tokens/s, Accepted: 700 tokens, Drafted: 1000 tokens, Avg Draft \
acceptance rate: 58.3%
"""
    document = found(log)
    assert memory(document) == {
        "weights_gib": 15.0,
        "kv_cache_gib": 55.5,
        "kv_cache_tokens": 790_000,
        "graphs_gib": 0.51,
        "activation_gib": 1.1,
        "available_gib": 78.52,
        "total_gib": 79.19,
    }
    assert document["max_concurrency"] == 192.87
    assert document["gpus"] == 2
    assert document["throughput"]["decode_tokens_per_s"]["max"] == 250.0
    assert document["running"] == {
        "requests_max": 5,
        "queued_max": 4,
        "token_usage_max": 0.99,
        "cache_hit_rate": 0.2,
        "accept_length": 2.75,
        "retractions": 2,
    }


def test_requests_sent_back_are_counted_once_for_all_ranks_of_a_copy() -> None:
    full = (
        "[2025-11-06 12:09:53 {}] KV cache pool is full. Retract requests. #retracted_reqs: {}, #new_tokens_gained: 9\n"
    )
    ranks = [("DP0 TP0", 3), ("DP0 TP1", 3), ("DP1 TP2", 2), ("DP1 TP3", 2), ("DP0 TP0", 1)]
    assert found("".join(full.format(*each) for each in ranks))["running"]["retractions"] == 6


def test_v0_tells_of_every_fiftieth_request_sent_back_but_how_many_there_were() -> None:
    line = (
        "WARNING 01-01 10:01:00 scheduler.py:1057] Sequence group {} is preempted by PreemptionMode.RECOMPUTE mode because "
        "there is not enough KV cache space. total_num_cumulative_preemption={}\n"
    )
    document = found("".join(line.format(*each) for each in ((12, 1), (99, 51), (140, 101))))
    assert document["running"]["retractions"] == 101


def test_what_v0_says_of_drafts_is_turned_into_the_length_that_later_versions_give() -> None:
    log = (
        "INFO 02-18 10:00:05 metrics.py:477] Speculative metrics: Draft acceptance rate: 0.625, System efficiency: 0.550, "
        "Number of speculative tokens: 4, Number of accepted tokens: 500, Number of draft tokens: 800, "
        "Number of emitted tokens: 550.\n"
    )
    assert found(log, engine="vllm")["running"]["accept_length"] == 2.75  # 550 tokens of 200 drafts


def test_vllm_names_a_draft_model_s_architecture_and_backend_after_the_main_ones() -> None:
    log = """\
(APIServer pid=1) INFO 01-11 03:44:56 [api_server.py:1278] vLLM API server version 0.14.0rc2+cu130
(APIServer pid=1) INFO 01-11 03:44:56 [model.py:528] Resolved architecture: Qwen3ForCausalLM
(APIServer pid=1) INFO 01-11 03:44:57 [model.py:528] Resolved architecture: Eagle3LlamaForCausalLM
(EngineCore_DP0 pid=2) INFO 01-11 03:45:08 [cuda.py:351] Using FLASHINFER attention backend out of potential backends: ['FLASHINFER', 'FLASH_ATTN']
(EngineCore_DP0 pid=2) INFO 01-11 03:45:30 [gpu_model_runner.py:4012] Loading drafter model...
(EngineCore_DP0 pid=2) INFO 01-11 03:45:30 [cuda.py:351] Using FLASH_ATTN attention backend out of potential backends: ['FLASH_ATTN']
(EngineCore_DP0 pid=2) INFO 01-11 03:45:40 [gpu_model_runner.py:4033] Model loading took 16.41 GiB memory and 30.100000 seconds
"""
    document = found(log)
    assert (document["model_type"], document["attention_backend"]) == ("Qwen3ForCausalLM", "FLASHINFER")
    assert (document["version"], document["cuda_version"]) == ("0.14.0rc2+cu130", "13.0")
    assert document["memory"]["weights_gib"] == 16.41


def test_vllm_s_stages_hold_as_much_as_the_smallest_of_them() -> None:
    log = "(EngineCore_DP0 pid=9) INFO 09-25 00:15:15 [k.py:1] GPU KV cache size: {} tokens\n" * 3
    document = found(log.format("1,176,000", "1,163,200", "1,178,400"))
    assert document["memory"]["kv_cache_tokens"] == 1_163_200


def test_vllm_0_6_with_the_first_engine() -> None:
    log = """\
INFO 10-20 10:00:00 api_server.py:528] vLLM API server version 0.6.3
INFO 10-20 10:00:00 api_server.py:529] args: Namespace(host=None, port=8000, model='/m', block_size=32, \
dispatch_function=<function serve at 0x7f, (x)>, enforce_eager=False)
INFO 10-20 10:00:05 llm_engine.py:237] Initializing an LLM engine (v0.6.3) with config: model='/m', dtype=torch.float16
INFO 10-20 10:00:06 selector.py:115] Using XFormers backend.
(VllmWorkerProcess pid=99) INFO 10-20 10:00:06 selector.py:115] Using XFormers backend.
INFO 10-20 10:00:07 model_runner.py:1056] Starting to load model /m...
INFO 10-20 10:00:20 model_runner.py:1067] Loading model weights took 14.9595 GB
(VllmWorkerProcess pid=99) INFO 10-20 10:00:21 model_runner.py:1067] Loading model weights took 14.9695 GB
INFO 10-20 10:00:25 distributed_gpu_executor.py:57] # GPU blocks: 1000, # CPU blocks: 2048
INFO 10-20 10:00:25 distributed_gpu_executor.py:61] Maximum concurrency for 8192 tokens per request: 3.91x
INFO 10-20 10:00:26 model_runner.py:1395] Capturing the model for CUDA graphs. This may lead to unexpected consequences.
INFO 10-20 10:00:40 model_runner.py:1523] Graph capturing finished in 14 secs.
INFO:     Application startup complete.
INFO 10-20 10:05:00 metrics.py:345] Avg prompt throughput: 100.0 tokens/s, Avg generation throughput: 50.0 tokens/s, \
Running: 4 reqs, Swapped: 0 reqs, Pending: 2 reqs, GPU KV cache usage: 40.5%, CPU KV cache usage: 0.0%.
INFO 10-20 10:05:00 metrics.py:361] Prefix cache hit rate: GPU: 25.00%, CPU: 0.00%
"""
    document = found(log)
    assert document["version"] == "0.6.3"
    assert document["attention_backend"] == "XFormers"
    assert document["arguments"]["port"] == 8000
    assert document["gpus"] == 2
    assert memory(document) == {"weights_gib": 14.9695, "kv_cache_tokens": 32_000}
    assert document["max_concurrency"] == 3.91
    assert ("capture_graphs", 14.0) in phases(document)
    assert document["running"]["queued_max"] == 2
    assert document["running"]["token_usage_max"] == 0.405
    assert document["running"]["cache_hit_rate"] == 0.25


def test_eager_mode_has_no_graphs() -> None:
    config = "(EngineCore pid=2) INFO 11-23 13:31:30 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: "
    assert found(config + "enforce_eager=True, device_config=cuda\n")["graphs_enabled"] is False
    assert found(config + "enforce_eager=False, device_config=cuda\n")["graphs_enabled"] is True
    assert found(config + "enforce_eager=False, device_config=cpu\n")["graphs_enabled"] is False
    arguments = "[2026-01-01 10:00:00] server_args=ServerArgs(disable_cuda_graph={}, attention_backend='fa3')\n"
    assert found(arguments.format(True))["graphs_enabled"] is False
    assert found(arguments.format(False))["graphs_enabled"] is True
    assert found(arguments.format(False))["attention_backend"] == "fa3"


@pytest.mark.parametrize(
    "front",
    [
        "2025-11-06T12:09:31.123456789Z ",
        "2025-11-06 21:09:31 ",
        "sglang-1  | ",
        "2025-11-06T12:09:31.123456789Z stderr F ",
    ],
)
def test_what_others_put_in_front_of_a_line_does_not_matter(front: str) -> None:
    log = (
        "[2025-11-06 12:09:32] Load weight begin. avail mem=94.76 GB\n"
        "[2025-11-06 12:09:35] Load weight end. type=X, dtype=torch.bfloat16, avail mem=92.35 GB, mem usage=2.41 GB.\n"
        "Traceback (most recent call last):\n"
        '  File "/sglang/x.py", line 1, in f\n'
        "    raise ValueError\n"
        "ValueError: the flux is not compensated\n"
        "[2025-11-06 12:09:35] Received sigquit from a child process. It usually means the child failed.\n"
    )
    document = found("".join(front + line for line in log.splitlines(keepends=True)))
    assert memory(document) == {"weights_gib": 2.41, "available_gib": 92.35, "total_gib": 94.76}
    assert document["timeline"][0] == {
        "phase": "load_weights",
        "at": "2025-11-06T12:09:32",
        "seconds": 3.0,
        "steps": None,
    }
    [error, died] = document["errors"]
    assert (error["class"], error["line_number"]) == ("other", 6)
    assert "the flux is not compensated" in error["advice"]
    assert died["class"] == "engine_process_died"


def test_docker_s_own_log_files_are_json() -> None:
    lines = [
        "[2025-11-06 12:09:32] Load weight begin. avail mem=94.76 GB\n",
        "server_args=ServerArgs(model_path='/m')\n",
    ]
    log = "".join(
        json.dumps({"log": line, "stream": "stderr", "time": "2025-11-06T12:09:32Z"}) + "\n" for line in lines
    )
    assert found(log)["arguments"] == {"model_path": "/m"}


@pytest.mark.parametrize("key", ["MESSAGE", "textPayload", "@message", "line"])
def test_exports_of_other_collectors_are_json_too(key: str) -> None:
    line = "[2025-11-06 12:09:32 TP1] Load weight begin. avail mem=94.76 GB"
    assert found(json.dumps({"host": "gpu01", key: line}) + "\n")["memory"]["total_gib"] == 94.76
    coloured = list(f"\x1b[36m{line}\x1b[0m".encode())
    assert found(json.dumps({"_PID": "1", key: coloured}) + "\n")["memory"]["total_gib"] == 94.76


def test_a_new_wording_of_a_known_thing_is_counted() -> None:
    log = "[2027-01-01 10:00:00] KV Cache is ready: 100 tokens in 3.00 GB, avail mem=5.00 GB\n"
    document = found(log)
    assert document["unread"] == 1
    assert document["unread_samples"] == [{"line_number": 1, "line": log.strip()}]


def test_the_prompt_of_a_request_is_no_error() -> None:
    log = (
        "(APIServer pid=1) INFO 09-20 10:00:00 [logger.py:42] Received request cmpl-1: prompt: 'torch.OutOfMemoryError: "
        "CUDA out of memory. GPU KV cache size: 7 tokens', params: SamplingParams(n=1)\n"
    )
    document = found(log)
    assert document["errors"] == []
    assert memory(document) == {}


def test_a_server_that_was_told_to_stop_did_not_fail() -> None:
    log = (
        "(APIServer pid=1) INFO 11-24 02:10:10 [x.py:1] Initializing a V1 LLM engine (v0.32.0) with config: model='/m'\n"
        "INFO:     Application startup complete.\n"
        "(APIServer pid=1) INFO 11-24 02:10:11 [launcher.py:254] [shutdown] API server: shutdown triggered\n"
        "(APIServer pid=1) ERROR 11-24 02:10:11 [async_llm.py:906] vllm.v1.engine.exceptions.EngineDeadError: "
        "EngineCore encountered an issue. See stack trace (above) for the root cause.\n"
    )
    document = found(log)
    assert (document["ready"], document["errors"]) == (True, [])


@pytest.mark.parametrize(
    ("line", "tokens", "graphs"),
    [
        ("gpu_executor.py:122] # GPU blocks: 1000, # CPU blocks: 2048", 16_000, None),
        ("[executor_base.py:113] # cuda blocks: 1000, # CPU blocks: 2048", 16_000, None),
        ("[executor_base.py:113] # rocm blocks: 1000, # CPU blocks: 2048", 16_000, None),
        ("[executor_base.py:113] # cpu blocks: 1000, # CPU blocks: 0", 16_000, False),
        ("cpu_executor.py:212] # CPU blocks: 1000", 16_000, False),
    ],
)
def test_vllm_s_first_engine_counts_blocks(line: str, tokens: int, graphs: bool | None) -> None:
    document = found(f"INFO 11-23 13:31:38 {line}\n")
    assert (document["memory"]["kv_cache_tokens"], document["graphs_enabled"]) == (tokens, graphs)


@pytest.mark.parametrize(
    ("line", "backend"),
    [
        ("[cuda.py:507] Using FLASH_ATTN attention backend out of potential backends: ['FLASH_ATTN'].", "FLASH_ATTN"),
        (
            "[rocm.py:850] Using ROCM_AITER_UNIFIED_ATTN backend out of potential backends: ['x'].",
            "ROCM_AITER_UNIFIED_ATTN",
        ),
        ("[rocm.py:750] Using ROCM_ATTN backend (selected via --attention-backend).", "ROCM_ATTN"),
        ("[cuda.py:446] Using AttentionBackendEnum.FLASHINFER backend.", "FLASHINFER"),
        ("[cuda.py:207] Using FlashInfer backend on V1 engine by default for Blackwell (SM 10.0) GPUs.", "FlashInfer"),
        ("[cuda.py:250] Using FlexAttention backend for 80 on V1 engine.", "FlexAttention"),
        ("[cpu.py:163] Using AMX_MLA backend.", "AMX_MLA"),
        ("[rocm.py:231] Using Rocm Attention backend on V1 engine.", "Rocm Attention"),
        ("[cuda.py:290] Using Cutlass MLA backend on V1 engine.", "Cutlass MLA"),
        ("[selector.py:115] Using XFormers backend.", "XFormers"),
        # Of other layers, or of other models.
        ("[selector.py:131] Using FLASH_ATTN MLA prefill backend.", None),
        ("[mxfp4.py:164] Using Triton backend", None),
        ("[layer.py:10] Using TRITON Unquantized MoE LoRA backend", None),
        ("[kda.py:330] Using FlashInfer fused KDA decode backend.", None),
        ("[rocm.py:894] Using Flash Attention backend for ViT model.", None),
        ("[base.py:123] Using Transformers modeling backend.", None),
    ],
)
def test_vllm_s_attention_backend_in_all_its_wordings(line: str, backend: str | None) -> None:
    assert found(f"(Worker pid=3) INFO 11-23 13:31:38 {line}\n")["attention_backend"] == backend
