"""The texts a document has had, to go back to and forth again."""

from __future__ import annotations

_MOST = 200


class History:
    """Of one document: whole texts, which are small."""

    def __init__(self) -> None:
        self._before: list[str] = []
        self._after: list[str] = []

    def clear(self) -> None:
        """Another document."""
        self._before.clear()
        self._after.clear()

    def record(self, text: str) -> None:
        """`text` is about to be changed. What had been undone cannot be redone any more."""
        self._before.append(text)
        del self._before[:-_MOST]
        self._after.clear()

    def undo(self, now: str) -> str | None:
        """The text before `now`; None where there is none."""
        if not self._before:
            return None
        self._after.append(now)
        return self._before.pop()

    def redo(self, now: str) -> str | None:
        """The text that `now` was before it was undone; None where nothing was."""
        if not self._after:
            return None
        self._before.append(now)
        return self._after.pop()
