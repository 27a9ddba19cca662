# ruff: noqa: E501, W291 -- log lines stand here as they are printed
"""Logs as people have them: collected, quoted, cut, repeated, of older versions and other GPUs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.test_log_variants import found, memory, phases
from tuner_tui.engines.prefixes import Stripped, stripped

COMPOSE = """\
vllm-1  | INFO 01-14 16:14:20 api_server.py:712] vLLM API server version 0.6.6.post1
vllm-1  | INFO 01-14 16:14:20 api_server.py:713] args: Namespace(subparser='serve', model_tag='/m', port=8000, max_model_len=4096, tensor_parallel_size=2, enforce_eager=False)
vllm-1  | INFO 01-14 16:14:27 llm_engine.py:235] Initializing an LLM engine (v0.6.6.post1) with config: model='/m', dtype=torch.bfloat16, max_seq_len=4096, enforce_eager=False, kv_cache_dtype=auto, device_config=cuda
vllm-1  | INFO 01-14 16:14:28 selector.py:120] Using Flash Attention backend.
vllm-1  | (VllmWorkerProcess pid=691) INFO 01-14 16:14:28 model_runner.py:1094] Starting to load model /m...
vllm-1  | Loading safetensors checkpoint shards: 100% Completed | 4/4 [00:02<00:00,  1.70it/s]
vllm-1  | INFO 01-14 16:14:31 model_runner.py:1099] Loading model weights took 7.5122 GB
vllm-1  | (VllmWorkerProcess pid=691) INFO 01-14 16:14:31 model_runner.py:1099] Loading model weights took 7.5122 GB
vllm-1  | (VllmWorkerProcess pid=691) INFO 01-14 16:14:35 worker.py:241] model weights take 7.51GiB; non_torch_memory takes 0.21GiB; PyTorch activation peak memory takes 0.70GiB; the rest of the memory reserved for KV Cache is 12.86GiB.
vllm-1  | INFO 01-14 16:14:35 worker.py:241] the current vLLM instance can use total_gpu_memory (23.65GiB) x gpu_memory_utilization (0.90) = 21.28GiB
vllm-1  | INFO 01-14 16:14:35 worker.py:241] model weights take 7.51GiB; non_torch_memory takes 0.25GiB; PyTorch activation peak memory takes 1.26GiB; the rest of the memory reserved for KV Cache is 12.26GiB.
vllm-1  | INFO 01-14 16:14:36 distributed_gpu_executor.py:57] # GPU blocks: 12553, # CPU blocks: 4096
vllm-1  | INFO 01-14 16:14:36 distributed_gpu_executor.py:61] Maximum concurrency for 4096 tokens per request: 49.04x
vllm-1  | (VllmWorkerProcess pid=691) INFO 01-14 16:14:58 model_runner.py:1535] Graph capturing finished in 20 secs, took 0.39 GiB
vllm-1  | INFO 01-14 16:14:58 model_runner.py:1535] Graph capturing finished in 20 secs, took 0.41 GiB
vllm-1  | INFO:     Application startup complete.
vllm-1  | INFO 01-14 16:15:09 metrics.py:467] Avg prompt throughput: 120.3 tokens/s, Avg generation throughput: 88.2 tokens/s, Running: 4 reqs, Swapped: 0 reqs, Pending: 2 reqs, GPU KV cache usage: 1.2%, CPU KV cache usage: 0.0%.
vllm-1  | INFO 01-14 16:15:09 metrics.py:483] Prefix cache hit rate: GPU: 44.20%, CPU: 0.00%
"""


@pytest.mark.parametrize(
    "dressed",
    [
        lambda line: line,
        lambda line: line.removeprefix("vllm-1  | "),
        lambda line: "2026-01-14T15:14:20.049494374Z " + line.removeprefix("vllm-1  | "),
        lambda line: "Jan 14 16:14:20 gpu01 vllm[1234]: " + line.removeprefix("vllm-1  | "),
        lambda line: "2026-01-14T16:14:20.123+01:00 stderr F " + line.removeprefix("vllm-1  | "),
        lambda line: "[pod/vllm-7d/server] " + line.removeprefix("vllm-1  | ") + "\r",
        lambda line: "\x1b[36mvllm-1  | \x1b[0m" + line.removeprefix("vllm-1  | "),
    ],
    ids=["compose", "plain", "docker", "journal", "kubernetes", "kubectl, Windows", "colours"],
)
def test_a_start_of_vllm_0_6_on_two_gpus_whoever_collected_it(dressed: Any) -> None:
    document = found("\n".join(dressed(line) for line in COMPOSE.splitlines()) + "\n")
    assert (document["engine"], document["version"], document["gpus"]) == ("vllm", "0.6.6.post1", 2)
    assert (document["ready"], document["graphs_enabled"]) == (True, True)
    assert document["attention_backend"] == "Flash Attention"
    assert memory(document) == {
        "weights_gib": 7.51,
        "kv_cache_gib": 12.86,
        "kv_cache_tokens": 12_553 * 16,
        "graphs_gib": 0.41,
        "activation_gib": 1.26,
        "total_gib": 23.65,
    }
    assert document["max_concurrency"] == 49.04
    assert document["running"]["cache_hit_rate"] == 0.442
    assert (document["running"]["requests_max"], document["running"]["queued_max"]) == (4, 2)
    assert ("capture_graphs", 20.0) in phases(document)
    assert document["arguments"]["max_model_len"] == 4096
    assert document["errors"] == []


CRASH = """\
[2025-11-06 12:09:32 TP0] Load weight begin. avail mem=94.76 GB
[2025-11-06 12:09:37 TP1] Scheduler hit an exception: Traceback (most recent call last):
  File "/sgl/scheduler.py", line 1, in run_scheduler_process
    raise KeyError(name)
