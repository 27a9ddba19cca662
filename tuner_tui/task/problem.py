"""What is wrong with a user's input, said like a compiler would."""

from __future__ import annotations

from typing import Literal

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in a file, at a place a person can jump to.

    `line` and `column` count from 1; 0 means "the file as a whole". `key` is the dotted path
    (`parameters.tp-size`), empty where there is none. `quoted` is the source line as it stands.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    quoted: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        mark = "warning: " if self.severity == "warning" else ""
        key = f"{self.key}: " if self.key else ""
        text = f"{place}: {mark}{key}{self.message}"
        if self.quoted.strip():
            text += f"\n  {self.quoted.rstrip()}\n  {' ' * (self.column - 1)}^"
        return text


class BadInput(Exception):
    """The user's input cannot be carried out; the command ends with exit code 2.

    `problems` holds every problem found, errors and warnings, in the order of the file.
    """

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
