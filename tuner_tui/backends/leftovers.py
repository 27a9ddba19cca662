"""What runs left behind: containers with our label, processes with our mark. Every call blocks.

Used by the guard, for the one runner it watches; by a runner that takes a run up, for those before it; and by
`tuner-tui clean`, which decides what is still alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

from tuner_tui.backends.backend import LABEL_RUN, LABEL_RUNNER, BackendUnavailable
from tuner_tui.backends.docker_connection import connect, unavailable
from tuner_tui.backends.docker_container import remove_container
from tuner_tui.backends.marks import MarkedProcess, kill_marked, marked_processes

LOOK_AGAIN_S = 0.5


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """One container or process of ours. `id` is the container's id or the process's number; `name` the
    container's name or the process's command line; `run` the folder of its run."""

    kind: Literal["container", "process"]
    id: str
    runner: str
    run: str
    name: str
    created: datetime


def find_leftovers(*, docker: bool = True, process: bool = True) -> list[Leftover]:
    """All that carry our label or mark, those of live runs too: the caller tells them apart by `runner`.

    Raises BackendUnavailable where `docker` is asked for and no Engine answers.
    """
    found = _containers() if docker else []
    if process:
        found += [_of(marked) for marked in marked_processes()]
    return found


def remove(leftover: Leftover) -> bool:
    """Ends and removes it; False where it was gone already. Raises BackendUnavailable, ServerLeft."""
    if leftover.kind == "process":
        # Its number may be another process's by now: the mark and the time of its start must still be the same.
        return bool(kill_marked(lambda marked: _of(marked) == leftover))
    api = connect()
    try:
        return remove_container(api, leftover.id)
    finally:
        api.close()


def remove_leftovers(
    chosen: Callable[[Leftover], bool], *, docker: bool, process: bool, patience_s: float = 0.0
) -> Iterator[str]:
    """Removes every leftover that is `chosen`, whose runner is dead; what is gone is named as it goes, as
    `container NAME` and `process N COMMAND`.

    Looks until it finds nothing twice in a row: the Engine may still be making a container that the runner asked
    for last. Raises BackendUnavailable, after the processes, where no Engine answers for `patience_s`, and ServerLeft
    where something cannot be removed for so long.
    """
    if process:
        for marked in kill_marked(lambda marked: chosen(_of(marked))):
            yield f"process {marked.pid} {marked.command}"
    began_s = time.monotonic()
    empty_looks = 0
    while docker:
        try:
            found = [leftover for leftover in _containers() if chosen(leftover)]
            for leftover in found:
                if remove(leftover):
                    yield f"container {leftover.name}"
            empty_looks = 0 if found else empty_looks + 1
        except BackendUnavailable:
            if time.monotonic() - began_s >= patience_s:
                raise
        if empty_looks == 2:
            return
        time.sleep(LOOK_AGAIN_S)


def _containers() -> list[Leftover]:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    api = connect()
    try:
        listed = api.containers(all=True, filters={"label": LABEL_RUNNER})
    except (DockerException, RequestException) as error:
        raise unavailable(error) from error
    finally:
        api.close()
    return [
        Leftover(
            kind="container",
            id=container["Id"],
            runner=container["Labels"][LABEL_RUNNER],
            run=container["Labels"].get(LABEL_RUN, ""),
            name=(container["Names"] or [container["Id"][:12]])[0].lstrip("/"),
            created=datetime.fromtimestamp(container["Created"], UTC),
        )
        for container in listed
    ]


def _of(marked: MarkedProcess) -> Leftover:
    return Leftover(
        kind="process",
        id=str(marked.pid),
        runner=marked.runner,
        run=marked.run,
        name=marked.command,
        created=datetime.fromtimestamp(marked.started_s, UTC),
    )
