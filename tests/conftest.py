"""What needs something this machine may lack is skipped, loudly; with TUNER_NO_SKIP set, a skip is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

# Some machines set this; every process that a test starts (a run has five) would then compile the program anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

ENGINES = Path(os.environ.get("TUNER_ENGINES", Path.home() / ".cache" / "tuner-engines"))


@cache
def _docker_answers() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


def _missing(item: pytest.Item) -> str | None:
    """What `item` needs and this machine lacks, with the remedy."""
    if item.get_closest_marker("docker") and not _docker_answers():
        return "no Docker Engine answers (apt-get install docker.io; dockerd &)"
    for part in ("vllm", "sglang", "genai-bench"):
        if item.get_closest_marker(part.replace("-", "_")) and not (ENGINES / part / ".ready").exists():
            return f"real {part} is not installed (tests/engines/setup {part})"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if reason := _missing(item):
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("TUNER_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and TUNER_NO_SKIP is set: {report.longrepr}"
    return report  # type: ignore[return-value]


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for runs that is this test's alone."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "tuner-tui" / "runs"
