"""What came of reading a task file: as much as could be read, and where each key stands in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tuner_tui.task.model import ParameterSpace, Task
from tuner_tui.task.problem import Problem

Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass
class Reading:
    """A task file as read. `task` is None when a problem is an error.

    `engine` and `space` are what could be read of them even then, so that flags are checked in the same go.
    `places` maps a dotted path to its place: `parameters.tp-size` is the key itself,
    `parameters.tp-size[1]` the second value, `linked[0].tp-size` and `constraints[2]` likewise.
    """

    file: str
    lines: list[str]
    places: dict[str, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    engine: str | None = None
    space: ParameterSpace | None = None
    task: Task | None = None

    def problem(self, key: str, message: str, *, warning: bool = False) -> Problem:
        """A problem at `key`'s place; a key without a place falls back to the nearest one above it."""
        at = key
        while at and at not in self.places:
            at = at[: max(at.rfind("."), at.rfind("["), 0)]
        line, column = self.places.get(at, (0, 0))
        quoted = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return Problem(
            file=self.file,
            line=line,
            column=column,
            key=key,
            message=message,
            quoted=quoted,
            severity="warning" if warning else "error",
        )
