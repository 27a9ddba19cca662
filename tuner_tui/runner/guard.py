"""The guard: a process beside the runner that removes its servers if it dies without a word.

It waits on a pipe whose other end only the runner holds. A goodbye byte means that the runner cleaned up itself; an
end of file without one means that it was killed. It is started in a session of its own and imports next to nothing,
so that it costs little and no signal to the runner's group reaches it.
"""

from __future__ import annotations

import os
import subprocess
import sys

_GOODBYE = b"."


class Guard:
    """The runner's end of the pipe."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: int) -> None:
        self._process = process
        self._pipe = pipe

    @classmethod
    def start(cls, runner: str, backend: str) -> Guard:
        """Starts the guard of `runner` (its uuid); its output goes where the runner's does."""
        read_end, write_end = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tuner_tui.runner.guard", runner, backend],
            stdin=read_end,
            start_new_session=True,
        )
        os.close(read_end)
        return cls(process, write_end)

    def dismiss(self) -> None:
        """Says goodbye: all servers are removed, the guard ends and touches nothing."""
        try:
            os.write(self._pipe, _GOODBYE)
        except BrokenPipeError:
            return
        finally:
            os.close(self._pipe)
        self._process.wait(timeout=10)


def main(runner: str, backend: str) -> None:
    """Waits for the runner's goodbye or death."""
    if os.read(0, 1) == _GOODBYE:
        return
    from tuner_tui.backends.leftovers import remove_leftovers

    print(f"guard: runner {runner} died without a goodbye; removing its servers", file=sys.stderr, flush=True)  # noqa: T201
    for removed in remove_leftovers(runner, docker=backend == "docker", process=True):
        print(f"guard: removed {removed}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
