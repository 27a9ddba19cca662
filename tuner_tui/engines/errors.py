"""The classes of failure."""

from __future__ import annotations

CLASSES: dict[str, str] = {
    # Read from an engine's log.
    "cuda_out_of_memory": "the GPU ran out of memory",
    "not_enough_kv_memory": "no memory is left for the KV cache",
    "kv_cache_too_small": "the KV cache cannot hold one request of the full context",
    "context_too_long": "the context is longer than the model allows",
    "gpu_memory_in_use": "something else holds the GPU's memory",
    "unknown_flag": "the engine does not know a flag",
    "bad_flag_value": "the engine refuses a flag's value",
    "port_in_use": "the port is taken",
    "model_not_found": "the model or its tokenizer was not found",
    "gated_model": "the model is gated and access was refused",
    "shared_memory_too_small": "the container's shared memory is too small",
    "nccl_failure": "the GPUs could not talk to each other",
    "no_nvidia_runtime": "no GPU can be used in the container",
    "driver_too_old": "the NVIDIA driver is too old for the image",
    "host_out_of_memory": "the machine's main memory ran out",
    "missing_module": "a Python package is missing in the image",
    "engine_process_died": "a process of the engine died",
    "watchdog_timeout": "the engine's own watchdog ended it",
    "image_not_found": "the image is neither here nor can it be pulled",
    "other": "the engine failed",
    # Found by the one who starts, watches and measures.
    "start_failed": "the server could not be started",
    "command_not_found": "the command is not in the image or on this machine",
    "mount_not_found": "a folder to mount is not there",
    "start_timeout": "the server was not ready in time",
    "container_exited": "the server ended by itself",
    "load_failed": "the load could not be run",
    "stopped": "it was stopped on request",
}
"""Class → what it means, in words that can follow "failed: "."""
