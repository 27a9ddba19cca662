"""The line last gone to, and the lines chosen from there on. Lines count from 0."""

from __future__ import annotations


class Choice:
    def __init__(self) -> None:
        self.current: int | None = None
        self._other_end: int | None = None

    def be(self, line: int | None) -> None:
        """That line alone, or none."""
        self.current, self._other_end = line, None

    def reach(self, line: int) -> None:
        """All up to that line, from the one where choosing began."""
        if self._other_end is None:
            self._other_end = self.current if self.current is not None else line
        self.current = line

    @property
    def span(self) -> tuple[int, int] | None:
        """The first and the last one."""
        if self.current is None:
            return None
        other = self.current if self._other_end is None else self._other_end
        return min(self.current, other), max(self.current, other)

    def move_down(self, by: int) -> None:
        """All lines have got other numbers."""
        if self.current is not None:
            self.current += by
        if self._other_end is not None:
            self._other_end += by
