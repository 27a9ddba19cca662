"""A worker of the load generator: `python -m tuner_tui.load.worker`, started by the generator only.

In: a `Job` (its model named, its text length known), then any number of `RunShare`. Out: `LoadReady`, `ShareProgress`
twice a second where it is watched, `ShareDone`; `LoadFailed` before it ends by itself. The end of standard input ends
it at once.
"""

from __future__ import annotations

import asyncio
import os
import resource
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from tuner_tui.load.dataset import Dataset
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.lines import obey, say
from tuner_tui.load.model import Job, LoadFailed, LoadReady, RunShare
from tuner_tui.load.prompts import WORDS, Prompts
from tuner_tui.load.records import RecordFile
from tuner_tui.load.share import Share
from tuner_tui.load.traffic import Traffic

_PRIORITY = -10


def main() -> int:
    _ask_for_priority()
    # A connection for each request in flight; shells allow 1,024 files unless asked.
    with suppress(OSError, ValueError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    say(LoadReady(pid=os.getpid()))
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(obey(_work))
    except LoadImpossible as error:
        say(LoadFailed(reason=str(error)))
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Where there is no epoll, asyncio's own loop serves."""
    if not hasattr(select, "epoll"):
        return None
    from tuner_tui.load.reading_loop import ReadingLoop

    return ReadingLoop


def _ask_for_priority() -> None:
    """A worker needs little of a CPU, but at once. Where that is not allowed, it goes without.

    Linux groups processes by session where nobody else groups them (sched(7), "The autogroup feature"), and a nice
    value counts only within the group: the group, which is the generator's own, is told as well.
    """
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_PRIORITY))


async def _work(lines: asyncio.Queue[bytes]) -> None:
    job = msgspec.json.decode(await lines.get(), type=Job)
    endpoint = Endpoint(job)
    try:
        prompts = Prompts(job.seed, job.text_length.words if job.text_length else WORDS)
        dataset = Dataset(Path(job.dataset), None) if job.dataset else None
        records = RecordFile(Path(job.records))
        while True:
            order = msgspec.json.decode(await lines.get(), type=RunShare)
            traffic = Traffic(order, job, endpoint, prompts, dataset)
            share = Share(order, job=job, endpoint=endpoint, traffic=traffic, records=records, report=say)
            say(await share.run())
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LoadImpossible(f"the requests cannot be written: {error.strerror}: {job.records}") from error
    except ValueError as error:
        raise LoadImpossible(str(error)) from error
    finally:
        await endpoint.close()


if __name__ == "__main__":
    sys.exit(main())
