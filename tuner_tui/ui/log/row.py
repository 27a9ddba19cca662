"""One row of the log as it is drawn."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.levels import Level, inside_block, level_of
from tuner_tui.ui.log.lines import LONGEST_CHARACTERS, plain, styled
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.page import folds
from tuner_tui.ui.log.times import time_spans, without_times

_BLOCK_LINES = 200
"""How far up the beginning of a traceback is looked for."""

GLYPHS = {"fact": "▎", "warning": "!", "error": "✗"}


class Look(NamedTuple):
    """How rows are drawn. `wrap_cells` None: not wrapped."""

    base: Style
    error: Style
    warning: Style
    debug: Style
    time: Style
    match: Style
    current: Style
    fact: Style
    note: Style
    wrap_cells: int | None
    shows_times: bool
    key: tuple[object, ...]


class Row(NamedTuple):
    """`strips` are its parts (one where it is not wrapped), `starts` the offsets of these parts in `text`; `margin`
    stands before the first part, `blank` before the others. `torn`: the line may go on."""

    text: str
    strips: list[Strip]
    starts: list[int]
    margin: Strip
    blank: Strip
    torn: bool


def draw(document: LogDocument, line: int, look: Look, console: Console) -> Row:
    raw = document.raw(line)
    text = styled(raw.text)
    coloured = bool(text.spans)
    level = block_level(document, line, text.plain)
    style = {"error": look.error, "warning": look.warning, "debug": look.debug, "": None}[level]
    if style is not None and not coloured:
        text.stylize(style)
    times = time_spans(text.plain)
    if look.shows_times and level == "":
        for start, end in times:
            text.stylize(look.time, start, end)
    query = document.query
    if query is not None and not query.inverse:
        for match in query.pattern.finditer(text.plain):
            if match.end() > match.start():
                text.stylize(look.match, match.start(), match.end())
    if not look.shows_times and times:
        kept = [text[start:end] for start, end in without_times(text.plain, times)]
        text = Text("", no_wrap=True, end="").join(kept)
    if raw.cut or len(text) >= LONGEST_CHARACTERS:
        text.append(f" … {raw.size_bytes:,} bytes in this line", look.note)
    if "\t" in text.plain:
        text.expand_tabs(8)
    shown = text.plain
    text.style = look.base
    starts = [0, *(folds(shown, look.wrap_cells, cell_len) if look.wrap_cells else ())]
    parts = text.divide(starts[1:]) if len(starts) > 1 else [text]
    strips = []
    for part in parts:
        part.end = ""
        strips.append(Strip(part.render(console), cell_len(part.plain)))
    mark = mark_at(document, line)
    glyph, mark_style = _margin(mark, look)
    torn = line == len(document.index) - 1 and document.index.torn
    return Row(shown, strips, starts, _cell(glyph, mark_style, look, console), _cell(" ", None, look, console), torn)


def block_level(document: LogDocument, line: int, text: str) -> Level:
    """The level of a line; inside a traceback that of the whole."""
    level = level_of(text)
    if level or not inside_block(text):
        return level
    first = max(0, line - _BLOCK_LINES)
    for above in reversed(document.raws(first, line)):
        above = plain(above)
        if above and not inside_block(above):
            return level_of(above)
    return ""


def mark_at(document: LogDocument, line: int) -> Mark | None:
    at = bisect_left(document.marks, line, key=lambda mark: mark.line)
    return document.marks[at] if at < len(document.marks) and document.marks[at].line == line else None


def _margin(mark: Mark | None, look: Look) -> tuple[str, Style | None]:
    if mark is None:
        return " ", None
    return GLYPHS[mark.kind], {"fact": look.fact, "warning": look.warning, "error": look.error}[mark.kind]


def _cell(glyph: str, style: Style | None, look: Look, console: Console) -> Strip:
    text = Text(glyph, style=look.base, end="")
    if style is not None:
        text.stylize(style)
    return Strip(text.render(console), 1)
