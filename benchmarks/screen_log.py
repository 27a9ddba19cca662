"""The log view in a real terminal (a pty) of 200×50 and 80×24, against bare Textual apps in the same run.

Prints figure, goal and baseline: bytes to the terminal at 100 lines/s, following 20,000 lines/s for 30 s without losing
one, key to paint meanwhile, memory and time for a log of 1,000,000 lines (200 MB), and what an idle view costs.

    python benchmarks/screen_log.py [seconds of the flood, 30] [bytes] [idle] [flood] [million]
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from tuner_tui.cli.screen import calm_textual


def line(n: int) -> str:
    """A line as SGLang prints them, 200 bytes with its end."""
    text = (
        f"[2025-11-06 12:{n // 60 % 60:02}:{n % 60:02}] Decode batch. #running-req: 4, #token: {n % 9973}, "
        f"token usage: 0.{n % 97:02}, cuda graph: True, gen throughput (token/s): {n % 1733}.17, #queue-req: 0, "
    )
    return text.ljust(183, ".") + f" line {n:09}\n"


# ── the apps ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def run_app(kind: str, path: str) -> None:
    """In the child: one of the apps that are compared, with Textual set as ours sets it."""
    calm_textual()
    from textual.app import App, ComposeResult
    from textual.widgets import Log, Static

    from tuner_tui.ui.log.panel import LogPanel

    class Panel(App[None]):
        def compose(self) -> ComposeResult:
            yield LogPanel(id="log")

        def on_mount(self) -> None:
            panel = self.query_one(LogPanel)
            panel.show(Path(path), language="sglang", title="bench")
            panel.focus()

    class Bare(App[None]):
        """A page of text that a key exchanges."""

        BINDINGS = [("s", "other(1)", "Other"), ("pageup", "other(2)", "Other")]  # noqa: RUF012

        def compose(self) -> ComposeResult:
            self.page = 0
            yield Static(self.text(), markup=False)

        def text(self) -> str:
            state = ("following", "paused")[self.page % 2]
            return f"{state}\n" + "".join(line(n + self.page) for n in range(self.size.height - 1))

        def action_other(self, by: int) -> None:
            self.page += by
            self.query_one(Static).update(self.text())

    class PlainLog(App[None]):
        """Textual's own Log, told of new lines as they come, as is usual."""

        def compose(self) -> ComposeResult:
            yield Log()

        def on_mount(self) -> None:
            self.file = Path(path).open()  # noqa: SIM115
            self.set_interval(0.01, self.read)

        def read(self) -> None:
            for each in self.file.readlines():
                self.query_one(Log).write_line(each.rstrip("\n"))

    {"panel": Panel, "bare": Bare, "log": PlainLog}[kind]().run()


# ── the terminal ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """An app in a pty of its own: what it sends is counted and searched."""

    def __init__(self, kind: str, path: Path, columns: int, rows: int) -> None:
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, __file__, "--app", kind, str(path)], environment)
        self.sent = 0
        self._seen = bytearray()
        self._waits_for: re.Pattern[bytes] | None = None
        self._times = 1
        self._came = threading.Event()
        self.came_at = 0.0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self.fd], [], [], 0.5)
            if not ready:
                continue
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return
            self.sent += len(data)
            self._seen += data
            del self._seen[: -(1 << 18)]
            if self._waits_for is not None and len(self._waits_for.findall(self._seen)) >= self._times:
                self.came_at = time.perf_counter()
                self._waits_for = None
                self._came.set()

    def press(self, keys: bytes, wanted: bytes, times: int = 1, within_s: float = 20) -> float:
        """Seconds until `wanted` (a pattern) has come so many times after the keys."""
        self._came.clear()
        self._seen.clear()
        self._times = times
        self._waits_for = re.compile(wanted)
        at = time.perf_counter()
        if keys:
            os.write(self.fd, keys)
        if not self._came.wait(within_s):
            raise SystemExit(
                f"{keys!r}: {wanted!r} did not come within {within_s} s; last: {bytes(self._seen[-600:])!r}"
            )
        return self.came_at - at

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def over(self, seconds: float) -> tuple[float, float]:
        """kB/s sent and share of one core used, from now on."""
        sent, cpu, at = self.sent, self.cpu_s(), time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - at
        return (self.sent - sent) / took / 1e3, (self.cpu_s() - cpu) / took

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def write(path: Path, lines_per_s: int, lines: int) -> None:
    """In a process of its own, so that it takes no time from who measures: appends lines at a rate, a hundredth of a
    second's worth at a time, and prints how long it took and when it ended (on the clock that all processes share)."""
    began, written = time.perf_counter(), 0
    with path.open("ab", buffering=0) as file:
        while written < lines:
            due = min(int((time.perf_counter() - began) * lines_per_s) + 1, lines)
            file.write("".join(map(line, range(written, due))).encode())
            written = due
            time.sleep(0.01)
    ended = time.perf_counter()
    print(ended - began, ended)