KeyError: 'the flux is not compensated'

[2025-11-06 12:09:38] Received sigquit from a child process. It usually means the child failed.
"""


@pytest.mark.parametrize(
    "front",
    [
        "2026-01-14T16:14:20+0100 gpu01 sglang[1234]: ",
        "Jan 14 16:14:20.123456 gpu01 docker-compose[99]: sglang-1  | ",
        "[pod/sglang-0/server] 2026-01-14T15:14:20.049494374Z ",
        "2026-01-14T15:14:20.049494374Z stdout F ",
        "sglang-7d9f6c5b8-x2k4j server ",
        "sglang_server.1.x7k2j@gpu01    | ",
        "0|sglang   | ",
        " 3: ",
        "   123\t",  # cat -n
        "123:",  # grep -n
        "2026-01-14T16:14:20.1234567Z ",
        "2026-01-14 16:14:20.123\t",
        "2026-01-14 16:14:20 UTC | ",
        "1768407260000\t",
        "2026-01-14T16:14:20.123456+00:00 app[web.1]: ",
        "(pid=1234) ",
        "(MyActor pid=1234, ip=10.0.0.1) ",
        "[sglang] ",
        "[default0]:",
        "stdout: ",
    ],
)
def test_a_traceback_is_read_whoever_collected_it(front: str) -> None:
    document = found("".join(front + line for line in CRASH.splitlines(keepends=True)))
    assert [(error["class"], error["line_number"]) for error in document["errors"]] == [
        ("other", 5),
        ("engine_process_died", 7),
    ]
    assert "the flux is not compensated" in document["errors"][0]["advice"]
    assert (document["gpus"], document["memory"]["total_gib"]) == (2, 94.76)


CUT = """\
    step(server_args)
  File "/sgl/arg_groups/parallel_hook.py", line 326, in handle_data_parallelism
    assert cfg.tp_size % cfg.attn_dp_size == 0
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
AssertionError
"""


@pytest.mark.parametrize("front", ["", "2026-01-14T15:14:20.049494374Z ", "sglang-1  | ", "0: ", "12:", "    12\t"])
def test_an_assertion_without_a_word_is_told_by_its_code_though_the_traceback_is_cut(front: str) -> None:
    [error] = found("".join(front + line for line in CUT.splitlines(keepends=True)))["errors"]
    assert error["advice"].endswith("AssertionError: at `assert cfg.tp_size % cfg.attn_dp_size == 0`")


V0 = "INFO 03-12 15:02:37 llm_engine.py:234] Initializing a V0 LLM engine (v0.7.3) with config: model='/m', dtype=torch.float16, max_seq_len=32768, enforce_eager=True, kv_cache_dtype=fp8, device_config=cuda\n"


def test_vllm_0_7_names_its_engine_v0() -> None:
    document = found(V0)
    assert (document["version"], document["dtype"], document["kv_cache_dtype"]) == ("0.7.3", "float16", "fp8")
    assert document["graphs_enabled"] is False
    named = V0.replace("INFO 03-12", "INFO vllm.engine.llm_engine 03-12")
    assert found(named)["timeline"][0]["at"] == "03-12 15:02:37"


WRONG: list[tuple[str, list[tuple[str, int]]]] = [
    # a log, and its errors: class and line, the deciding one first
    (
        """\
