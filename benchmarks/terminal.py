"""A program in a pseudo-terminal of a given size: what it prints, when, and what it costs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence


class Terminal:
    """Runs `command`; `output` is everything printed so far."""

    def __init__(self, command: Sequence[str], columns: int, lines: int, environment: Mapping[str, str]) -> None:
        self.output = b""
        self.began = time.perf_counter()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**os.environ, **environment})
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def read_until(self, done: Callable[[bytes], bool], timeout_s: float = 30.0) -> float:
        """Reads until `done(output)`; seconds since the start. Raises TimeoutError."""
        deadline = time.perf_counter() + timeout_s
        while not done(self.output):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"not shown after {timeout_s:g} s: {self.output[-300:]!r}")
            self._read(0.05)
        return time.perf_counter() - self.began

    def read_for(self, seconds: float) -> int:
        """Reads for so long; the bytes that came."""
        before, deadline = len(self.output), time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._read(min(left, 0.05))
        return len(self.output) - before

    def _read(self, timeout_s: float) -> None:
        if select.select([self._master], [], [], timeout_s)[0]:
            try:
                self.output += os.read(self._master, 65536)
            except OSError:
                time.sleep(timeout_s)

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def cpu_s(self) -> float:
        """Processor time of the program so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)
