"""`python -m tuner_tui.runner FOLDER [EVENT]`: takes a run up and sees it through.

EVENT, as JSON, is a LaunchesAdded or an ExperimentsAdded: what is to be launched beyond what was planned.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Set
from pathlib import Path

import msgspec

from tuner_tui.backends.leftovers import remove_leftovers
from tuner_tui.runner.guard import Guard
from tuner_tui.runner.run import Run, backend_for
from tuner_tui.runs.events import ExperimentsAdded, LaunchesAdded, RunStarted
from tuner_tui.runs.folder import GOODBYE, RunFolder
from tuner_tui.runs.journal import JournalReader, JournalUnreadable, JournalWriter
from tuner_tui.runs.lock import EXIT_LOCK_HELD, LockHeld, take
from tuner_tui.runs.state import RunState

log = logging.getLogger("tuner_tui.runner")

Added = LaunchesAdded | ExperimentsAdded


async def _execute(folder: RunFolder, runner: str, added: Added | None) -> None:
    state = RunState()
    earlier = set()
    for event in JournalReader(folder.journal).read():
        state.apply(event)
        if isinstance(event, RunStarted):
            earlier.add(event.runner)
    before = state.snapshot()
    backend = before.task.backend
    journal = JournalWriter(folder.journal)
    run = Run(
        folder,
        state,
        journal,
        lambda: backend_for(backend, runner, folder.path),
        lambda: _remove_what_was_left(folder, backend, earlier),
    )
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, run.stop_now)
    loop.add_signal_handler(signal.SIGINT, run.stop)
    guard = Guard.start(runner, backend)
    try:
        run.emit(
            RunStarted(runner=runner, pid=os.getpid(), host=socket.gethostname(), resumed=before.runner is not None)
        )
        if added is not None:
            run.emit(added)
        finished = await run.execute()
        log.info("%s %s", GOODBYE, f"{finished.reason} {finished.sentence}".strip())
        # Without that, on a kill too, the guard looks for servers itself as soon as this process has ended.
        if not run.servers_left:
            guard.dismiss()
    finally:
        journal.close()


def _remove_what_was_left(folder: RunFolder, backend: str, earlier: Set[str]) -> None:
    """Removes the servers of `earlier` runners of this run, which are dead: one whose guard died with it, or found no
    Engine, may have left some, and a launch beside them would have to share its GPUs.

    Blocks. Raises BackendUnavailable. Servers of a folder that this one is a copy of are another run's.
    """
    if not earlier:
        return
    left = remove_leftovers(
        lambda each: each.runner in earlier and each.run == str(folder.path),
        docker=backend == "docker",
        process=backend == "process",
    )
    for removed in left:
        log.info("an earlier runner of this run had left %s: removed", removed)


def main() -> int:
    """Exit 0 when the run ended in order, 1 when it could not be taken up, 3 when another runner has it."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    folder = RunFolder(Path(sys.argv[1]).resolve())
    added = msgspec.json.decode(sys.argv[2], type=Added) if sys.argv[2:] else None
    runner = uuid.uuid4().hex
    try:
        lock = take(folder.lock, runner)
    except LockHeld as held:
        sys.stderr.write(f"{held}\n")
        return EXIT_LOCK_HELD
    try:
        asyncio.run(_execute(folder, runner, added))
    except JournalUnreadable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        os.close(lock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
