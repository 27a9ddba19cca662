"""Blocking calls on threads of their own: the event loop never waits for them, nor does the interpreter's exit."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_thread(
    work: Callable[[], T],
    *,
    name: str,
    give_up: Callable[[], None] | None = None,
    abandoned: Callable[[T], None] | None = None,
) -> T:
    """Result of `work`, run on a daemon thread; what it raises is raised here.

    Cancelling cannot stop a thread. So on cancellation `give_up` is called at once, on the loop: it must be quick
    and should make `work` return (set a flag, shut a socket). If `work` succeeds all the same, its result goes to
    `abandoned`, on a thread, and only then does the CancelledError pass on: what was made is unmade by then. A
    second cancellation passes on at once, and the thread still finishes.

    The loop's default executor is not used: it has few threads, and the interpreter joins them on exit.
    """
    outcome = _spawn(work, name)
    try:
        return await asyncio.wrap_future(outcome)
    except asyncio.CancelledError:
        if give_up is not None:
            give_up()
        if abandoned is not None:
            unmake = abandoned

            def clear_up() -> None:
                if outcome.exception() is None:
                    unmake(outcome.result())

            with contextlib.suppress(Exception):
                await asyncio.wrap_future(_spawn(clear_up, f"{name} (given up)"))
        raise


def _spawn(work: Callable[[], T], name: str) -> Future[T]:
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()  # from here on nobody can cancel it under the thread

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return outcome
