"""Task files for real engines on the tiny random model, as `tests/engines/setup` installs them. No GPU needed.

The engine gets core 0 and the generator core 1: without that a client slows an engine on the CPU many times over. Its
weights are bfloat16, which a CPU without AVX-512 works through four to seven times slower than float32.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.conftest import ENGINES

_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
_ENGINE: dict[str, dict[str, Any]] = {
    "vllm": {
        "command": [str(ENGINES / "vllm/bin/vllm"), "serve"],
        "env": {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"},
        "parameters": {"dtype": "float32", "enforce-eager": True, "max-model-len": 2048},
    },
    "sglang": {
        "command": [str(ENGINES / "sglang/bin/python"), "-m", "sglang.launch_server"],
        "env": {"SGLANG_USE_CPU_ENGINE": "1", "PYTHONPATH": str(ENGINES / "sglang-shim")},
        "parameters": {
            "device": "cpu",
            "dtype": "float32",
            "attention-backend": "torch_native",
            "cuda-graph-backend-decode": "disabled",
            "cuda-graph-backend-prefill": "disabled",
            "max-total-tokens": 65536,
        },
    },
}


def real_task(
    folder: Path,
    engine: Literal["vllm", "sglang"],
    backend: Literal["docker", "process"],
    parameters: dict[str, Any],
    *,
    unchecked: dict[str, Any] | None = None,
    concurrency: int = 8,
    max_requests: int = 48,
    traffic: str = "D(100,100)",
    benchmark: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """A task of `engine` on the tiny model; `parameters` join (and override) what it needs on a CPU.

    `benchmark` stands in place of the section that the arguments before it make; `more` are further keys of the file.
    """
    known = _ENGINE[engine]
    where: dict[str, Any] = {"command": known["command"]}
    if backend == "docker":
        python = subprocess.run(
            [ENGINES / engine / "bin/python", "-c", "import sys; print(sys.base_prefix)"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        # The image holds no engine: this machine's Python and the engine's environment are seen at their own paths.
        where |= {"mounts": [f"{python}:{python}:ro", f"{ENGINES}:{ENGINES}:ro"], "cpuset": "0", "shm_size": "1g"}
    else:
        where |= {"cpus": "0"}
    env = _ENVIRONMENT | known["env"]
    if "kv-cache-memory-bytes" in parameters:
        env.pop("VLLM_CPU_KVCACHE_SPACE")  # vLLM takes the flag only where this is not set
    document = {
        "name": f"{engine}-{backend}",
        "engine": engine,
        "model": str(ENGINES / "models/tiny-llama"),
        "backend": backend,
        **({"image": "engine-base:bookworm"} if backend == "docker" else {}),
        "gpus": [],
        "env": env,
        backend: where,
        "parameters": {**known["parameters"], **parameters},
        **({"unchecked": unchecked} if unchecked else {}),
        "benchmark": (benchmark or {"traffic": [traffic], "concurrency": [concurrency], "max_requests": max_requests})
        | {"cpus": "1"},
        "objective": "maximize_throughput",
        "start_timeout": "3m",
        **more,
    }
    path = folder / f"{engine}-{backend}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path
