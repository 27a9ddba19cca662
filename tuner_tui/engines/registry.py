"""The engines that are known, by name."""

from __future__ import annotations

from tuner_tui.engines.engine import Engine

# Colour would put escape sequences into the log; buffered output would hold the deciding line back.
_PLAIN_LOG = {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}

ENGINES: dict[str, Engine] = {
    "sglang": Engine(
        name="sglang",
        title="SGLang",
        # The last tag built for CUDA 12; later ones ask for a driver that many machines do not have yet.
        default_image="lmsysorg/sglang:v0.5.19-cu129",
        docker_command=("python3", "-m", "sglang.launch_server"),
        process_command=("python3", "-m", "sglang.launch_server"),
        model_flag="--model-path",
        container_port=30000,
        ready_paths=("/health",),
        catalogue="sglang",
        log_language="sglang",
        flush_paths=("/flush_cache",),
        always=("--enable-metrics",),
        environment=_PLAIN_LOG,
    ),
    "vllm": Engine(
        name="vllm",
        title="vLLM",
        default_image="vllm/vllm-openai:v0.32.0",
        docker_command=("vllm", "serve"),
        process_command=("vllm", "serve"),
        model_flag=None,
        container_port=8000,
        ready_paths=("/health",),
        catalogue="vllm",
        log_language="vllm",
        flush_paths=("/reset_prefix_cache",),  # only where VLLM_SERVER_DEV_MODE=1 is set; else 404
        environment={**_PLAIN_LOG, "VLLM_LOGGING_COLOR": "0", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
    ),
    "simulated": Engine(
        name="simulated",
        title="simulated",
        default_image="tuner-tui-simulated:latest",
        docker_command=("python3", "-m", "tuner_tui.engines.simulated"),
        # -P: a queue.py in the task's folder, where it works, is not the library.
        process_command=("{python}", "-P", "-m", "tuner_tui.engines.simulated"),
        model_flag="--model-path",
        container_port=30000,
        ready_paths=("/health",),
        catalogue="simulated",
        log_language="sglang",
        flush_paths=("/flush_cache",),
        environment=_PLAIN_LOG,
        simulated=True,
    ),
}


def engine(name: str) -> Engine:
    """The engine called `name`. Raises KeyError; the task reader has checked the name before."""
    return ENGINES[name]
