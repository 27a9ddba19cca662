"""The image with the simulated engine, in a real container."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

BUILD = Path(__file__).parents[1] / "engines" / "simulated-image"
TAG = "tuner-tui-simulated:latest"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def container() -> Iterator[str]:
    subprocess.run([sys.executable, BUILD], check=True, capture_output=True)
    engine = ["python3", "-m", "tuner_tui.engines.simulated", "--model-path", "llama", "--host", "0.0.0.0"]
    flags = ["--port", "30000", "--simulate-start-s", "0", "--simulate-speed", "10"]
    name = docker("run", "-d", "-p", "127.0.0.1::30000", TAG, *engine, *flags)
    try:
        yield name
    finally:
        docker("rm", "-f", name)


def test_it_answers_from_a_container_and_stops_at_once_as_its_first_process(container: str) -> None:
    url = f"http://{docker('port', container, '30000/tcp').splitlines()[0]}"
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if urllib.request.urlopen(f"{url}/health").status == 200:
                break
        except OSError:
            time.sleep(0.05)
    body = {"prompt": [1, 2, 3], "max_tokens": 25, "ignore_eos": True}
    with urllib.request.urlopen(f"{url}/v1/completions", json.dumps(body).encode()) as answer:
        assert json.load(answer)["usage"]["completion_tokens"] == 25
    before = time.monotonic()
    docker("stop", container)
    assert time.monotonic() - before < 3  # the daemon's own part included; killed would be 10
    assert docker("inspect", "-f", "{{.State.ExitCode}}", container) == "0"
    log = subprocess.run(["docker", "logs", container], capture_output=True, text=True)
    assert "SIMULATED ENGINE" in log.stderr
    assert "Finished server process [1]" in log.stderr
    assert '"POST /v1/completions HTTP/1.1" 200 OK' in log.stdout


def test_a_crash_in_a_container_is_not_an_exit_code_of_0() -> None:
    subprocess.run([sys.executable, BUILD], check=True, capture_output=True)
    flags = ["--model-path", "llama", "--simulate-start-s", "0", "--mem-fraction-static", "0.01"]
    for init in ((), ("--init",)):
        done = subprocess.run(
            ["docker", "run", "--rm", *init, TAG, "python3", "-m", "tuner_tui.engines.simulated", *flags],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 137
        assert "Not enough memory. Please try to increase --mem-fraction-static." in done.stderr
