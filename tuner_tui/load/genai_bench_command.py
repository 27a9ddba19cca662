"""The command line and environment that make genai-bench measure one level without asking anybody anything.

Options read of genai-bench 0.0.5 (cli/option_groups.py): those that are required prompt where they are missing, so each
is given. `--max-time-per-run` is whole minutes. `--api-base` stands without `/v1`. The backends vllm and sglang send
`ignore_eos`, openai takes it out.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tuner_tui.load.address import api_base
from tuner_tui.load.model import Job, Level

KEY_VARIABLE = "MODEL_API_KEY"
"""Read by genai-bench. (So are the cloud providers' variables, which it then writes down: they are not passed on.)"""

_BACKENDS = {"vllm": ("vllm", "vLLM"), "sglang": ("sglang", "SGLang")}
_PASSED = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_PASSED_PREFIXES = ("HF_", "HUGGING_FACE_", "LC_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_NO_LIMIT_REQUESTS = 1_000_000_000
_NO_LIMIT_MINUTES = 7 * 24 * 60


def arguments(level: Level, job: Job, *, engine: str, model: str, tokenizer: str, folder: Path, gpus: int) -> list[str]:
    """What follows `genai-bench`. `folder` becomes the experiment's; `engine` is ours, `tokenizer` a path or a hub id.

    The key is no part of it: any word will do there, since the variable `MODEL_API_KEY` wins.
    """
    backend, server_engine = _BACKENDS.get(engine, _BACKENDS["sglang"])
    options = [
        "--api-backend", backend,
        "--api-base", api_base(job.url).removesuffix("/v1"),
        "--api-key", "unused",
        "--api-model-name", model,
        "--model-tokenizer", tokenizer,
        "--task", "text-to-text",
        "--traffic-scenario", level.scenario,
        "--num-concurrency", str(level.concurrency),
        "--max-time-per-run", str(minutes(job.max_time_s)),
        "--max-requests-per-run", str(job.max_requests or _NO_LIMIT_REQUESTS),
        "--server-engine", server_engine,
        "--server-gpu-count", str(gpus),
        "--experiment-base-dir", str(folder.parent),
        "--experiment-folder-name", folder.name,
        "--log-dir", str(folder),
        "--metrics-time-unit", "s",
    ]  # fmt: skip
    if job.request:
        options += ["--additional-request-params", msgspec.json.encode(job.request).decode()]
    return ["benchmark", *options]


def minutes(max_time_s: float | None) -> int:
    """Whole minutes, rounded up; a week where there is no limit."""
    return _NO_LIMIT_MINUTES if max_time_s is None else max(1, math.ceil(max_time_s / 60))


def environment(tokenizer: str, key: str | None, user: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the child gets of the user's environment, and what keeps it from drawing and from the network."""
    passed = {name: value for name, value in user.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)}
    passed["ENABLE_UI"] = "false"
    passed["PYTHONUNBUFFERED"] = "1"
    # Its requests go to this machine; a proxy is for the tokenizer alone.
    spared = ",".join(filter(None, (user.get("NO_PROXY") or user.get("no_proxy"), "127.0.0.1,localhost")))
    passed["NO_PROXY"] = passed["no_proxy"] = spared
    if Path(tokenizer).exists():
        passed["HF_HUB_OFFLINE"] = "1"
    if key is not None:
        passed[KEY_VARIABLE] = key
    return passed
