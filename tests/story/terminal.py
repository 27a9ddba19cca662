"""A real terminal for tests: tmux, each with a server of its own that ends with the test."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

_LOOK_EVERY_S = 0.05


class Terminal:
    """Shows one command. When that has ended, `left with CODE` stands where it stood.

    `width` and `height` are in cells. What a terminal shows can only be looked at, never awaited: the `wait…` methods
    look every twentieth of a second, and fail with what was on the screen.
    """

    def __init__(
        self, command: list[str], width: int, height: int, *, cwd: Path, environment: Mapping[str, str]
    ) -> None:
        # Short, for a socket's path has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="story-"))
        self._pid_file = self._folder / "pid"
        self._config = self._folder / "tmux.conf"
        self._config.write_text(
            'set -g default-terminal "tmux-256color"\nset -g status off\nset -sg escape-time 10\n', encoding="utf-8"
        )
        words = shlex.join(["sh", "-c", f'echo $$ >{self._pid_file}; exec "$@"', "sh", *command])
        inside = f"{words}; echo left with $?; exec sleep 600"
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
        self._environment = {**outside, "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        given = [f"{name}={value}" for name, value in {"TERM": "tmux-256color", **environment}.items()]
        size = ["-x", str(width), "-y", str(height)]
        self._tmux("new-session", "-d", *size, "-c", str(cwd), "env", *given, "sh", "-c", inside)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """The terminal goes away, as it does with the window that holds it."""
        self._tmux("kill-server", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process of the command itself."""
        return int(self._pid_file.read_text())

    def keys(self, *keys: str) -> None:
        """By tmux's names: Enter, Down, C-r, F5; one character is itself."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def screen(self, *, colours: bool = False) -> str:
        """What is shown now, a line for each row; with escape sequences where `colours` are asked for."""
        return self._tmux("capture-pane", "-p", *["-e"] * colours)

    def is_taken(self) -> bool:
        """Whether a full-screen program has it: the alternate screen is up, or the mouse is asked for."""
        return self._tmux("display-message", "-p", "#{alternate_on}#{mouse_any_flag}").strip() != "00"

    def wait_for(self, *texts: str, within_s: float = 15.0) -> str:
        """Until all of `texts` are on the screen; returns it."""
        return self._wait(lambda shown: all(text in shown for text in texts), f"{texts} not shown", within_s)

    def wait_for_change(self, shown_before: str, within_s: float = 15.0) -> str:
        return self._wait(lambda shown: shown != shown_before, "nothing moved", within_s)

    def press_until(self, key: str, text: str, most: int = 40) -> str:
        """Presses a key again and again, each time the screen has answered, until `text` is there."""
        for _ in range(most):
            shown = self.screen()
            if text in shown:
                return shown
            self.keys(key)
            self.wait_for_change(shown)
        raise AssertionError(f"{text!r} not shown after {most} × {key}:\n{self.screen()}")

    def _wait(self, fits: Callable[[str], bool], otherwise: str, within_s: float) -> str:
        ends = time.monotonic() + within_s
        while True:
            shown = self.screen()
            if fits(shown):
                return shown
            assert time.monotonic() < ends, f"{otherwise} within {within_s} s:\n{shown}"
            time.sleep(_LOOK_EVERY_S)

    def _tmux(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._folder / "tmux"), "-f", str(self._config), *words],
            capture_output=True,
            text=True,
            env=self._environment,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done.stdout
