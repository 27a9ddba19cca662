"""The lock: one runner a run; readers look without taking; death releases it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tuner_tui.runs.lock import holder

_HOLD = """
import sys
from pathlib import Path
from tuner_tui.runs.lock import LockHeld, take
try:
    take(Path(sys.argv[1]), "r1")
except LockHeld as held:
    print("held by", held.holder.pid, flush=True)
else:
    print("taken", flush=True)
    sys.stdin.read()
"""


def holding(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_second_runner_is_refused_and_a_dead_one_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert holder(path) is None
    with holding(path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "taken\n"
        seen = holder(path)
        assert seen is not None
        assert (seen.pid, seen.runner) == (first.pid, "r1")
        with holding(path) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == f"held by {first.pid}\n"
        assert holder(path) is not None, "looking must not have released it"
        first.kill()
    assert holder(path) is None
