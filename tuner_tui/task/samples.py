"""The sample tasks that come with the project, in a wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

from tuner_tui.task.paths import resolved


def samples_folder() -> Path:
    """Where the sample tasks lie."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "sample_tasks"
    return inside if inside.is_dir() else package.parent / "sample_tasks"


def samples() -> list[Path]:
    """All of them, the demo first."""
    return sorted(samples_folder().glob("*.yaml"), key=lambda path: (path.stem != "demo", path.stem))


def sample(name: str) -> Path:
    """The path of `sample_tasks/<name>.yaml`. Raises FileNotFoundError."""
    path = samples_folder() / f"{name}.yaml"
    if path.is_file():
        return path
    raise FileNotFoundError(f"the sample task {name!r} is not installed")


def in_samples(path: Path) -> bool:
    """Whether it lies, or would lie, among them."""
    return resolved(path).parent == resolved(samples_folder())
