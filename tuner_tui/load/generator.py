"""The load generator's process: `python -m tuner_tui.load.generator [--cpus LIST]`.

Protocol, one JSON object a line (the structs are in `load.model`). Out: `LoadReady` once it is up; while a level runs
that is watched, `LoadProgress` twice a second; `LevelDone` at each level's end; `LoadFailed` before it ends by itself.
In: a `Job`, then any number of `RunLevel`, carried out one after another. The end of standard input ends it, and with
it the requests that are in flight; so does SIGTERM. Standard output carries nothing else; words for people go to
standard error.

Exit code: 0 at the end of input, 1 after `LoadFailed`, 143 after SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from tuner_tui.load.cpus import pin
from tuner_tui.load.lines import say
from tuner_tui.load.model import LoadFailed, LoadReady


def main() -> int:
    arguments = argparse.ArgumentParser(prog="tuner_tui.load.generator", description="The load generator's process.")
    arguments.add_argument("--cpus", metavar="LIST", help="CPUs to run on, such as 1 or 0,2-5")
    cpus: str | None = arguments.parse_args().cpus
    try:
        return _run(cpus)
    except BrokenPipeError:
        # Nobody is left to tell. Standard output goes nowhere, lest its closing fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(cpus: str | None) -> int:
    if cpus is not None:
        try:
            pin(cpus)
        except ValueError as error:
            say(LoadFailed(reason=str(error)))
            return 1
    # After the pinning, so that the imports do not disturb an engine that is loading on the other CPUs.
    from tuner_tui.load.endpoint import LoadImpossible

    try:
        return asyncio.run(_serve())
    except LoadImpossible as error:
        say(LoadFailed(reason=str(error)))
        return 1


async def _serve() -> int:
    from tuner_tui.load.orders import carry_out_orders

    work = asyncio.create_task(carry_out_orders(say))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    say(LoadReady(pid=os.getpid()))
    try:
        await work
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    return 0


if __name__ == "__main__":
    sys.exit(main())
