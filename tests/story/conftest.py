"""Terminals in which the program finds nothing of the user's own, and runs that end with their test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.story.terminal import Terminal
from tests.tuner import TUNER, tuner, until
from tuner_tui.runs.folder import list_runs
from tuner_tui.runs.lock import holder

Open = Callable[..., Terminal]


@pytest.fixture(autouse=True)
def _tmux_is_there() -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed (apt-get install tmux)")


@pytest.fixture
def home(tmp_path: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the program is started; whatever still runs is stopped at the end."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    for run in list_runs(runs_dir):
        if holder(run.lock) is not None:
            tuner("stop", run.path, check=None)
            until(lambda run=run: holder(run.lock) is None)  # type: ignore[misc]


@pytest.fixture
def open_terminal(home: Path) -> Iterator[Open]:
    """`open_terminal("attach", width=80, height=24)` starts the program; more of its environment by keyword."""
    opened: list[Terminal] = []

    def open_one(*arguments: object, width: int = 80, height: int = 24, **environment: str) -> Terminal:
        ours = {name: value for name, value in os.environ.items() if name.startswith("XDG_")}
        words = [*TUNER, *map(str, arguments)]
        opened.append(Terminal(words, width, height, cwd=home, environment={**ours, **environment}))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.end()
