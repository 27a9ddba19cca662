"""Whether files in folders have changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuner_tui.task.paths import is_folder

Stamp = dict[Path, int]
"""File → the time of its last change, in nanoseconds."""


def stamp(folders: Sequence[Path]) -> Stamp:
    """The YAML files of `folders` now; {} where there are none."""
    found: Stamp = {}
    for folder in folders:
        for path in folder.glob("*.yaml") if is_folder(folder) else ():
            try:
                found[path] = path.stat().st_mtime_ns
            except OSError:
                continue
    return found
