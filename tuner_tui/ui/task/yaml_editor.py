"""The task's text with its mistakes marked at their lines."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from tuner_tui.task.problem import Problem

_LINE = re.compile(r"^(\s*(?:- )*)([\w.\"'-]+)(?=\s*:)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


class YamlEditor(TextArea):
    """`load` puts a text in; what the user types is `text`. Keys and comments are told apart, no more: a grammar
    would be one more dependency."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f8", "next_problem", "Next mistake", id="task.next-mistake"),
    ]

    def __init__(self) -> None:
        super().__init__(id="yaml-editor", show_line_numbers=True, soft_wrap=False)
        self._problems: dict[int, list[Problem]] = {}
        self._loaded = ""

    class Step(Message):
        """The last change shall be undone, or redone. The screen has the history, which the grid shares."""

        def __init__(self, way: Literal["undo", "redo"]) -> None:
            super().__init__()
            self.way = way

    def load(self, text: str) -> None:
        """Another text, the cursor as near to its old place as it can be; who is in the editor is led to the change."""
        cursor, before = self.cursor_location, list(self.document.lines)
        self.load_text(text)
        self._loaded = self.text
        if self.has_focus and (after := list(self.document.lines)) != before:
            same = 0  # lines at the end
            while same < min(len(before), len(after)) and before[-1 - same] == after[-1 - same]:
                same += 1
            row = max(0, len(after) - 1 - same)
            cursor = (row, len(after[row]))
        self.move_cursor(cursor)

    def action_undo(self) -> None:
        self.post_message(self.Step("undo"))

    def action_redo(self) -> None:
        self.post_message(self.Step("redo"))

    @property
    def edited(self) -> bool:
        """Whether the user has changed what was loaded. Line breaks of two kinds are not the user's doing."""
        return self.text != self._loaded

    def show_problems(self, problems: tuple[Problem, ...]) -> None:
        by_line: dict[int, list[Problem]] = {}
        for problem in problems:
            by_line.setdefault(max(0, problem.line - 1), []).append(problem)
        if by_line != self._problems:
            self._problems = by_line
            self._line_cache.clear()
            self.refresh()

    def problem_here(self) -> Problem | None:
        """The first one in the cursor's line."""
        return next(iter(self._problems.get(self.cursor_location[0], [])), None)

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if found := _LINE.match(line.plain):
            line.stylize("bold", found.start(2), found.end(2))
        for comment in _COMMENT.finditer(line.plain):
            if line.plain[: comment.start()].count('"') % 2 == 0:
                line.stylize("dim italic", comment.start())
        for problem in self._problems.get(line_index, []):
            start = min(max(0, problem.column - 1), max(0, len(line.plain) - 1))
            line.stylize("underline bold reverse" if problem.severity == "error" else "underline", start)
        return line

    def action_next_problem(self) -> None:
        lines = sorted(self._problems)
        if lines:
            here = self.cursor_location[0]
            line = next((each for each in lines if each > here), lines[0])
            self.move_cursor((line, max(0, self._problems[line][0].column - 1)), center=True)
