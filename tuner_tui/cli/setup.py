"""`tuner-tui setup genai-bench`: the program in a virtual environment of its own, under the user's data folder."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tuner_tui.load.genai_bench_program import READY, VERSION, own_environment
from tuner_tui.report.words import duration_words

_PYTHONS = ("python3.12", "python3.11", "python3.10", "python3")
_OLDEST, _NEWEST = (3, 10), (3, 12)
_TICK_S = 0.5


class _Failed(Exception):
    """One sentence; the exit code is 1."""


def setup_genai_bench(python: str | None) -> int:
    """Makes the environment, or finds it complete. Exit code 0; 1 where the installation failed; 2 where no Python
    is there that genai-bench runs on; 130 after Ctrl-C. What was half done is removed."""
    folder = own_environment()
    try:
        with _only_one(folder):
            if _version(folder) == VERSION:
                click.echo(f"genai-bench {VERSION} is there already: {folder}", err=True)
                return 0
            chosen = python_for_genai_bench(python)
            if chosen is None:
                click.echo(f"tuner-tui: {_no_python(python)}", err=True)
                return 2
            _install(folder, chosen)
    except _Failed as failed:
        click.echo(f"tuner-tui: {failed}", err=True)
        return 1
    except OSError as error:
        click.echo(f"tuner-tui: {error.filename or folder}: {error.strerror or error}", err=True)
        return 1
    except KeyboardInterrupt:
        click.echo("\ninterrupted; what was half done is removed", err=True)
        return 130
    click.echo(
        f"genai-bench {VERSION} is in {folder}; a task asks for it with benchmark: {{tool: genai-bench}}", err=True
    )
    return 0


def python_for_genai_bench(given: str | None = None) -> str | None:
    """A Python that genai-bench runs on (3.10 to 3.12): the one given, this one, or one on PATH. None: no such."""
    for name in [given] if given else [sys.executable, *_PYTHONS]:
        path = shutil.which(name)
        if path is not None and _OLDEST <= _version_of(path) <= _NEWEST:
            return path
    return None


def _version_of(python: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    try:
        said = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20).stdout.split()
        return int(said[0]), int(said[1])
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return 0, 0


def _no_python(given: str | None) -> str:
    needs = "genai-bench needs Python 3.10, 3.11 or 3.12"
    if given:
        return f"{needs}, and {given} is none of them"
    return f"{needs}, and none is on PATH; install one and name it: tuner-tui setup genai-bench --python PATH"


def _version(folder: Path) -> str | None:
    """The version in the environment; None where it is not complete."""
    try:
        return (folder / READY).read_text().strip()
    except OSError:
        return None


def _install(folder: Path, python: str) -> None:
    log = folder.parent / "genai-bench-setup.log"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        with log.open("wb") as output:
            _do(f"an environment with {python}", [python, "-m", "venv", str(folder)], output.fileno(), log)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
            what = f"genai-bench {VERSION} (about 1.3 GB, a minute or more)"
            _do(what, [*pip, f"genai-bench=={VERSION}"], output.fileno(), log)
            _do("trying it", [str(folder / "bin" / "genai-bench"), "--version"], output.fileno(), log)
        (folder / READY).write_text(VERSION + "\n")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    log.unlink()


def _do(what: str, command: Sequence[str], output: int, log: Path) -> None:
    """One step with a line that counts the seconds; on anything but a terminal, one line before and none between."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    terminal = sys.stderr.isatty()
    if not terminal:
        click.echo(f"{what} …", err=True)
    try:
        while child.poll() is None:
            if terminal:
                click.echo(f"\r\x1b[K{what} … {duration_words(time.monotonic() - began)}", nl=False, err=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_TICK_S)
    finally:
        if terminal:
            click.echo(f"\r\x1b[K{what}: {duration_words(time.monotonic() - began)}", err=True)
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        told = next((line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "it said nothing")
        raise _Failed(f"{what}: failed with code {child.returncode}: {told} (all of it: {log})")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two at once would install into the same folder: the second one waits."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".genai-bench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            click.echo("another setup is at work; waiting for it …", err=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
