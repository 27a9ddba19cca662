"""The marks that every process of a launch carries in its environment, and how they are found again.

Engines start workers in sessions of their own, and those outlive a killed parent; a process group is not enough.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tuner_tui.backends.backend import ENVIRONMENT_RUNNER, ServerLeft

ENVIRONMENT_RUN = "TUNER_TUI_RUN"
"""The run folder, for a person who finds a leftover process."""
ENVIRONMENT_LAUNCH = "TUNER_TUI_LAUNCH"
"""One launch of that runner: a uuid."""


class MarkedProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that a runner of ours started, or a descendant of it. `started_s` is Unix time."""

    pid: int
    group: int
    runner: str
    run: str
    launch: str
    command: str
    started_s: float


def marked_processes() -> Iterator[MarkedProcess]:
    """All processes of this user that carry a mark, but this one and its ancestors. 0.02 ms a process.

    Formats: proc(5), `/proc/pid/environ`, `/proc/pid/stat`, `/proc/pid/cmdline`.
    """
    spared = _ancestry()
    mark = f"{ENVIRONMENT_RUNNER}=".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) in spared:
            continue
        try:
            raw = (folder / "environ").read_bytes()
            if mark not in raw:
                continue
            environment = dict(entry.split("=", 1) for entry in os.fsdecode(raw).split("\0") if "=" in entry)
            if ENVIRONMENT_RUNNER not in environment:
                continue
            command = os.fsdecode((folder / "cmdline").read_bytes()).replace("\0", " ").strip()
            fields = _stat(folder)
            yield MarkedProcess(
                pid=int(folder.name),
                group=int(fields[2]),
                runner=environment[ENVIRONMENT_RUNNER],
                run=environment.get(ENVIRONMENT_RUN, ""),
                launch=environment.get(ENVIRONMENT_LAUNCH, ""),
                command=command,
                started_s=_boot_s() + int(fields[19]) / os.sysconf("SC_CLK_TCK"),
            )
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue


def kill_marked(chosen: Callable[[MarkedProcess], bool], timeout_s: float = 5.0) -> list[MarkedProcess]:
    """SIGKILL to all chosen ones until none is left (one may fork while it is killed). Blocks.

    Returns what was killed. Raises ServerLeft for one that is still there after `timeout_s`.
    """
    killed: dict[int, MarkedProcess] = {}
    deadline_s = time.monotonic() + timeout_s
    while found := [process for process in marked_processes() if chosen(process)]:
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
            killed[process.pid] = process
        if time.monotonic() > deadline_s:
            first = found[0]
            raise ServerLeft(
                f"The process {first.pid} ({first.command}) does not end, not even by SIGKILL: it waits in the kernel, "
                f"for a GPU or a disk, say (ps -o stat,wchan -p {first.pid}). A reboot ends it."
            )
        time.sleep(0.01)
    return list(killed.values())


def _ancestry() -> set[int]:
    """This process and its ancestors: a runner that was itself started under a mark must not end itself."""
    pid, line = os.getpid(), set()
    while pid > 0 and pid not in line:
        line.add(pid)
        try:
            pid = int(_stat(Path("/proc") / str(pid))[1])
        except (OSError, ValueError):
            break
    return line


def _stat(folder: Path) -> list[str]:
    """Fields of `/proc/pid/stat` from the third on (state, ppid, pgrp …); the second may hold anything."""
    return (folder / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()


def _boot_s() -> float:
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0
