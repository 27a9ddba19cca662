"""A line for a path, completed as in a shell."""

from __future__ import annotations

import asyncio
import os

from textual import events
from textual.suggester import Suggester

from tuner_tui.task.paths import is_folder, with_home
from tuner_tui.ui.line_input import LineInput


class _Paths(Suggester):
    """The first folder, or file with one of `suffixes`, that goes on from what was typed."""

    def __init__(self, suffixes: tuple[str, ...]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._suffixes = suffixes

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(completed, value, self._suffixes)


class PathInput(LineInput):
    """Tab, or the right arrow, takes what is suggested."""

    def __init__(self, *, placeholder: str, id: str, suffixes: tuple[str, ...]) -> None:
        super().__init__(placeholder=placeholder, id=id, suggester=_Paths(suffixes))

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "tab" and self.value:
            event.stop()
            event.prevent_default()
            self.cursor_position = len(self.value)
            self.action_cursor_right()
        else:
            await super()._on_key(event)


def completed(typed: str, suffixes: tuple[str, ...]) -> str | None:
    """`typed` with the rest of the first name that fits, a folder's with its slash; None where none does."""
    folder, name = os.path.split(typed)
    try:
        there = sorted(with_home(folder or ".").iterdir())
    except OSError:
        return None
    for each in there:
        if not each.name.startswith(name) or (each.name.startswith(".") and not name):
            continue
        if is_folder(each):
            return f"{typed}{each.name[len(name) :]}/"
        if each.suffix in suffixes:
            return f"{typed}{each.name[len(name) :]}"
    return None
