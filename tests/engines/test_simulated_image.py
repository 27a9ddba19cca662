"""The simulated engine's image: made without a registry, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

SCRIPT = Path(__file__).with_name("simulated-image")
TAG = "tuner-tui-simulated:made-by-a-test"


def build(*arguments: str) -> str:
    done = subprocess.run([sys.executable, SCRIPT, TAG, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def test_it_is_built_once_and_runs() -> None:
    try:
        assert f"{TAG}: built" in build()
        assert f"{TAG}: up to date" in build()
        told = ["docker", "run", "--rm", TAG, "python3", "-m", "tuner_tui.engines.simulated", "--help"]
        assert "--simulate-start-s" in subprocess.run(told, capture_output=True, text=True, check=True).stdout
    finally:
        subprocess.run(["docker", "rmi", "-f", TAG], capture_output=True)


def test_without_an_engine_it_says_so_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody.sock")
    done = subprocess.run([sys.executable, SCRIPT, TAG], capture_output=True, text=True)
    assert done.returncode == 1
    assert "is a Docker Engine running?" in done.stderr
    assert "Traceback" not in done.stderr
