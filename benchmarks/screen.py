"""What the screen costs, beside a bare Textual app in the same run.

    python benchmarks/screen.py

First paint: from the start of the process until its own text is on the terminal (median of 9, taken in turn). Idle:
bytes printed and processor time over 10 s with nothing happening. A run of 1,000 experiments: until its table is
shown, and one page down. Compare: the longest that keys had to wait while it and each chart were first drawn. The log
has a script of its own, screen_log.py.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from terminal import Terminal

from tests.ui.app_under_test import app_under_test, settled
from tests.ui.runs_on_disk import RecordedRun, finished_run, task_file, task_of
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.app import TunerApp

BARE = """
import os
os.environ["TEXTUAL_ANIMATIONS"] = "none"
from textual.app import App
from textual.widgets import Footer, Static
class Bare(App):
    def compose(self):
        yield Static("BARE-APP")
        yield Footer()
Bare().run()
"""
TUNER_TUI = [sys.executable, "-m", "tuner_tui"]
ROUNDS = 9
IDLE_S = 10.0


def environment(home: Path) -> dict[str, str]:
    """As for a user: nothing of one's own, and compiled code, as an installed program has it."""
    names = ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    return {
        **{name: str(home) for name in names},
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(home / "pycache"),
    }


def shows(text: bytes) -> Callable[[bytes], bool]:
    return lambda output: text in output


def first_paint(home: Path) -> None:
    """Processor time, too: on a busy machine it says more. Home's first paint has its frame, keys and boxes; its runs
    are read after it."""
    commands = {"bare app": ([sys.executable, "-c", BARE], b"BARE-APP"), "tuner-tui": (TUNER_TUI, b"Runs")}
    waited: dict[str, list[float]] = {name: [] for name in commands}
    worked: dict[str, list[float]] = {name: [] for name in commands}
    listed: list[float] = []
    for measured in (False, *[True] * ROUNDS):  # the first round compiles, and keeps what later ones find
        for name, (command, text) in commands.items():
            terminal = Terminal(command, 80, 24, environment(home))
            shown_s = terminal.read_until(shows(text))
            if measured:
                waited[name].append(shown_s)
                worked[name].append(terminal.cpu_s())
                if name == "tuner-tui":
                    listed.append(terminal.read_until(shows(b"docker-simple-tune")))
            else:
                terminal.read_for(3)
            terminal.close()
    for what, times in (("first paint", waited), ("its processor time", worked)):
        bare, ours = (statistics.median(times[name]) for name in commands)
        print(f"{what}: bare app {bare:.3f} s, tuner-tui {ours:.3f} s, ratio {ours / bare:.2f} (goal 1.3)")
    print(f"runs listed after {statistics.median(listed):.3f} s")


def idle(home: Path) -> None:
    for name, command, text in (
        ("bare app", [sys.executable, "-c", BARE], b"BARE-APP"),
        ("home", TUNER_TUI, b"Runs"),
        ("a finished run", [*TUNER_TUI, "attach"], b"Run"),
    ):
        terminal = Terminal(command, 200, 50, environment(home))
        terminal.read_until(shows(text))
        terminal.read_for(4)
        before = terminal.cpu_s()
        printed = terminal.read_for(IDLE_S)
        share = (terminal.cpu_s() - before) / IDLE_S
        print(f"idle, {name}: {printed} bytes and {share:.1%} of a core over {IDLE_S:.0f} s (goal 0 bytes, 1 %)")
        terminal.close()


def thousand(home: Path) -> None:
    text = task_text(1000)
    run = RecordedRun(home / "tuner-tui" / "runs", task_of(task_file(home, text)), "2026-11-24T10-00-00-thousand")
    for experiment in run.experiments:
        run.launch(experiment.id, 0.19 + experiment.id % 17 / 1000)
    run.finish()
    terminal = Terminal([*TUNER_TUI, "attach", "2026-11-24T10"], 160, 45, environment(home))
    shown = terminal.read_until(shows(b"1000 of 1000"))
    small = Terminal([*TUNER_TUI, "attach", "2026-11-23"], 160, 45, environment(home))
    small_shown = small.read_until(shows(b"4 of 4"))
    small.close()
    terminal.read_for(2)
    presses = []
    for _ in range(20):
        before, length = time.perf_counter(), len(terminal.output)
        terminal.press(b"\x1b[6~")
        while len(terminal.output) == length:
            terminal.read_for(0.002)
        presses.append(time.perf_counter() - before)
        terminal.read_for(0.1)
    terminal.close()
    journal = run.folder.journal.stat().st_size / 2**20
    print(
        f"a run of 1,000 experiments ({journal:.1f} MiB of journal): shown after {shown:.2f} s, a run of 2 after "
        f"{small_shown:.2f} s (goal 1 s); page down to paint: median "
        f"{statistics.median(presses) * 1000:.0f} ms, worst of 20 {max(presses) * 1000:.0f} ms"
    )


async def longest_wait_s(app: TunerApp, size: tuple[int, int], keys: Sequence[str]) -> dict[str, float]:
    """For each key the longest time in which the event loop, and so every other key, waited for what it does."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began - 0.001)

    waits = {}
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        watching = asyncio.create_task(watch())
        for key in keys:
            await asyncio.sleep(0.3)
            longest = 0.0
            app.simulate_key(key)
            await asyncio.sleep(0.7)
            waits[key] = longest
        watching.cancel()
    return waits


def compare(home: Path) -> None:
    for name, run in sorted((path.name, path) for path in (home / "tuner-tui" / "runs").iterdir()):
        gc.disable()  # as the program begins; the app sets it going
        app = app_under_test(home, reader=RunReader(RunFolder(run)))
        waits = asyncio.run(longest_wait_s(app, (160, 45), ["f5", "1", "2", "3", "4", "5", "6"]))
        words = ", ".join(f"{key} {wait * 1000:.0f}" for key, wait in waits.items())
        print(f"compare, {name}: keys wait at most … ms while it is opened (f5) and each chart is first drawn: {words}")


def task_text(experiments: int) -> str:
    values = ", ".join(str(64 + number) for number in range(experiments))
    return (
        "name: thousand\nengine: sglang\nmodel: meta-llama/Llama-3.2-1B-Instruct\ngpus: []\n"
        f"parameters:\n  max-running-requests: [{values}]\n"
        'benchmark: {traffic: ["D(100,100)"], concurrency: [1, 4], max_requests: 20}\n'
    )


def main() -> None:
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        finished_run(home / "tuner-tui" / "runs", home)
        first_paint(home)
        idle(home)
        thousand(home)
        compare(home)


if __name__ == "__main__":
    main()