class Writer:
    def __init__(self, path: Path, lines_per_s: int, seconds: float) -> None:
        self.lines = int(lines_per_s * seconds)
        self._path, self._before = path, path.stat().st_size
        command = [sys.executable, __file__, "--write", str(path), str(lines_per_s), str(self.lines)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @property
    def written(self) -> int:
        return (self._path.stat().st_size - self._before) // len(line(0))

    def join(self) -> None:
        out, _ = self._process.communicate()
        self.took_s, self.ended_at = map(float, out.split())


def figure(name: str, value: str, goal: str, baseline: str = "") -> None:
    print(f"{name:58} {value:>14}   goal {goal:12} {baseline}", flush=True)


# ── the figures ──────────────────────────────────────────────────────────────────────────────────────────────────────


def bytes_at_100_lines(folder: Path) -> None:
    for columns, rows, goal in ((200, 50, 150), (80, 24, 50)):
        rates = {}
        for kind in ("panel", "log"):
            log = folder / f"{kind}-{columns}.log"
            log.write_text("".join(map(line, range(200))))
            terminal = Terminal(kind, log, columns, rows)
            terminal.press(b"", rb"Decode batch")
            writer = Writer(log, 100, 12)
            time.sleep(1)
            rates[kind] = terminal.over(10)
            writer.join()
            terminal.end()
        (rate, cpu), (log_rate, log_cpu) = rates["panel"], rates["log"]
        figure(
            f"following 100 lines/s, {columns}×{rows}: to the terminal",
            f"{rate:.0f} kB/s",
            f"≤ {goal} kB/s",
            f"Textual's Log {log_rate:.0f} kB/s; CPU {cpu:.1%}, Log {log_cpu:.1%}",
        )


def idle(folder: Path) -> None:
    log = folder / "idle.log"
    log.write_text("".join(map(line, range(1000))))
    rates = {}
    for kind in ("panel", "bare"):
        terminal = Terminal(kind, log, 200, 50)
        terminal.press(b"", rb"Decode batch")
        time.sleep(3)
        rates[kind] = terminal.over(10)
        terminal.end()
    (rate, cpu), (bare_rate, bare_cpu) = rates["panel"], rates["bare"]
    figure("idle: to the terminal", f"{rate * 1e3:.0f} B/s", "0", f"bare app {bare_rate * 1e3:.0f} B/s")
    figure("idle: of one core", f"{cpu:.2%}", "< 1 %", f"bare app {bare_cpu:.2%}")


KEYS: tuple[tuple[str, bytes, bytes, int], ...] = (
    ("stop following", b"s", rb"paused", 1),
    ("page up", b"\x1b[5~", b"Decode batch", 20),
    ("follow", b"s", rb"following", 1),
)


def spread(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e3:.0f}/{statistics.quantiles(times, n=20)[-1] * 1e3:.0f} ms"


def flood(folder: Path, seconds: float) -> None:
    log = folder / "flood.log"
    log.write_bytes(b"")
    terminals = {kind: Terminal(kind, log, 200, 50) for kind in ("bare", "panel")}
    panel = terminals["panel"]
    for terminal in terminals.values():
        terminal.press(b"", rb"following")
    time.sleep(2)
    writer = Writer(log, 20_000, seconds)
    cpu = panel.cpu_s()
    time.sleep(1)
    times: dict[str, dict[str, list[float]]] = {kind: {key: [] for key, *_ in KEYS} for kind in terminals}
    while writer.written < writer.lines - 40_000:
        for name, keys, wanted, count in KEYS:
            for kind, terminal in terminals.items():
                times[kind][name].append(terminal.press(keys, wanted, count))
                time.sleep(0.07)
    panel.press(b"", rb"line %09d" % (writer.lines - 1))
    writer.join()
    share = (panel.cpu_s() - cpu) / writer.took_s
    panel.press(b"w", rb"%s lines" % f"{writer.lines:,}".encode())
    for terminal in terminals.values():
        terminal.end()
    figure(
        f"{writer.lines:,} lines at {writer.lines / writer.took_s:,.0f}/s: lost",
        "0",
        "0",
        f"shown to the last {(panel.came_at - writer.ended_at) * 1e3:.0f} ms after it was written; CPU {share:.0%}",
    )
    everything = {kind: [at for each in times[kind].values() for at in each] for kind in terminals}
    figure(
        f"key to paint meanwhile, p50/p95 of {len(everything['panel'])}",
        spread(everything["panel"]),
        "p95 < 50 ms",
        f"bare app at the same time {spread(everything['bare'])}",
    )
    for name, *_ in KEYS:
        figure(f"… {name}", spread(times["panel"][name]), "", f"bare app {spread(times['bare'][name])}")


def a_million_lines(folder: Path) -> None:
    small, large = folder / "small.log", folder / "large.log"
    small.write_text("".join(map(line, range(999_900, 1_000_000))))
    with large.open("w") as file:
        for first in range(0, 1_000_000, 10_000):
            file.write("".join(map(line, range(first, first + 10_000))))
    end = rb"line 000999999"
    terminal = Terminal("panel", small, 200, 50)
    terminal.press(b"", end)
    small_s = time.perf_counter() - terminal.began
    time.sleep(3)
    before = terminal.rss_mb()
    terminal.end()
    terminal = Terminal("panel", large, 200, 50)
    terminal.press(b"", end)
    large_s = time.perf_counter() - terminal.began
    terminal.press(b"", rb"1,000,000 lines")
    known_s = time.perf_counter() - terminal.began
    terminal.press(b"g", rb"line 000000000")
    time.sleep(0.5)
    marking = []
    for _ in range(15):
        marking.append(terminal.press(b"\x1b[6~", b"Decode batch", 20))
        time.sleep(0.2)
    while terminal.over(1)[1] > 0.1:
        pass
    after = terminal.rss_mb()
    began = time.perf_counter()
    terminal.press(b"/usage: 0.4[2]\r", rb"of 1,000,000 lines \xc2\xb7 /usage: 0\.4\[2\]")
    filtered_s = time.perf_counter() - began
    terminal.press(b"/Decode\r", rb"1,000,000 of 1,000,000 lines")
    time.sleep(1)
    filtered = terminal.rss_mb()
    terminal.end()
    figure(
        "a log of 1,000,000 lines: its end is seen after", f"{large_s:.2f} s", "≈ small", f"100 lines {small_s:.2f} s"
    )
    figure("… all its lines are known after", f"{known_s:.2f} s", "")
    figure(
        "… key to paint while facts are read, p50 / max",
        f"{statistics.median(marking) * 1e3:.0f}/{max(marking) * 1e3:.0f} ms",
        "",
    )
    figure(
        "… memory",
        f"{after - before:.1f} MB",
        "≤ 20 MB",
        f"with a filter that every line passes {filtered - before:.1f} MB",
    )
    figure("… filtered by a regular expression within", f"{filtered_s:.2f} s", "")


def main() -> None:
    if sys.argv[1:2] == ["--app"]:
        run_app(sys.argv[2], sys.argv[3])
        return
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    wanted = sys.argv[2:] or ["bytes", "idle", "flood", "million"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "bytes" in wanted:
            bytes_at_100_lines(folder)
        if "idle" in wanted:
            idle(folder)
        if "flood" in wanted:
            flood(folder, seconds)
        if "million" in wanted:
            a_million_lines(folder)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
