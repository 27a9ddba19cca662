# ruff: noqa: E501 -- log lines stand here as they are printed
"""Errors as the engines word them: class, advice, and the change that mends them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.test_log_variants import found

ERRORS: list[tuple[str, str, str, Any]] = [
    # line, class, words of the advice, fix
    ("FileNotFoundError: [Errno 2] No such file or directory: 'ninja'", "other", "because ninja is missing", None),
    ("RuntimeError: Failed to find C compiler. Please specify via CC", "other", "a C compiler is missing", None),
    (
        "vllm: error: unrecognized arguments: --no-such {'a b': -- c} --other 3",
        "unknown_flag",
        "no-such, other",
        {"remove": ["no-such", "other"]},
    ),
    (
        "vllm serve: error: unrecognized arguments: --disable-radix-cache",
        "unknown_flag",
        "here it is no-enable-prefix-caching",
        {"set": {"no-enable-prefix-caching": True}, "remove": ["disable-radix-cache"]},
    ),
    (
        "launch_server.py: error: unrecognized arguments: --enable-prefix-caching",
        "unknown_flag",
        "here there is disable-radix-cache: the opposite",
        {"remove": ["enable-prefix-caching"]},
    ),
    (
        "vllm serve: error: unrecognized arguments: --no-enable-prefix-cachin",
        "unknown_flag",
        "did you mean no-enable-prefix-caching?",
        {"set": {"no-enable-prefix-caching": True}, "remove": ["no-enable-prefix-cachin"]},
    ),
    (
        "launch_server.py: error: unrecognized arguments: --gpu-memory-utilization 0.92 --max-num-seqs 32",
        "unknown_flag",
        "SGLang's share leaves activations and graphs out, vLLM's holds them",
        {"set": {"max-running-requests": 32}, "remove": ["gpu-memory-utilization", "max-num-seqs"]},
    ),
    (
        "vllm serve: error: unrecognized arguments: --schedule-policy lpm --max-running-requests 0 --model-path m",
        "unknown_flag",
        "here it is scheduling-policy: 'lpm' is not one of fcfs, priority",
        {"remove": ["schedule-policy", "max-running-requests", "model-path"]},
    ),
    (
        "vllm serve: error: unrecognized arguments: --max-seq-len-to-capture 8192",  # today's counts requests
        "unknown_flag",
        "gone since about version 0.11.0",
        {"remove": ["max-seq-len-to-capture"]},
    ),
    (
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "cuda_out_of_memory",
        "lower",
        None,
    ),
    ("RuntimeError: HIP out of memory. Tried to allocate 2.00 GiB.", "cuda_out_of_memory", "lower", None),
    (
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: "
        "mem_fraction_static=0.5",
        "not_enough_kv_memory",
        "raise mem-fraction-static",
        None,
    ),
    (
        "RuntimeError: Loaded weights leave no GPU memory for the KV cache under --mem-fraction-static=0.3. Raise "
        "--mem-fraction-static above 0.412, or reduce other memory.",
        "not_enough_kv_memory",
        "above 0.412",
        {"set": {"mem-fraction-static": 0.42}},
    ),
    (
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing.",
        "not_enough_kv_memory",
        "gpu-memory-utilization",
        None,
    ),
    (
        "ValueError: The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in KV "
        "cache (17520). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.",
        "kv_cache_too_small",
        "at most 17520",
        {"set": {"max-model-len": 17520}},
    ),
    (
        "(EngineCore_DP0 pid=9) ERROR 09-20 10:00:00 [core.py:700] ValueError: To serve at least one request with the "
        "models's max seq len (40960), (5.00 GiB KV cache is needed, which is larger than the available KV cache memory "
        "(3.10 GiB). Based on the available memory, the estimated maximum model length is 25376. Try increasing",
        "kv_cache_too_small",
        "at most 25376",
        {"set": {"max-model-len": 25376}},
    ),
    (
        "ValueError: Free memory on device cuda:0 (20.55/79.19 GiB) on startup is less than desired GPU memory "
        "utilization (0.9, 71.27 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
        "gpu_memory_in_use",
        "20.55 of 79.19 GiB",
        {"set": {"gpu-memory-utilization": 0.25}},
    ),
    (
        "ValueError: The memory capacity is unbalanced. Some GPUs may be occupied by other processes. "
        "pre_model_load_memory=5.1, local_gpu_memory=78.8, local_gpu_memory * 0.9=70.9",
        "gpu_memory_in_use",
        "end it",
        None,
    ),
    (
        "ValueError: User-specified context_length (131072) is greater than the derived context_length (32768).",
        "context_too_long",
        "32768",
        {"set": {"context-length": 32768}},
    ),
    (
        "launch_server.py: error: unrecognized arguments: --max-num-seqs 4",
        "unknown_flag",
        "a vLLM flag, here it is max-running-requests",
        {"set": {"max-running-requests": 4}, "remove": ["max-num-seqs"]},
    ),
    (
        "vllm: error: unrecognized arguments: --gpu-memory-utilisation=0.9",
        "unknown_flag",
        "did you mean gpu-memory-utilization",
        {"set": {"gpu-memory-utilization": 0.9}, "remove": ["gpu-memory-utilisation"]},
    ),
    (
        "api_server.py: error: unrecognized arguments: --swap-space 4",
        "unknown_flag",
        "gone since about version 0.16",
        {"remove": ["swap-space"]},
    ),
    (
        "launch_server.py: error: argument --schedule-policy: invalid choice: 'fcfss' (choose from 'lpm', 'random', 'fcfs')",
        "bad_flag_value",
        "did you mean fcfs",
        {"set": {"schedule-policy": "fcfs"}},
    ),
    (
        "ValueError: Total number of attention heads (14) must be divisible by tensor parallel size (4).",
        "bad_flag_value",
        "divides 14",
        {"set": {"tensor-parallel-size": 2}},
    ),
    (
        "  Value error, max_num_batched_tokens (2048) is smaller than max_model_len (8192). This effectively limits",
        "bad_flag_value",
        "at least 8192",
        {"set": {"max-num-batched-tokens": 8192}},
    ),
    (
        "  Input should be less than or equal to 1 [type=less_than_equal, input_value=1.2, input_type=float]",
        "bad_flag_value",
        "less than or equal to 1",
        None,
    ),
    ("ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 30000)", "port_in_use", "taken", None),
    (
        "torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: "
        "29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use",
        "port_in_use",
        "taken",
        None,
    ),
    ("OSError: /model does not appear to have a file named config.json.", "model_not_found", "mounted", None),
    (
        "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name': '/models/x'.",
        "model_not_found",
        "mounted",
        None,
    ),
    (
        "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-2)",
        "model_not_found",
        "name",
        None,
    ),
    (
        "OSError: Can't load tokenizer for '/model'. If you were trying to load it from the hub, make sure you don't have",
        "model_not_found",
        "tokenizer",
        None,
    ),
    (
        "huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-2)",
        "gated_model",
        "HF_TOKEN",
        None,
    ),
    (
        "abc:17:302 [0] misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-u5uMqX to 33030528 bytes",
        "shared_memory_too_small",
        "docker.shm_size",
        {"docker": {"shm_size": "16g"}},
    ),
    (
        "RuntimeError: unable to allocate shared memory(shm) for file </torch_7>: No space left on device (28)",
        "shared_memory_too_small",
        "docker.shm_size",
        {"docker": {"shm_size": "16g"}},
    ),
    (
        "abc:17:302 [1] misc/socket.cc:484 NCCL WARN socketStartConnect: Connect to 10.0.0.1<40000> failed",
        "nccl_failure",
        "NCCL_DEBUG",
        None,
    ),
    (
        "(Worker_TP1 pid=3) WARNING 09-20 10:00:00 [x.py:1] NCCL error: unhandled cuda error",
        "nccl_failure",
        "NCCL_DEBUG",
        None,
    ),
    (
        "[rank1]:[E1106 12:09:31 ProcessGroupNCCL.cpp:607] [Rank 1] Watchdog caught collective operation timeout: "
        "WorkNCCL(SeqNum=3, OpType=ALLREDUCE, Timeout(ms)=600000) ran for 600054 milliseconds before timing out.",
        "nccl_failure",
        "NCCL_DEBUG",
        None,
    ),
    (
        'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]].',
        "no_nvidia_runtime",
        "Container Toolkit",
        None,
    ),
    (
        "docker: Error response from daemon: unknown or invalid runtime name: nvidia.",
        "no_nvidia_runtime",
        "Toolkit",
        None,
    ),
    ("RuntimeError: Failed to infer device type", "no_nvidia_runtime", "no GPU", None),
    (
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer "
        "version, or use an earlier cuda container: unknown.",
        "driver_too_old",
        "driver",
        None,
    ),
    (
        "RuntimeError: The NVIDIA driver on your system is too old (found version 11040).",
        "driver_too_old",
        "driver",
        None,
    ),
    ("Rank 0 scheduler is dead. Exit code: -9", "host_out_of_memory", "main memory", None),
    ("Out of memory: Killed process 4242 (python3) total-vm:99kB", "host_out_of_memory", "main memory", None),
    ("ModuleNotFoundError: No module named 'flashinfer'", "missing_module", "flashinfer", None),
    ("Worker proc VllmWorker-1 died unexpectedly, shutting down executor.", "engine_process_died", "died", None),
    ("[2026-01-01 10:00:00 TP0] Watchdog timeout (self.watchdog_timeout=300)", "watchdog_timeout", "hang", None),
    (
        "docker: Error response from daemon: manifest for lmsysorg/sglang:v9 not found: manifest unknown: manifest unknown.",
        "image_not_found",
        "tag",
        None,
    ),
    (
        "docker: Error response from daemon: pull access denied for nosuch/img, repository does not exist",
        "image_not_found",
        "tag",
        None,
    ),
    (
        "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla T4 GPU has "
        "compute capability 7.5. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for example: "
        "--dtype=half.",
        "bad_flag_value",
        "dtype",
        {"set": {"dtype": "half"}},
    ),
    (
        "ValueError: Model architectures ['FooForCausalLM'] are not supported for now. Supported architectures: ['A']",
        "other",
        "newer image",
        None,
    ),
    ("AssertionError: 14336 is not divisible by 3", "bad_flag_value", "divides it", None),
    ("RuntimeError: HIP error: invalid device function", "other", "not built for this GPU", None),
    ("RuntimeError: FlashAttention only supports Ampere GPUs or newer.", "bad_flag_value", "attention-backend", None),
    (
        "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown",
        "no_nvidia_runtime",
        "nvidia-smi",
        None,
    ),
    ("nvidia-container-cli: device error: 7: unknown device: unknown", "bad_flag_value", "`gpus:`", None),
    ("Unable to open /dev/kfd read-write: Permission denied", "no_nvidia_runtime", "/dev/kfd", None),
    (
        'docker: Error response from daemon: OCI runtime create failed: exec: "sglang": executable file not found in $PATH: '
        "unknown.",
        "other",
        "docker.command",
        None,
    ),
    ("exec /usr/bin/python3: exec format error", "other", "processor", None),
    ("OSError: [Errno 28] No space left on device", "other", "a disk is full", None),
    (
        "OSError: [Errno 28] No space left on device: '/psm_1a2b'",
        "shared_memory_too_small",
        "docker.shm_size",
        {"docker": {"shm_size": "16g"}},
    ),
    ("Bus error (core dumped)", "shared_memory_too_small", "docker.shm_size", None),
    (
        "ValueError: Available memory on node 0 (10.1/31.3 GiB) on startup is less than desired CPU memory utilization "
        "(0.92, 28.8 GiB).",
        "host_out_of_memory",
        "at most 0.32",
        {"set": {"gpu-memory-utilization": 0.32}},
    ),
    (
        "ValueError: Not enough host memory available. Requesting 96.00 GB but only have 54.12 GB free.",
        "host_out_of_memory",
        "hicache-size",
        None,
    ),
    (
        "ValueError: Weight output_partition_size = 384 is not divisible by weight quantization block_n = 128.",
        "bad_flag_value",
        "tp-size / tensor-parallel-size",
        None,
    ),
    (
        "ValueError: No available memory for the cache blocks. Try increasing `VLLM_CPU_KVCACHE_SPACE` when initializing.",
        "not_enough_kv_memory",
        "raise VLLM_CPU_KVCACHE_SPACE",
        None,
    ),
    ("TimeoutError: RPC call to execute_model timed out.", "watchdog_timeout", "VLLM_EXECUTE_MODEL_TIMEOUT", None),
    (
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
        "other",
        "not built for this GPU",
        None,
    ),
]


@pytest.mark.parametrize(("line", "failure_class", "words", "fix"), ERRORS, ids=[line[:50] for line, *_ in ERRORS])
def test_an_error_s_class_advice_and_fix(line: str, failure_class: str, words: str, fix: Any) -> None:
    [error] = found("something before\n" + line + "\n")["errors"]
    assert (error["class"], error["line_number"], error["line"].strip()) == (failure_class, 2, line.strip())
    assert words in error["advice"]
    assert error["fix"] == fix


STAGES = [
    ("[2026-01-01 10:00:00] Load weight begin. avail mem=79.00 GB\n", "weights do not fit"),
    (
        "[2026-01-01 10:00:00] Load weight end. type=X, avail mem=9.00 GB, mem usage=70.00 GB.\n",
        "KV cache was allocated",
    ),
    ("[2026-01-01 10:00:00] Capture cuda graph begin. avail mem=1.00 GB\n", "graphs were captured"),
    ("The server is fired up and ready to roll!\n", "under load"),
]


@pytest.mark.parametrize(("before", "words"), STAGES)
def test_the_same_out_of_memory_has_other_remedies_at_each_stage(before: str, words: str) -> None:
    [error] = found(before + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n")["errors"]
    assert words in error["advice"]


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        ("cuda_graph_max_bs=160, ", "cuda-graph-max-bs"),
        ("cuda_graph_max_bs=None, cuda_graph_max_bs_decode=160, ", "cuda-graph-max-bs-decode"),
        ("", "cuda-graph-max-bs-decode (cuda-graph-max-bs up to about SGLang 0.5.18)"),
    ],
)
def test_the_largest_graph_is_told_by_the_name_that_the_version_takes(arguments: str, flag: str) -> None:
    log = (
        f"[2026-01-01 10:00:00] server_args=ServerArgs(model_path='/model', {arguments}tp_size=1)\n"
        "[2026-01-01 10:00:09] Capture cuda graph begin. avail mem=1.00 GB\n"
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"
    )
    [error] = found(log)["errors"]
    assert error["advice"].endswith(f"lower mem-fraction-static or {flag}")
