"""A launch's server under watch: what is done with it ends when it dies, prints a fatal line, or the user gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from tuner_tui.backends.backend import Exit, Server
from tuner_tui.engines.log import LogReader
from tuner_tui.runs.events import Failure

T = TypeVar("T")

_TAIL_LINES = 12
# How long a server may take to die after it has dropped all its connections, before the requests get the blame.
_DEATH_S = 2.0


class LaunchFailed(Exception):
    """The launch cannot go on."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class LaunchAborted(Exception):
    """The user does not want the launch to go on: `stop` ends the run, `skip` only this launch."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Watch:
    """Watches one server. `on_log` is fed its output, `follow` names it once it is started, `close` in any case."""

    def __init__(self, log: LogReader) -> None:
        self.log = log
        self.ready = False
        """Set once the server is ready: how a death is told depends on it."""
        self._fatal = asyncio.Event()
        self._aborted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._exit: asyncio.Task[Exit] | None = None

    def on_log(self, data: bytes) -> None:
        """A piece of the server's output."""
        self.log.feed(data)
        if self.log.fatal is not None:
            self._fatal.set()

    def follow(self, server: Server) -> None:
        """From now on the server's exit is noticed."""
        self._exit = asyncio.create_task(server.wait())

    def abort(self, why: str) -> None:
        """The user gives up: `stop` or `skip`."""
        if not self._aborted.done():
            self._aborted.set_result(why)

    async def race(self, work: Awaitable[T]) -> T:
        """`work`, unless the server ends, prints a fatal line, or the user gives up first.

        Raises LaunchFailed, LaunchAborted; `work` is cancelled and waited for by then.
        """
        assert self._exit is not None
        main = asyncio.ensure_future(work)
        fatal = asyncio.ensure_future(self._fatal.wait())
        tasks: set[asyncio.Future[Any]] = {main, fatal, self._exit, self._aborted}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self._aborted.done():
                raise LaunchAborted(self._aborted.result())
            if fatal.done() or self._exit.done():
                raise LaunchFailed(self._cause_of_death())
            return main.result()
        finally:
            for future in (main, fatal):
                future.cancel()
            await asyncio.gather(main, fatal, return_exceptions=True)

    async def expect_death(self) -> None:
        """A server that dies drops its requests a moment before it exits: then the death is the cause.

        Raises LaunchFailed with it if the server ends within a moment.
        """
        assert self._exit is not None
        await asyncio.wait({self._exit}, timeout=_DEATH_S)
        if self._exit.done() or self._fatal.is_set():
            raise LaunchFailed(self._cause_of_death())

    def tail(self) -> tuple[str, ...]:
        """The last lines that the server printed."""
        return tuple(self.log.tail(_TAIL_LINES))

    async def close(self) -> None:
        """The server is gone, or nobody cares any more."""
        if self._exit is not None:
            self._exit.cancel()
            await asyncio.gather(self._exit, return_exceptions=True)
        self.log.close()

    def _cause_of_death(self) -> Failure:
        assert self._exit is not None
        if self._exit.done():
            self.log.close()  # the last line may have no line end
        cause, tail = self.log.cause(), self.tail()
        ended = self._exit.result() if self._exit.done() else None
        if ended is not None and ended.out_of_host_memory:
            return Failure(
                failure_class="host_out_of_memory",
                reason="the kernel killed the server: it used more host memory than the container may "
                "(docker.memory raises the limit)",
                line=cause.line if cause else (tail[-1] if tail else ""),
                tail=tail,
            )
        if cause is not None:
            return Failure(
                failure_class=cause.failure_class, reason=cause.reason, line=cause.line, tail=tail, fix=cause.fix
            )
        code = ended.code if ended is not None else None
        when = "under load" if self.ready else "before it was ready"
        last = next((line for line in reversed(tail) if line.strip()), "")
        return Failure(
            failure_class="container_exited",
            reason=f"the server exited with code {code} {when}" + ("" if last else " and printed nothing"),
            line=last,
            tail=tail,
        )
