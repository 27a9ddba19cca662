"""One row of the log as it is drawn."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from tuner_tui.ui.log.appearance import Appearance
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.levels import Level, inside_block, level_of
from tuner_tui.ui.log.lines import LONGEST_CHARACTERS, plain, styled
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.page import folds
from tuner_tui.ui.log.times import time_spans, without_times

_BLOCK_LINES = 200
"""How far up the beginning of a traceback is looked for."""

GLYPHS = {"fact": "▎", "warning": "!", "error": "✗"}


class Row(NamedTuple):
    """`strips` are its parts (one where it is not wrapped) as they are shown, with the margin and cut to the width;
    `starts` the offsets of these parts in `text`, `cells` the width of all of it. `torn`: the line may go on."""

    text: str
    strips: list[Strip]
    starts: list[int]
    cells: int
    torn: bool


def draw(document: LogDocument, line: int, row: int, appearance: Appearance, console: Console) -> Row:
    """`row` is what a selection by the mouse is told in."""
    raw = document.raw(line)
    text = styled(raw.text)
    level = block_level(document, line, text.plain)
    style = {"error": appearance.error, "warning": appearance.warning, "debug": appearance.debug, "": None}[level]
    if style is not None and not text.spans:
        text.stylize(style)
    times = time_spans(text.plain)
    if appearance.shows_times and level == "":
        for start, end in times:
            text.stylize(appearance.time, start, end)
    query = document.query
    if query is not None and not query.inverse:
        for match in query.pattern.finditer(text.plain):
            if match.end() > match.start():
                text.stylize(appearance.match, match.start(), match.end())
    if not appearance.shows_times and times:
        kept = [text[start:end] for start, end in without_times(text.plain, times)]
        text = Text("", no_wrap=True, end="").join(kept)
    if raw.cut or len(text) >= LONGEST_CHARACTERS:
        text.append(f" … {raw.size_bytes:,} bytes in this line", appearance.note)
    if "\t" in text.plain:
        text.expand_tabs(8)
    text.style = appearance.base
    columns, shift = max(appearance.columns - 1, 1), appearance.shift
    starts = [0, *(folds(text.plain, columns, cell_len) if appearance.wraps else ())]
    parts = text.divide(starts[1:]) if len(starts) > 1 else [text]
    cells = cell_len(text.plain)
    margin = _margin(document, line, appearance)
    strips = []
    for part, start in zip(parts, starts, strict=True):
        part.end = ""
        # Text.render leaves the style of a text without spans out.
        segments = part.render(console) if part.spans else [Segment(part.plain, appearance.base)]
        strip = Strip(segments, cells if len(parts) == 1 else cell_len(part.plain))
        strip = strip.crop_extend(shift, shift + columns, appearance.base).apply_offsets(start + shift, row)
        strips.append(Strip([margin if start == 0 else Segment(" ", appearance.base), *strip], columns + 1))
    torn = line == len(document.index) - 1 and document.index.torn
    return Row(text.plain, strips, starts, cells, torn)


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


def _margin(document: LogDocument, line: int, appearance: Appearance) -> Segment:
    mark = mark_at(document, line)
    if mark is None:
        return Segment(" ", appearance.base)
    style = {"fact": appearance.fact, "warning": appearance.warning, "error": appearance.error}[mark.kind]
    return Segment(GLYPHS[mark.kind], appearance.base + style)


def with_selection(strip: Strip, span: tuple[int, int], start: int, style: Style) -> Strip:
    """`span` of the line's characters in the colours of a selection; `start` is the one behind the margin."""
    width = strip.cell_length
    first = max(span[0] - start, 0) + 1
    stop = width if span[1] == -1 else min(span[1] - start + 1, width)
    if first >= stop:
        return strip
    before, inside, after = strip.divide([first, stop, width])
    return Strip.join([before, inside.apply_style(style), after])
