"""The protocol a backend fulfils, and what can go wrong while a server is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from tuner_tui.task.launch_spec import LaunchSpec

LABEL_RUNNER = "tuner-tui.runner"
"""Docker label whose value is the runner's uuid; the guard removes exactly what carries its own."""
LABEL_RUN = "tuner-tui.run"
"""Docker label whose value is the absolute path of the run folder."""
ENVIRONMENT_RUNNER = "TUNER_TUI_RUNNER"
"""The same mark for a process: every descendant inherits it, so all can be found in /proc."""


class StartFailed(Exception):
    """A server could not be started, or an image not be had. Nothing of it is left behind.

    `failure_class` is one of the classes of `engines.errors`; `reason` is one sentence for a person with
    the remedy in it; `line` is the backend's own message.
    """

    def __init__(self, failure_class: str, reason: str, line: str = "") -> None:
        super().__init__(reason)
        self.failure_class = failure_class
        self.reason = reason
        self.line = line


class BackendUnavailable(Exception):
    """The backend itself cannot be used (no Docker Engine answers, say); the message has the remedy."""


class ServerLeft(BackendUnavailable):
    """A server could not be removed and may still be up: no other may be started beside it. The message names it."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What was started. `digest` (`repository@sha256:…`) is None for an image that came from no registry."""

    name: str
    id: str
    digest: str | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a pull or a download is. `total` and `done` are bytes; total 0 means not known yet."""

    what: str
    done: int = 0
    total: int = 0
    detail: str = ""


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How a server ended. `code` follows the shell: 128 + n for signal n. The log is complete by then."""

    code: int
    out_of_host_memory: bool = False
    stopped: bool = False
    """True where `stop` was asked for before it ended."""


class Server(Protocol):
    """One started server."""

    @property
    def id(self) -> str:
        """Container id, or `pid:<n>`."""

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, known as soon as the server is started."""

    def owns(self, pid: int) -> bool | None:
        """Whether a process of this machine is one of its own; None where that cannot be told (it is gone, or is not
        of this machine)."""

    async def wait(self) -> Exit:
        """Until it ends; its log has been read to the last byte by then. May be awaited by several."""

    async def stop(self, grace_s: float = 10.0) -> None:
        """Ends it (SIGTERM, then SIGKILL after `grace_s`) and removes it. Idempotent. Raises ServerLeft where it
        could not be removed, never for one that is gone already."""


class Backend(Protocol):
    """Where servers run."""

    async def prepare(self, spec: LaunchSpec, on_progress: Callable[[Progress], None]) -> Image | None:
        """Makes sure that `spec` can be started (pulls a missing image). Raises StartFailed."""

    async def start(self, spec: LaunchSpec, log: Path, on_log: Callable[[bytes], None]) -> Server:
        """Starts `spec`. Every byte it prints goes to `log` first and then to `on_log`, which is called on
        the event loop. Raises StartFailed, and then nothing is left behind, or ServerLeft."""

    async def close(self) -> None:
        """Ends every thread and connection; servers still up are stopped. Raises ServerLeft, at the end, where not all
        that were ever started are known to be gone."""
