"""Memory that does not suffice, on the GPU or the host."""

from __future__ import annotations

from tuner_tui.engines.error_pattern import VAGUE, ErrorPattern, error
from tuner_tui.engines.facts import Fix
from tuner_tui.engines.memory_advice import (
    host_memory,
    kv_too_small,
    memory_in_use,
    no_blocks,
    out_of_memory,
    raise_fraction,
    too_many_states,
)

MEMORY_ERRORS: tuple[ErrorPattern, ...] = (
    error(
        "kv_cache_too_small",
        ("max seq len (",),
        r"Error: .*max seq len \((?P<asked>\d{1,15})\).*larger than the "
        r"(?:available KV cache memory|maximum number of tokens that can be stored in KV cache \((?P<held>\d{1,15})\))",
        kv_too_small,
        "ValueError: To serve at least one request with the model's max seq len (4096), (0.01 GiB KV cache is needed, "
        "which is larger than the available KV cache memory (0.0 GiB). Based on the available memory, the estimated "
        "maximum model length is 1152.",
        certain=True,
    ),
    error(
        "not_enough_kv_memory",
        ("No available memory for the cache blocks", "Cannot auto-fit max_model_len"),
        r"Error: (?:No available memory for the cache blocks|Cannot auto-fit max_model_len: not enough)",
        no_blocks,
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
        certain=True,
    ),
    error(
        "not_enough_kv_memory",
        ("Not enough memory. Please try to increase", "Loaded weights leave no GPU memory"),
        r"Error: (?:Not enough memory\. Please try to increase|Loaded weights leave no GPU memory)",
        raise_fraction,
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        certain=True,
    ),
    error(
        "not_enough_kv_memory",
        ("state cache",),
        r"Error: .*(?:Not enough GPU memory for hybrid|too small to serve any requests)",
        "no memory is left for the state cache of this hybrid model: lower max-running-requests or raise "
        "mem-fraction-static",
        "RuntimeError: Not enough GPU memory for hybrid (mamba/linear-attention) state cache",
    ),
    error(
        "not_enough_kv_memory",
        ("available Mamba cache blocks",),
        r"max_num_seqs \(\d{1,9}\) exceeds available Mamba cache blocks \((?P<blocks>\d{1,9})\)",
        too_many_states,
        "ValueError: max_num_seqs (1024) exceeds available Mamba cache blocks (412).",
        certain=True,
    ),
    error(
        "not_enough_kv_memory",
        ("out of memory. Try to lower your batch size", "alloc_req_slots runs out of memory"),
        r"(?:Prefill|Decode) out of memory\. Try to lower your batch size|alloc_req_slots runs out of memory",
        "the KV cache ran full under load: lower max-running-requests or raise schedule-conservativeness",
        "RuntimeError: Decode out of memory. Try to lower your batch size.",
    ),
    error(
        "gpu_memory_in_use",
        ("Free memory on device",),
        r"Error: Free memory on device (?:\S+ )?\((?P<free>\d{1,9}(?:\.\d+)?)/(?P<total>\d{1,9}(?:\.\d+)?) GiB\) "
        r"on startup is less than",
        memory_in_use,
        "ValueError: Free memory on device cuda:0 (10.1/79.2 GiB) on startup is less than desired GPU memory "
        "utilization (0.9, 71.3 GiB).",
        certain=True,
    ),
    error(
        "gpu_memory_in_use",
        ("memory capacity is unbalanced",),
        r"Error: The memory capacity is unbalanced",
        "another process holds memory on one of the GPUs: end it, or choose other GPUs (`gpus:`)",
        "ValueError: The memory capacity is unbalanced. Some GPUs may be occupied by other processes.",
    ),
    error(
        "cuda_out_of_memory",
        (
            "out of memory",
            "OUT_OF_DEVICE_MEMORY",
            "OutOfMemoryError",
            "ALLOC_FAILED",
            "OutOfMemory",
            "cudaErrorMemoryAllocation",
        ),
        r"(?<!ray\.exceptions\.)OutOfMemoryError(?!\))|(?:CUDA|HIP|XPU|NPU|MUSA) out of memory|"
        r"(?:CUDA|HIP|cuda|hip)(?: driver)? error: (?:\d+ )?out of memory|"
        r"(?:Cuda|HIP) failure:?(?: \d+)? 'out of memory'|"
        r"C(?:UBLAS|USOLVER|UDNN)_STATUS_ALLOC_FAILED|UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY|hipErrorOutOfMemory|cudaErrorMemoryAllocation",
        out_of_memory,
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 116.00 MiB.",
    ),
    error(
        "gpu_memory_in_use",
        ("Error in memory profiling",),
        r"Error in memory profiling\. Initial free memory",
        "the GPU's free memory changed while the engine measured it: another process uses the GPU; end it",
        "AssertionError: Error in memory profiling. Initial free memory 20.1 GiB, current free memory 21.3 GiB.",
    ),
    error(
        "host_out_of_memory",
        ("Available memory on node",),
        r"Error: Available memory on node \S+ \((?P<free>\d{1,9}(?:\.\d+)?)/(?P<total>\d{1,9}(?:\.\d+)?) GiB\).*"
        r" is less than",
        host_memory,
        "ValueError: Available memory on node 0 (10.1/31.3 GiB) on startup is less than desired CPU memory utilization "
        "(0.92, 28.8 GiB).",
    ),
    error(
        "host_out_of_memory",
        (
            *("annot allocate memory", "std::bad_alloc", "xit code: -9", "xit code -9", "MemoryError", "OOMKilled"),
            *(
                "an't allocate memory",
                "Out of memory: Killed",
                "SIGKILL",
                "oom-kill",
                "xitcode: -9",
                "xitcode=-9",
            ),
            "running low on memory",
        ),
        r"Errno 12\] Cannot allocate memory|Cannot allocate memory \(12\)|running low on memory|"
        r"std::bad_alloc|[Ee]xit ?code(?:: |=| )-9\b|^MemoryError\b|"
        r"OOMKilled\W{1,4}[Tt]rue|an't allocate memory|Out of memory: Killed process|oom-kill|"
        r"(?<!The process is )(?:died|killed|terminated)[^(]{0,40}SIGKILL|Signal 9 \(SIGKILL\)|was sent SIGKILL",
        "the machine's main memory (or the container's limit) ran out: raise docker.memory, or take fewer ranks",
        "RuntimeError: Rank 0 scheduler died during initialization (exit code: -9).",
    ),
    error(
        "host_out_of_memory",
        ("ot enough host memory",),
        r"[Nn]ot enough host memory",
        "the machine's main memory does not hold the hierarchical cache: lower hicache-ratio or hicache-size",
        "ValueError: Not enough host memory available. Requesting 96.00 GB but only have 54.12 GB free.",
    ),
    error(
        "host_out_of_memory",
        ("Killed",),
        r"^(?:\S+: line \d+: +\d+ )?Killed\b",
        "something killed the server, most likely the kernel because the main memory ran out: raise docker.memory, or "
        "look with `dmesg`",
        "Killed",
        weight=VAGUE,
        alone=True,  # a shell says it too where the engine ends its own processes
    ),
    error(
        "shared_memory_too_small",
        ("/dev/shm", "No space left on device", "shared memory (shm)", "shared memory segment"),
        r"creating shared memory segment|/dev/shm.*No space left|No space left on device: '/(?:dev/shm|psm_)|"
        r"No space left on device \(28\)|extend /dev/shm/|insufficient shared memory \(shm\)",
        "the container's /dev/shm is too small for the GPUs to talk: set docker.shm_size: 16g, or docker.ipc: host",
        "Error while creating shared memory segment /dev/shm/nccl-cjY8K5 (size 10617216), error: No space left on "
        "device (28)",
        fix=Fix(docker={"shm_size": "16g"}),
        even_quiet=True,
    ),
    error(
        "shared_memory_too_small",
        ("Bus error", "SIGBUS"),
        r"Bus error|SIGBUS",
        "a process touched memory that is not there, most often because the container's /dev/shm is too small: set "
        "docker.shm_size: 16g, or docker.ipc: host",
        "Bus error (core dumped)",
        even_quiet=True,
    ),
    error(
        "other",
        ("No space left on device", "Not enough free disk space"),
        r"Error: .*No space left on device|Not enough free disk space to download",
        "a disk is full: make room where models and compiled kernels are kept (the cache that is mounted), or in the "
        "container",
        "OSError: [Errno 28] No space left on device",
    ),
)