Nov 24 10:00:05 gpu01 vllm[9]: (EngineCore_0 pid=99) ERROR 11-24 10:00:05 [core.py:700] EngineCore failed to start.
Nov 24 10:00:05 gpu01 vllm[9]: (EngineCore_0 pid=99) ERROR 11-24 10:00:05 [core.py:700] Traceback (most recent call last):
Nov 24 10:00:05 gpu01 vllm[9]: (EngineCore_0 pid=99) ERROR 11-24 10:00:05 [core.py:700]     raise ValueError(
Nov 24 10:00:05 gpu01 vllm[9]: (EngineCore_0 pid=99) ERROR 11-24 10:00:05 [core.py:700] ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`
Nov 24 10:00:06 gpu01 vllm[9]: (APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
""",
        [("not_enough_kv_memory", 4), ("engine_process_died", 5)],
    ),
    (
        "2026-02-24T20:21:58.12Z (Worker pid=2291010) [Stage-0] ERROR 03-12 08:22:28 [multiproc_executor.py:800] ValueError: Free memory on device cuda:0 (111.99/139.8 GiB) on startup is less than desired GPU memory utilization (0.95, 132.81 GiB).\n"
        "[2026-02-24T20:21:58Z] (EngineCore_DP0 pid=6940) RuntimeError: Engine core initialization failed. See root cause above.\n",
        [("gpu_memory_in_use", 1), ("engine_process_died", 2)],
    ),
    (
        # Ray gathers what several workers say alike; its own exception is only the messenger.
        "(RayWorkerWrapper pid=1463574, ip=192.168.10.60) INFO 03-27 10:29:01 [worker.py:267] model weights take 20.64GiB; non_torch_memory takes 0.28GiB; PyTorch activation peak memory takes 1.52GiB; the rest of the memory reserved for KV Cache is 21.20GiB. [repeated 30x across cluster]\n"
        "(RayWorkerWrapper pid=206994, ip=192.168.10.25) ERROR 03-27 10:29:13 [worker_base.py:620] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 MiB. GPU 6 has a total capacity of 44.53 GiB of which 448.00 KiB is free.\n"
        "[rank0]: ray.exceptions.RayTaskError(OutOfMemoryError): ray::RayWorkerWrapper.execute_method() (pid=206994, ip=192.168.10.25)\n",
        [("cuda_out_of_memory", 2)],
    ),
    (
        """\
[2025-07-02 07:41:59 DP0 TP0] Scheduler hit an exception: Traceback (most recent call last):
  File "/sgl-workspace/sglang/python/sglang/srt/managers/scheduler.py", line 2829, in run_scheduler_process
RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.
[2025-07-02 07:41:59] Received sigquit from a child process. It usually means the child failed.
Killed
""",
        [("not_enough_kv_memory", 3), ("engine_process_died", 4)],
    ),
    ("[2026-01-01 10:00:00 TP0] Load weight begin. avail mem=9.00 GB\nKilled\n", [("host_out_of_memory", 2)]),
    (
        "[2026-01-01 10:00:00 TP0] Load weight begin. avail mem=9.00 GB\n"
        "RuntimeError: Rank 0 scheduler died during initialization (exit code: -3). If exit code is -9 (SIGKILL), a common cause is the OS OOM killer.\n",
        [("engine_process_died", 2)],
    ),
    (
        "RuntimeError: Rank 0 scheduler died during initialization (exit code: -9). If exit code is -9 (SIGKILL), a common cause is the OS OOM killer.\n",
        [("host_out_of_memory", 1)],
    ),
    (
        """\
[2025-05-09 10:00:00 TP0] Scheduler hit an exception: Traceback (most recent call last):
  File "/x/triton/runtime/jit.py", line 330, in run
triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 196608, Hardware limit: 65536.
[2025-05-09 10:00:00] Received sigquit from a child process. It usually means the child failed.
""",
        [("other", 3), ("engine_process_died", 4)],
    ),
    (
        """\
[2025-08-02 19:24:30 TP3] Watchdog timeout (self.watchdog_timeout=300)
[2025-08-02 19:24:30 TP3] Pyspy failed to dump PID 171. Error: /bin/dash: 1: py-spy: not found
[2025-08-02 19:24:35] Received sigquit from a child process. It usually means the child failed.
""",
        [("watchdog_timeout", 1), ("engine_process_died", 3)],
    ),
    (
        """\
(APIServer pid=1) Traceback (most recent call last):
(APIServer pid=1)   File "/usr/local/bin/vllm", line 10, in <module>
(APIServer pid=1) pydantic_core._pydantic_core.ValidationError: 1 validation error for ParallelConfig
(APIServer pid=1) data_parallel_size
(APIServer pid=1)   Input should be greater than or equal to 1 [type=greater_than_equal, input_value=0, input_type=int]
""",
        [("bad_flag_value", 5)],
    ),
    (
        """\
WARNING: The NVIDIA Driver was not detected.  GPU functionality will not be available.
RuntimeError: No accelerator (CUDA, XPU, HPU, NPU) is available.
""",
        [("no_nvidia_runtime", 1)],
    ),
    (
        "(Worker_TP1 pid=302) Memory access fault by GPU node-3 (Agent handle: 0x2a1b) on address 0x7f. Reason: Unknown.\n"
        "(EngineCore_DP0 pid=9) ERROR 11-24 10:00:05 [core.py:700] Worker proc VllmWorker-1 died unexpectedly, shutting down executor.\n",
        [("engine_process_died", 1), ("engine_process_died", 2)],
    ),
    (
        "(VllmWorkerProcess pid=760) ERROR 07-24 08:26:01 multiproc_worker_utils.py:226] RuntimeError: NCCL error: unhandled cuda error (run with NCCL_DEBUG=INFO for details)\n",
        [("nccl_failure", 1)],
    ),
    (
        "AssertionError: max_loaded_loras should be greater than or equal to max_loras_per_batch\n",
        [("bad_flag_value", 1)],
    ),
    ("RuntimeError: this and that\n", [("other", 1)]),
]


@pytest.mark.parametrize(("log", "errors"), WRONG, ids=[str(errors[0][0]) for _, errors in WRONG])
def test_what_went_wrong(log: str, errors: list[tuple[str, int]]) -> None:
    for end in ("\n", "\r\n"):
        document = found(log.replace("\n", end))
        assert [(error["class"], error["line_number"]) for error in document["errors"]] == errors
    assert found(log.rstrip("\n"))["errors"] == found(log)["errors"]


EAGLE = """\
[2025-06-01 10:00:00] server_args=ServerArgs(model_path='/m', tp_size=8, dp_size=8, enable_dp_attention=True, attention_backend=None, disable_cuda_graph=False, device='cuda')
[2025-06-01 10:00:05 DP0 TP0] Attention backend not set. Use fa3 backend by default.
[2025-06-01 10:00:16 DP0 TP0] Load weight begin. avail mem=138.00 GB
[2025-06-01 10:00:16 DP1 TP1] Load weight begin. avail mem=137.90 GB
[2025-06-01 10:02:16 DP0 TP0] Load weight end. type=DeepseekV3ForCausalLM, dtype=torch.bfloat16, avail mem=57.00 GB, mem usage=81.00 GB.
[2025-06-01 10:02:17 DP0 TP0] KV Cache is allocated. #tokens: 400000, KV size: 26.20 GB
[2025-06-01 10:02:17 DP1 TP1] KV Cache is allocated. #tokens: 400000, KV size: 26.20 GB
[2025-06-01 10:02:17 DP0 TP0] Capture cuda graph begin. This can take up to several minutes. avail mem=19.50 GB
[2025-06-01 10:02:17 DP0 TP0] Capture cuda graph bs [1, 2, 4, 8, 16, 24, 32]
\rCapturing batches (avail_mem=19.10 GB):  14%|█▍        | 1/7 [00:01<00:10,  1.72s/it]\rCapturing batches (avail_mem=18.10 GB): 100%|██████████| 7/7 [00:11<00:00,  1.66s/it]
[2025-06-01 10:02:29 DP0 TP0] Capture cuda graph end. Time elapsed: 11.80 s. mem usage=1.40 GB. avail mem=18.10 GB.
[2025-06-01 10:02:30 DP0 TP0] Load weight begin. avail mem=18.10 GB
[2025-06-01 10:02:40 DP0 TP0] Load weight end. type=DeepseekV3ForCausalLMNextN, dtype=torch.bfloat16, avail mem=15.60 GB, mem usage=2.50 GB.
[2025-06-01 10:02:40 DP0 TP0] KV Cache is allocated. #tokens: 400000, KV size: 0.43 GB
[2025-06-01 10:02:44 DP0 TP0] Capture draft cuda graph end. Time elapsed: 3.20 s. avail mem=14.80 GB. mem usage=0.20 GB.
[2025-06-01 10:02:44 DP0 TP0] max_total_num_tokens=400000, chunked_prefill_size=4096, max_prefill_tokens=16384, max_running_requests=48, context_len=163840, available_gpu_mem=14.80 GB
[2025-06-01 10:02:44 DP1 TP1] max_total_num_tokens=400000, chunked_prefill_size=4096, max_prefill_tokens=16384, max_running_requests=48, context_len=163840, available_gpu_mem=14.70 GB
[2025-06-01 10:02:47] The server is fired up and ready to roll!
[2025-06-01 10:03:00 DP0 TP0] Prefill batch. #new-seq: 4, #new-token: 4096, #cached-token: 1024, token usage: 0.02, #running-req: 10, #queue-req: 3, 
[2025-06-01 10:03:01 DP0 TP0] Decode batch. #running-req: 14, #token: 3121, token usage: 0.03, accept len: 2.74, cuda graph: True, gen throughput (token/s): 396.76, #queue-req: 1, 
[2025-06-01 10:03:01 DP1 TP1] Decode batch. #running-req: 12, #token: 3121, token usage: 0.01, accept len: 2.50, cuda graph: True, gen throughput (token/s): 350.00, #queue-req: 0, 
[2025-06-01 10:03:02 DP0 TP0] KV cache pool is full. Retract requests. #retracted_reqs: 2, #new_token_ratio: 0.5980 -> 0.9989
"""


def test_sglang_with_data_parallel_attention_and_a_draft_model() -> None:
    document = found(EAGLE)
    assert (document["attention_backend"], document["gpus"]) == ("fa3", 2)
    assert memory(document) == {
        "weights_gib": 81.0,
        "kv_cache_gib": 26.2,
        "kv_cache_tokens": 800_000,
        "graphs_gib": 1.4,
        "available_gib": 14.7,
        "total_gib": 137.9,
    }
    assert (document["draft"]["weights_gib"], document["draft"]["kv_cache_gib"]) == (2.5, 0.43)
    assert document["running"] == {
        "requests_max": 26,
        "queued_max": 3,
        "token_usage_max": 0.03,
        "cache_hit_rate": 0.2,
        "accept_length": 2.62,
        "retractions": 2,
    }
    assert document["throughput"]["decode_tokens_per_s"]["max"] == 746.76


def test_a_prefill_server_of_a_disaggregated_pair_names_no_running_requests() -> None:
    log = """\
[2025-10-15 14:44:32 DP14 TP14 EP14] Prefill batch. #new-seq: 2, #new-token: 68, #cached-token: 0, token usage: 0.01, #unbootstrapped-req: 0, #queue-req: 0, #transferring-req: 1, input throughput (token/s): 1326.00, 
[2025-10-15 14:44:33 DP8 TP8 EP8] Prefill batch. #new-seq: 1, #new-token: 512, #cached-token: 0, token usage: 0.02, #unbootstrapped-req: 0, #queue-req: 3, #transferring-req: 0, input throughput (token/s): 1258.57, 
"""
    document = found(log)
    assert document["gpus"] == 2
    assert document["running"]["requests_max"] is None
    assert (document["running"]["queued_max"], document["running"]["token_usage_max"]) == (3, 0.02)
    assert document["throughput"]["prefill_tokens_per_s"]["max"] == 1326.0
    assert document["unread"] == 0


def test_vllm_compiles_a_draft_model_after_the_main_one_and_ray_s_workers_are_counted() -> None:
    log = """\
(EngineCore_DP0 pid=85) INFO 06-26 22:45:01 [core.py:94] Initializing a V1 LLM engine (v0.22.0) with config: model='m', dtype=torch.bfloat16, max_seq_len=16384, enforce_eager=False, device_config=cuda
(EngineCore_DP0 pid=85) (RayWorkerWrapper pid=95, ip=10.0.0.1) INFO 06-26 22:45:50 [monitor.py:53] torch.compile took 10.20 s in total
(EngineCore_DP0 pid=85) (RayWorkerWrapper pid=96, ip=10.0.0.2) INFO 06-26 22:45:50 [monitor.py:53] torch.compile took 10.10 s in total
(EngineCore_DP0 pid=85) INFO 06-26 22:46:38 [shm_broadcast.py:698] No available shared memory broadcast block found in 60 seconds. This typically happens when some processes are hanging
(EngineCore_DP0 pid=85) (RayWorkerWrapper pid=95, ip=10.0.0.1) INFO 06-26 22:47:13 [monitor.py:53] torch.compile took 7.46 s in total
"""
    document = found(log)
    assert document["gpus"] == 2
    assert ("compile_and_profile", 17.66) in phases(document)
    assert document["errors"] == []


@pytest.mark.parametrize(
    ("line", "message", "level"),
    [
        ("ValueError: x", "ValueError: x", ""),
        ("[rank0]:   File x", "  File x", ""),
        ("(EngineCore pid=1) ERROR 11-24 10:00:05 [core.py:700]     raise e", "    raise e", "ERROR"),
        ("vllm-1  | INFO 01-14 16:14:20 api_server.py:712] x", "x", "INFO"),
        ("[2026-01-01 10:00:00 DP0 TP1] x", "x", ""),
        ("[2026-01-01 10:00:00] INFO:     x", "x", "INFO"),
        ("2025-02-21 21:52:50,289 - WARNING - flashinfer.jit: x", "x", "WARNING"),
        ("> \u2502 ERROR 06-30 13:53:19 [core.py:515] x", "x", "ERROR"),
        ("WARNING: The NVIDIA Driver", "WARNING: The NVIDIA Driver", ""),
        ("", "", ""),
        ("12:30:45 ValueError: x", "12:30:45 ValueError: x", ""),  # a clock, no line number
        ('7:  File "a.py", line 1, in f', '  File "a.py", line 1, in f', ""),  # grep -n
        ('7:   File "a.py", line 1, in f', '  File "a.py", line 1, in f', ""),  # srun --label
        ("7:    raise x", "    raise x", ""),
        ("7:     raise x", "    raise x", ""),
        ("     7\t    raise x", "    raise x", ""),  # cat -n
    ],
)
def test_what_stands_before_a_line_s_own_words(line: str, message: str, level: str) -> None:
    assert stripped(line) == Stripped(message, level)
