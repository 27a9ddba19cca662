"""A container's output, from its first byte to its last, followed by a thread."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from tuner_tui.backends.docker_connection import Client, is_gone
from tuner_tui.backends.frames import Frames
from tuner_tui.backends.log_sink import LogSink

READ_BYTES = 256 * 1024


class DockerLog:
    """Follows one container into a sink.

    It is attached to before its start: nothing is missed, and a progress bar that only writes carriage returns is
    seen as it moves (the Engine's log file gets it with the next line feed). Should the stream break off while the
    container runs (a restart of the Engine), the log file is read from its beginning and as many bytes of stdout
    and of stderr are skipped as were had: no line twice, none lost. (Only bytes that are no UTF-8 spoil that count,
    since the json-file driver replaces them.)
    """

    def __init__(self, api: Client, container: str, sink: LogSink) -> None:
        self._api = api
        self._container = container
        self._sink = sink
        self._had = {1: 0, 2: 0}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._exited = threading.Event()
        self._ended = threading.Event()
        self._socket: socket.socket | None = None
        self._raw: Any = None

    def attach(self) -> None:
        """Blocks. Raises docker-py's errors."""
        self._raw = self._api.attach_socket(self._container, params={"stdout": 1, "stderr": 1, "stream": 1})
        self._hold(self._raw)

    def follow(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, name=f"log of {self._container[:12]}", daemon=True).start()

    def container_exited(self) -> None:
        """To be told, so that the end of the stream is known to be the end of the log."""
        self._exited.set()

    def wait_ended(self, timeout_s: float) -> bool:
        """Blocks until the last byte is in the sink, at most `timeout_s`."""
        return self._ended.wait(timeout_s)

    def close(self) -> None:
        """Ends the thread within a moment, even in the middle of a silence. Idempotent, does not block."""
        self._closed.set()
        self._exited.set()
        with self._lock:
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _hold(self, raw: Any) -> None:
        """Keeps the socket under `raw` (SocketIO or a socket), for `close` and without a time limit."""
        found: socket.socket = getattr(raw, "_sock", raw)
        found.settimeout(None)
        with self._lock:
            self._socket = found
        if self._closed.is_set():
            self.close()

    def _run(self) -> None:
        try:
            self._read_attached()
            whole = True
            # The stream ends a moment before the exit is known. If no exit comes, the Engine went away.
            while not self._exited.wait(1.0):
                whole = self._read_again()
            if not whole and not self._closed.is_set():
                self._read_again()
        finally:
            self._ended.set()

    def _read_attached(self) -> None:
        frames = Frames()
        with contextlib.suppress(OSError, ValueError):
            while data := self._raw.read(READ_BYTES):
                self._take(frames.feed(data), {1: 0, 2: 0})
        with contextlib.suppress(OSError, ValueError):
            self._raw.close()

    def _read_again(self) -> bool:
        """The whole log once more, without what was had. False where it broke off (the Engine is still away)."""
        skip = dict(self._had)
        frames = Frames()
        try:
            # docker-py's own log stream does not say which of the two streams a piece is from
            response = self._api.get(
                f"{self._api.base_url}/v{self._api.api_version}/containers/{self._container}/logs",
                params={"stdout": 1, "stderr": 1, "follow": 1},
                stream=True,
                timeout=(5, None),
            )
            with contextlib.closing(response):
                response.raise_for_status()
                self._hold(response.raw._fp.fp.raw)
                for data in response.iter_content(chunk_size=None):
                    self._take(frames.feed(data), skip)
        except Exception as error:
            return is_gone(error)
        return True

    def _take(self, pieces: list[tuple[int, bytes]], skip: dict[int, int]) -> None:
        new = []
        for stream, payload in pieces:
            known = min(skip.get(stream, 0), len(payload))
            if known:
                skip[stream] -= known
                payload = payload[known:]
            self._had[stream] = self._had.get(stream, 0) + len(payload)
            new.append(payload)
        self._sink.write(b"".join(new))
