"""The simulated engine as a process, for tests."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMMAND = (sys.executable, "-m", "tuner_tui.engines.simulated", "--model-path", "llama")
_PATIENCE_S = 20.0


class Engine:
    """A running one. Its two log streams are read as they come, joined."""

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0", *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._url: str | None = None

    @property
    def log(self) -> str:
        """All that was said so far."""
        with self._news:
            return "".join(self._lines)

    @property
    def url(self) -> str:
        if self._url is None:
            self._url = self.said(r"Uvicorn running on (http://\S+)")[1]
        return self._url

    def said(self, pattern: str) -> re.Match[str]:
        """Waits until the log has it."""
        searched = re.compile(pattern)
        found: list[re.Match[str]] = []

        def there() -> bool:
            found[:] = [match] if (match := searched.search("".join(self._lines))) else []
            return bool(found) or not self._reader.is_alive()

        with self._news:
            self._news.wait_for(there, _PATIENCE_S)
        assert found, f"{pattern!r} was not said, but:\n{self.log}"
        return found[0]

    def ready(self) -> Engine:
        self.said("ready to roll")
        return self

    def ended(self) -> int:
        """Waits for the end and for the last of the log; the exit code."""
        code = self.process.wait(_PATIENCE_S)
        self._reader.join(_PATIENCE_S)
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.ended()

    def get(self, path: str) -> Answer:
        return self.ask(path, None)

    def post(self, path: str, body: Any) -> Answer:
        return self.ask(path, body if isinstance(body, bytes) else json.dumps(body).encode())

    def ask(self, path: str, body: bytes | None) -> Answer:
        request = urllib.request.Request(self.url + path, data=body)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
                return Answer(answer.status, answer.read().decode(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(), dict(error.headers))

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self._lines.append(line.decode())
                self._news.notify_all()
        with self._news:
            self._news.notify_all()


@dataclass
class Answer:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[Any]:
        """The server-sent events but the last, which must be [DONE]."""
        data = [part.removeprefix("data: ") for part in self.text.split("\n\n") if part]
        assert data[-1] == "[DONE]"
        return [json.loads(each) for each in data[:-1]]


@contextlib.contextmanager
def engine(*flags: str) -> Iterator[Engine]:
    """One that starts at once and runs 20 times as fast, unless `flags` say otherwise; gone afterwards."""
    running = Engine("--simulate-start-s", "0", "--simulate-speed", "20", "--simulate-seed", "7", *flags)
    try:
        yield running
    finally:
        running.process.kill()
        running.ended()
