"""What runs left behind: containers with our label, processes with our mark. Every call blocks.

Used by the guard, for the one runner it watches, and by `tuner-tui clean`, which decides what is still alive.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal

import msgspec

from tuner_tui.backends.backend import LABEL_RUN, LABEL_RUNNER, BackendUnavailable
from tuner_tui.backends.docker_connection import connect, unavailable
from tuner_tui.backends.docker_container import remove_container
from tuner_tui.backends.marks import MarkedProcess, kill_marked, marked_processes

LOOK_AGAIN_S = 0.5
TRIES = 10


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
    """Ends and removes it; False where it was gone already. Raises BackendUnavailable."""
    if leftover.kind == "process":
        # Its number may be another process's by now: the mark and the time of its start must still be the same.
        return bool(kill_marked(lambda marked: _of(marked) == leftover))
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    api = connect()
    try:
        return remove_container(api, leftover.id)
    except (DockerException, RequestException) as error:
        raise unavailable(error) from error
    finally:
        api.close()


def remove_leftovers(runner: str, *, docker: bool, process: bool) -> list[str]:
    """Everything of `runner`, which is dead; returns what was removed, as `container NAME` and `process N COMMAND`.

    Looks until it finds nothing twice in a row: the Engine may still be making a container that the runner asked
    for last. Raises BackendUnavailable, after the processes, if no Engine answers for 5 s.
    """
    removed: list[str] = []
    if process:
        killed = kill_marked(lambda marked: marked.runner == runner)
        removed += [f"process {marked.pid} {marked.command}" for marked in killed]
    if not docker:
        return removed
    problem: BackendUnavailable | None = None
    empty_looks = 0
    for attempt in range(TRIES):
        if attempt:
            time.sleep(LOOK_AGAIN_S)
        try:
            found = [leftover for leftover in _containers() if leftover.runner == runner]
            removed += [f"container {leftover.name}" for leftover in found if remove(leftover)]
        except BackendUnavailable as error:
            problem = error
            continue
        problem = None
        empty_looks = 0 if found else empty_looks + 1
        if empty_looks == 2:
            break
    if problem is not None:
        raise problem
    return removed


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
