"""A process between us and genai-bench: `python -m tuner_tui.load.genai_bench_child [--cpus LIST] -- COMMAND…`.

genai-bench gets no terminal and nothing to read, so it would outlive whoever started it. This one ends it, with all its
children, at the end of its own standard input, which comes however its owner ends. Exit code: the command's.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

from tuner_tui.load.cpus import pin


def main() -> int:
    parser = argparse.ArgumentParser(prog="tuner_tui.load.genai_bench_child")
    parser.add_argument("--cpus", metavar="LIST")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    if given.cpus is not None:
        try:
            pin(given.cpus)
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    child = subprocess.Popen(given.command, stdin=subprocess.DEVNULL, start_new_session=True)

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def on_signal(number: int, frame: FrameType | None) -> None:
        kill()

    def until_end_of_input() -> None:
        while os.read(0, 4096):
            pass
        kill()

    signal.signal(signal.SIGTERM, on_signal)
    threading.Thread(target=until_end_of_input, daemon=True).start()
    code = child.wait()
    kill()  # whatever it has left running
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
