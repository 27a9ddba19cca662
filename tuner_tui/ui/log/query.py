"""What is typed behind `/`: a regular expression, a text, or `!` and one of them."""

from __future__ import annotations

import re
import warnings

import msgspec


class Query(msgspec.Struct, frozen=True):
    """Which lines are wanted. `text` is as typed; `why_literal` is said where that was no usable regular expression."""

    text: str
    pattern: re.Pattern[str]
    inverse: bool
    why_literal: str = ""
    needed: str = ""
    """ASCII characters without which no line matches: they are found much faster than a pattern. "": none known."""
    suffices: bool = False
    """And with which every line does."""
    lower: re.Pattern[str] | None = None
    """Finds in lower case what `pattern` finds in any, at a third of the cost. None: none does, or case matters."""

    def takes(self, line: str) -> bool:
        return (self.pattern.search(line) is None) is self.inverse

    def taken(self, text: str) -> list[int]:
        """Which lines of a text are wanted; numbers from 0."""
        search, needed = self.pattern.search, self.needed
        if not text.isascii():
            needed = ""
        elif self.lower is not None:
            search, text = self.lower.search, text.lower()
        if not needed:
            lines = enumerate(text.split("\n"))
            return [number for number, line in lines if (search(line) is None) is self.inverse]
        found, number, begin = [], 0, 0
        while (at := text.find(needed, begin)) >= 0:
            number += text.count("\n", begin, at)
            end = text.find("\n", at)
            line = text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)]
            if self.suffices or search(line) is not None:
                found.append(number)
            if end < 0:
                break
            number, begin = number + 1, end + 1
        if not self.inverse:
            return found
        unwanted = set(found)
        return [number for number in range(text.count("\n") + 1) if number not in unwanted]


def parse_query(text: str) -> Query | None:
    """None for an empty one. Case matters only where a capital is typed (`\\S` is none). A leading `!` wants the
    other lines; `\\!` is the character."""
    inverse = text.startswith("!")
    wanted = text[1:] if inverse else text
    if not wanted:
        return None
    flags = 0 if any(c.isupper() for c in re.sub(r"\\.", "", wanted)) else re.IGNORECASE
    why_literal = "a repeat in a repeat could run forever" if may_take_forever(wanted) else ""
    if not why_literal:
        try:
            pattern = _compiled(wanted, flags)
        except (re.error, OverflowError, RecursionError) as error:
            why_literal = getattr(error, "msg", "") or "no usable regular expression"
    if why_literal:
        pattern = re.compile(re.escape(wanted), flags)
    needed = wanted if why_literal else _needed(wanted)
    lower = None
    if flags and wanted.isascii() and (why_literal or not _HIDES_CAPITALS.search(wanted)):
        lower = _compiled(pattern.pattern, 0)
    if not needed.isascii() or (flags and lower is None):
        needed = ""
    return Query(text, pattern, inverse, why_literal, needed, needed == wanted, lower)


def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "possible nested set": it is a search, not a program
        return re.compile(pattern, flags)


_HIDES_CAPITALS = re.compile(r"\[.*-|\\[xuUN\d]|\(\?[a-zA-Z^-]", re.DOTALL)
"""Where a pattern without capitals may still mean some, or case: a range, a code, a flag."""

_ITEM = re.compile(
    r"(?:\\(?P<escaped>\W)|(?P<class>\\\w|\[\^?\]?(?:\\.|[^\]\\])*\]|[.^$])|(?P<character>.))(?P<repeat>[*+?][?+]?)?",
    re.DOTALL,
)
_GROUPS = re.compile(r"[|(){}]")
_SHORTEST = 3
"""Fewer characters are in nearly every line."""


def _needed(pattern: str) -> str:
    """The longest text that whatever matches has in it, where that is seen at a glance: without groups and choices."""
    if _GROUPS.search(re.sub(r"\\.", "", pattern)):
        return ""
    texts = [""]
    for item in _ITEM.finditer(pattern):
        character, repeat = item["escaped"] or item["character"], item["repeat"] or ""
        if character is None or repeat[:1] in ("*", "?"):
            texts.append("")
            continue
        texts[-1] += character
        if repeat:
            texts.append("")
    longest = max(texts, key=len)
    return longest if len(longest) >= _SHORTEST or longest == pattern else ""


_REPEATS = re.compile(r"[*+]|\{\d*,\d*\}")


def may_take_forever(pattern: str) -> bool:
    """Whether an endless repeat lies in a repeated group, as in `(a+)+`: matching that can take exponential time,
    during which nothing else of the program runs."""
    holds_repeat = [False]
    at, in_class = 0, False
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            at += 2
            continue
        if in_class:
            in_class = c != "]"
        elif c == "[":
            in_class = True
            at += pattern.startswith(("]", "^]"), at + 1)  # a bracket that comes first is one of the class
        elif c == "(":
            holds_repeat.append(False)
        elif c == ")" and len(holds_repeat) > 1:
            inner = holds_repeat.pop()
            if inner and _REPEATS.match(pattern, at + 1):
                return True
            holds_repeat[-1] |= inner
        elif _REPEATS.match(pattern, at):
            holds_repeat[-1] = True
        at += 1
    return False
