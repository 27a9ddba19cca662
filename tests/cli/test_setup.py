"""`tuner-tui setup genai-bench`, with stand-ins for Python and pip: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuner import tuner
from tuner_tui.cli.setup import python_for_genai_bench
from tuner_tui.load.genai_bench_program import own_environment

_PYTHON = """#!/bin/sh
case "$1 $2" in
  "-c "*) echo {version} ;;
  "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip") echo x >> {calls}; {pip}; folder=$(dirname "$0")
    printf '#!/bin/sh\\necho genai-bench version 0.0.5\\n' > "$folder/genai-bench"; chmod +x "$folder/genai-bench" ;;
esac
"""


def python(folder: Path, version: str = "3 12", pip: str = "true") -> Path:
    path = folder / "python"
    path.write_text(_PYTHON.format(version=version, calls=folder / "calls", pip=pip))
    path.chmod(0o755)
    return path


def test_it_installs_once(tmp_path: Path, runs_dir: Path) -> None:
    first = tuner("setup", "genai-bench", "--python", python(tmp_path))
    assert "about 1.3 GB" in first.stderr
    assert (own_environment() / "bin" / "genai-bench").exists()
    again = tuner("setup", "genai-bench", "--python", python(tmp_path))
    assert "is there already" in again.stderr
    assert (tmp_path / "calls").read_text() == "x\n"


def test_a_failed_installation_leaves_nothing_and_says_why(tmp_path: Path, runs_dir: Path) -> None:
    broken = python(tmp_path, pip="echo 'ERROR: No matching distribution found'; exit 1")
    done = tuner("setup", "genai-bench", "--python", broken, check=1)
    assert "ERROR: No matching distribution found" in done.stderr
    assert not own_environment().exists()


def test_a_python_that_is_too_new_is_refused(tmp_path: Path, runs_dir: Path) -> None:
    done = tuner("setup", "genai-bench", "--python", python(tmp_path, "3 13"), check=2)
    assert "needs Python 3.10, 3.11 or 3.12" in done.stderr


def test_a_python_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = python(tmp_path, "3 13")
    monkeypatch.setattr("sys.executable", str(old))
    (tmp_path / "bin").mkdir()
    python(tmp_path / "bin").rename(tmp_path / "bin" / "python3.11")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert python_for_genai_bench() == str(tmp_path / "bin" / "python3.11")
