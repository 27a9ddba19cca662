"""Wordings of errors in engine logs → class and advice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from tuner_tui.engines.flag_advice import ambiguous_flag, bad_value, unknown_flag
from tuner_tui.engines.log_state import LogState
from tuner_tui.engines.memory_advice import (
    context_too_long,
    kv_too_small,
    memory_in_use,
    out_of_memory,
    raise_fraction,
)

Advice = Callable[["re.Match[str]", LogState, str], str]
"""(match, state when the line came, log language) → one sentence."""

CLEAR, VAGUE = 3, 2
"""How much a wording explains. A clear one beats an earlier vague one (NCCL fails *because* /dev/shm is full);
among equals the first decides."""


class ErrorPattern(NamedTuple):
    """`pattern` is searched in lines that contain one of `needles`. `certain`: no engine that has not been
    ready recovers after it, given that the line is the end of a traceback or argparse's last word."""

    failure_class: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    advice: Advice | str
    example: str
    weight: int = CLEAR
    certain: bool = False


def _error(
    failure_class: str,
    needles: tuple[str, ...],
    pattern: str,
    advice: Advice | str,
    example: str,
    *,
    weight: int = CLEAR,
    certain: bool = False,
) -> ErrorPattern:
    return ErrorPattern(failure_class, needles, re.compile(pattern), advice, example, weight, certain)


def _module(match: re.Match[str], state: LogState, language: str) -> str:
    return f"the Python package {match['module']!r} is missing; take an image that has it"


