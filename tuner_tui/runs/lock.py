"""Who runs a run: a lock that the kernel releases when its holder dies.

A POSIX record lock, because it can be looked at (F_GETLK) without being taken. It belongs to the process: the
holder must never open the file a second time, since closing any descriptor of it would release the lock.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from pathlib import Path

import msgspec

# struct flock: Linux has type and whence first, macOS last.
_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi"

EXIT_LOCK_HELD = 3
"""The exit code of a runner that found another at work on its run."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The process that holds a run's lock."""

    pid: int
    runner: str = ""


class LockHeld(Exception):
    """Another runner works on this run."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"process {holder.pid} already works on this run")
        self.holder = holder


def take(path: Path, runner: str) -> int:
    """Takes the lock for this process's whole life; returns the descriptor. Raises LockHeld."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held = holder(path)
        os.close(file)
        raise LockHeld(held or Holder(pid=0)) from error
    os.ftruncate(file, 0)
    os.pwrite(file, msgspec.json.encode(Holder(pid=os.getpid(), runner=runner)) + b"\n", 0)
    return file


def holder(path: Path) -> Holder | None:
    """Who holds the lock, or None. Never takes it. Not for the holder itself (see the module's docstring)."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if sys.platform == "darwin":
            asked = struct.pack(_FLOCK, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
            _, _, pid, kind, _ = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        else:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        if kind == fcntl.F_UNLCK:
            return None
        try:
            written = msgspec.json.decode(os.read(file, 4096), type=Holder)
        except msgspec.DecodeError:
            return Holder(pid=pid)
        return Holder(pid=pid, runner=written.runner)
    finally:
        os.close(file)
