"""The task files that lie in a folder."""

from __future__ import annotations

import re
from pathlib import Path

TASK_SUFFIXES = (".yaml", ".yml", ".json")
_MOST_BYTES = 1 << 18
_MOST_FILES = 200
"""More than so many are not looked into: it is somebody's data."""
_ENGINE, _BENCHMARK = (
    re.compile(rb'^(?:%b)\s*:|[{,]\s*"(?:%b)"\s*:' % (names, names), re.M)
    for names in (b"engine|base_runtime", b"benchmark")
)
"""At the top level of YAML, or anywhere in JSON."""


def tasks_in(folder: Path) -> list[Path]:
    """Those that name an engine and a benchmark, by name; what cannot be read is none."""
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix in TASK_SUFFIXES)[:_MOST_FILES]
    except OSError:
        return []
    return [each for each in files if _is_task(each)]


def _is_task(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    return bool(_ENGINE.search(data) and _BENCHMARK.search(data))