PATTERNS: tuple[ErrorPattern, ...] = (
    # Flags: argparse's last line, exit code 2.
    _error(
        "unknown_flag",
        ("unrecognized arguments",),
        r"^\S.*: error: unrecognized arguments: (?P<flags>.+)",
        unknown_flag,
        "vllm: error: unrecognized arguments: --no-such-flag 3",
        certain=True,
    ),
    _error(
        "unknown_flag",
        ("ambiguous option",),
        r"^\S.*: error: ambiguous option: (?P<flag>\S+) could match (?P<which>.+)",
        ambiguous_flag,
        "sglang serve: error: ambiguous option: --cuda-graph-max-bs could match --cuda-graph-max-bs-decode, --x",
        certain=True,
    ),
    _error(
        "bad_flag_value",
        (": error: ",),
        r"^\S.*: error: argument (?P<flag>[^:]+): (?P<why>.+)",
        bad_value,
        "vllm serve: error: argument --max-num-seqs: invalid int value: 'abc'",
        certain=True,
    ),
    _error(
        "bad_flag_value",
        (": error: the following arguments",),
        r"^\S.*: error: the following arguments are required: (?P<flags>.+)",
        "the engine misses an argument: {flags}",
        "launch_server.py: error: the following arguments are required: --model-path",
        certain=True,
    ),
    # Memory.
    _error(
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
    _error(
        "not_enough_kv_memory",
        ("No available memory for the cache blocks",),
        r"Error: No available memory for the cache blocks",
        "no memory is left for the KV cache: raise gpu-memory-utilization, lower max-num-batched-tokens, or take "
        "more GPUs (tensor-parallel-size)",
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
        certain=True,
    ),
    _error(
        "not_enough_kv_memory",
        ("Not enough memory. Please try to increase", "Loaded weights leave no GPU memory"),
        r"Error: (?:Not enough memory\. Please try to increase|Loaded weights leave no GPU memory)",
        raise_fraction,
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        certain=True,
    ),
    _error(
        "not_enough_kv_memory",
        ("state cache",),
        r"Error: .*(?:Not enough GPU memory for hybrid|too small to serve any requests)",
        "no memory is left for the state cache of this hybrid model: lower max-running-requests or raise "
        "mem-fraction-static",
        "RuntimeError: Not enough GPU memory for hybrid (mamba/linear-attention) state cache",
    ),
    _error(
        "not_enough_kv_memory",
        ("out of memory. Try to lower your batch size", "alloc_req_slots runs out of memory"),
        r"(?:Prefill|Decode) out of memory\. Try to lower your batch size|alloc_req_slots runs out of memory",
        "the KV cache ran full under load: lower max-running-requests or raise schedule-conservativeness",
        "RuntimeError: Decode out of memory. Try to lower your batch size.",
    ),
    _error(
        "gpu_memory_in_use",
        ("Free memory on device",),
        r"Error: Free memory on device (?:\S+ )?\((?P<free>\d{1,9}(?:\.\d+)?)/(?P<total>\d{1,9}(?:\.\d+)?) GiB\) "
        r"on startup is less than",
        memory_in_use,
        "ValueError: Free memory on device cuda:0 (10.1/79.2 GiB) on startup is less than desired GPU memory "
        "utilization (0.9, 71.3 GiB).",
        certain=True,
    ),
    _error(
        "gpu_memory_in_use",
        ("memory capacity is unbalanced",),
        r"The memory capacity is unbalanced",
        "another process holds memory on one of the GPUs: end it, or choose other GPUs (`gpus:`)",
        "ValueError: The memory capacity is unbalanced. Some GPUs may be occupied by other processes.",
    ),
    _error(
        "cuda_out_of_memory",
        ("out of memory",),
        r"OutOfMemoryError|CUDA out of memory|HIP out of memory|CUDA error: out of memory",
        out_of_memory,
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 116.00 MiB.",
    ),
    _error(
        "host_out_of_memory",
        ("Cannot allocate memory", "std::bad_alloc", "exit code: -9", "Exit code: -9", "MemoryError"),
        r"Errno 12\] Cannot allocate memory|std::bad_alloc|[Ee]xit code: -9\b|^MemoryError\b",
        "the machine's main memory (or the container's limit) ran out while loading: raise docker.memory, or take "
        "fewer ranks",
        "RuntimeError: Rank 0 scheduler died during initialization (exit code: -9).",
    ),
    _error(
        "shared_memory_too_small",
        ("/dev/shm", "No space left on device (28)", "Bus error"),
        r"creating shared memory segment|/dev/shm.*No space left|No space left on device \(28\)|Bus error",
        "the container's /dev/shm is too small for the GPUs to talk: set docker.shm_size: 16g, or docker.ipc: host",
        "Error while creating shared memory segment /dev/shm/nccl-cjY8K5 (size 10617216), error: No space left on "
        "device (28)",
    ),
    # The model.
    _error(
        "context_too_long",
        ("is greater than the derived",),
        r"[Ee]rror(?::|,) (?:Warning: )?User-specified (?:max_model_len|context_length) \((?P<asked>\d{1,15})\) "
        r"is greater than the derived (?:max_model_len|context_length) \((?P<limit>[^)]*)\)",
        context_too_long,
        "Value error, User-specified max_model_len (1048576) is greater than the derived max_model_len "
        "(max_position_embeddings=262144 or model_max_length=None in model's config.json).",
        certain=True,
    ),
    _error(
        "gated_model",
        ("gated", "not in the authorized list"),
        r"GatedRepoError|access a gated repo|Cannot access gated repo|is restricted and you are not in the authorized",
        "the model is gated: ask for access on its page and export HF_TOKEN",
        "OSError: You are trying to access a gated repo.",
    ),
    _error(
        "model_not_found",
        (
            "RepositoryNotFoundError",
            "valid model identifier",
            "LocalEntryNotFoundError",
            "We couldn't connect to",
            "Repo id must be",
            "Can't load tokenizer",
            "does not appear to have a file named",
            "Can't load the configuration of",
        ),
        r"RepositoryNotFoundError|is not a local folder and is not a valid model identifier|LocalEntryNotFoundError|"
        r"We couldn't connect to 'http|Repo id must be|Can't load tokenizer|does not appear to have a file named|"
        r"Can't load the configuration of",
        "the model was not found: check its name or folder, that the folder is mounted, and the network "
        "(HF_HUB_OFFLINE, HF_ENDPOINT)",
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files",
    ),
    _error(
        "other",
        ("are not supported for now", "is not supported"),
        r"Error: .*Model architectures? .*(?:are|is) not supported",
        "this version of the engine does not know the model's architecture; take a newer image",
        "ValueError: Model architectures ['FooForCausalLM'] are not supported for now.",
    ),
    _error(
        "bad_flag_value",
        ("must be divisible by tensor parallel size",),
        r"attention heads \((?P<heads>\d+)\) must be divisible by tensor parallel size \((?P<tp>\d+)\)",
        "the model's {heads} attention heads cannot be split over {tp} GPUs: choose a tensor-parallel-size that "
        "divides {heads}",
        "ValueError: Total number of attention heads (14) must be divisible by tensor parallel size (4).",
        certain=True,
    ),
    _error(
        "bad_flag_value",
        ("max_num_batched_tokens (",),
        r"[Ee]rror(?::|,) (?P<why>max_num_batched_tokens \(\d+\) (?:is smaller than|must be greater than)[^.]*)",
        "{why}; raise max-num-batched-tokens",
        "Value error, max_num_batched_tokens (8) must be greater than or equal to max_num_seqs (16).",
    ),
    # The GPUs.
    _error(
        "bad_flag_value",
        ("invalid device ordinal", "is larger than the number of available GPUs"),
        r"invalid device ordinal|World size \(\d+\) is larger than the number of available GPUs",
        "the configuration asks for more GPUs than the server can see: lower its parallel sizes, or extend `gpus:`",
        "RuntimeError: CUDA error: invalid device ordinal",
    ),
    _error(
        "driver_too_old",
        (
            "unsatisfied condition: cuda",
            "driver version is insufficient",
            "driver on your system is too old",
            "rror 803",
        ),
        r"unsatisfied condition: cuda>=|driver version is insufficient|driver on your system is too old|Error 803",
        "the NVIDIA driver is too old for this image: update the driver, or take an image for an older CUDA",
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=13.0",
    ),
    _error(
        "no_nvidia_runtime",
        (
            "could not select device driver",
            "Failed to infer device type",
            "Found no NVIDIA driver",
            "no CUDA-capable device",
            "libcuda.so.1",
            "No CUDA GPUs are available",
        ),
        r"could not select device driver|Failed to infer device type|Found no NVIDIA driver|no CUDA-capable device|"
        r"libcuda\.so\.1: cannot open|No CUDA GPUs are available",
        "no GPU can be used in the container: install the NVIDIA Container Toolkit, run `nvidia-ctk runtime configure "
        "--runtime=docker` and restart Docker",
        'could not select device driver "" with capabilities: [[gpu]]',
    ),
    _error(
        "other",
        ("no kernel image is available",),
        r"no kernel image is available for execution on the device",
        "the image was not built for this GPU; take another one",
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
    _error(
        "other",
        ("illegal memory access",),
        r"an illegal memory access was encountered",
        "a GPU kernel failed, often for lack of memory: lower the memory fraction, then try another attention-backend",
        "RuntimeError: CUDA error: an illegal memory access was encountered",
    ),
    _error(
        "nccl_failure",
        ("NCCL", "nccl"),
        r"NCCL error|ncclUnhandledCudaError|ncclSystemError|ncclInternalError|ncclRemoteError",
        "the GPUs could not talk to each other: set NCCL_DEBUG=INFO in `env:` and read the first WARN; "
        "disable-custom-all-reduce or NCCL_P2P_DISABLE=1 may help",
        "RuntimeError: NCCL error: remote process exited or there was a network error",
        weight=VAGUE,
    ),
    # The rest.
    _error(
        "port_in_use",
        ("Errno 98", "address already in use", "Address already in use", "port is already allocated"),
        r"Errno 98\]|[Aa]ddress already in use|port is already allocated",
        "the port is taken by another server: start again, or end that one",
        "OSError: [Errno 98] Address already in use",
    ),
    _error(
        "image_not_found",
        ("/images/create", "manifest for", "pull access denied"),
        r"/images/create|manifest for \S+ not found|pull access denied",
        "the image is not here and could not be pulled: check its name and tag, and the network",
        "manifest for nosuch/image:1 not found: manifest unknown",
    ),
    _error(
        "watchdog_timeout",
        ("atchdog timeout",),
        r"[Ww]atchdog timeout",
        "one step took longer than watchdog-timeout: the GPUs hang, or a kernel was compiled (then raise it)",
        "Watchdog timeout (self.watchdog_timeout=300)",
    ),
    _error(
        "missing_module",
        ("ModuleNotFoundError",),
        r"^ModuleNotFoundError: No module named '(?P<module>[^']+)'",
        _module,
        "ModuleNotFoundError: No module named 'vllm'",
    ),
    _error(
        "bad_flag_value",
        ("Value error, ",),
        r"^\s*Value error, (?P<why>.+?)(?: \[type=|$)",
        "the engine refuses its arguments: {why}",
        "  Value error, Unknown quantization method: foo. [type=value_error, input_value=ArgsKwargs(())]",
        weight=VAGUE,
    ),
)
