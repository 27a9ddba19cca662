"""Task files for the simulated engine, small enough for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def simulated_task(
    folder: Path,
    parameters: dict[str, Any],
    *,
    name: str = "quick",
    backend: str = "process",
    unchecked: dict[str, Any] | None = None,
    max_requests: int = 4,
    concurrency: tuple[int, ...] = (2,),
    **more: Any,
) -> Path:
    """A task of short launches: `D(20,10)`, a start of 0.2 s. `parameters` join the simulation's own."""
    document = {
        "name": name,
        "engine": "simulated",
        "model": "llama-3.2-1b-instruct",
        "backend": backend,
        "parameters": {"simulate-start-s": 0.2, **parameters},
        "benchmark": {"traffic": ["D(20,10)"], "concurrency": list(concurrency), "max_requests": max_requests},
        **({"unchecked": unchecked} if unchecked else {}),
        **more,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path
