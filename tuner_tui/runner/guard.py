"""The guard: a process beside the runner that removes its servers if it dies without a word.

It waits on a pipe whose other end only the runner holds. A goodbye byte means that the runner cleaned up itself; an
end of file without one means that it was killed, or could not remove a server. It is started in a session of its own
and imports next to nothing, so that it costs little and no signal to the runner's group reaches it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

_MODULE = "tuner_tui.runner.guard"
_GOODBYE = b"."
_PATIENCE_S = 600.0
"""How long an Engine that does not answer is waited for: its upgrade takes minutes, and a server that is left holds
its GPU until somebody looks."""


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
            [sys.executable, "-P", "-m", _MODULE, runner, backend],
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


def is_watched(runner: str) -> bool:
    """Whether the guard of `runner` is there: then that runner is alive, or the guard is removing its servers just
    now. Raises OSError on a machine that has no /proc."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):  # it ended meanwhile
                command = (process / "cmdline").read_bytes().split(b"\0")
                if _MODULE.encode() in command and runner.encode() in command:
                    return True
    return False


def main(runner: str, backend: str) -> None:
    """Waits for the runner's goodbye or death."""
    if os.read(0, 1) == _GOODBYE:
        return
    from tuner_tui.backends.backend import BackendUnavailable, ServerLeft
    from tuner_tui.backends.leftovers import remove_leftovers

    _say(f"runner {runner} ended without a goodbye; removing its servers")
    docker = backend == "docker"
    try:
        for removed in remove_leftovers(
            lambda each: each.runner == runner, docker=docker, process=True, patience_s=_PATIENCE_S
        ):
            _say(f"removed {removed}")
    except ServerLeft as left:
        _say(f"given up: {left}")
    except BackendUnavailable as error:
        _say(f"given up after {_PATIENCE_S / 60:.0f} minutes: {error} Then `tuner-tui clean` removes what is left.")


def _say(words: str) -> None:
    print(f"guard: {words}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
