"""The sample tasks that come with the project, in a wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path


def sample(name: str) -> Path:
    """The path of `sample_tasks/<name>.yaml`. Raises FileNotFoundError."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "sample_tasks", package.parent / "sample_tasks"):
        if (path := folder / f"{name}.yaml").is_file():
            return path
    raise FileNotFoundError(f"the sample task {name!r} is not installed")
