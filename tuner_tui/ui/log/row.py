"""One row of the log as it is drawn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tuner_tui.ui.log.appearance import Appearance
from tuner_tui.ui.log.document import LogDocument
from tuner_tui.ui.log.levels import Level, inside_block, level_of
from tuner_tui.ui.log.lines import LONGEST_CHARACTERS, plain, styled
from tuner_tui.ui.log.marks import Mark
from tuner_tui.ui.log.page import folds
from tuner_tui.ui.log.paint import Painted, Span
from tuner_tui.ui.log.times import shortened, time_spans

_BLOCK_LINES = 200
"""How far up the beginning of a traceback is looked for."""

GLYPHS = {"fact": "▎", "warning": "!", "error": "✗"}
CHOSEN = "▸"


class Row(NamedTuple):
    """`strips` are its parts (one where it is not wrapped) as they are shown, with the margin and cut to the width;
    `starts` the offsets of these parts in `text`, `cells` the width of all of it. `torn`: the line may go on."""

    text: str
    strips: list[Strip]
    starts: list[int]
    cells: int
    torn: bool


def draw(document: LogDocument, line: int, appearance: Appearance) -> Row:
    raw = document.raw(line)
    text, colours = styled(raw.text)
    painted = _painted(document, text, colours, block_level(document, line, text), appearance)
    if raw.cut or len(text) >= LONGEST_CHARACTERS:
        painted.append(f" … {raw.size_bytes:,} bytes in this line", appearance.base + appearance.note)
    if "\t" in painted.text:
        painted.expand_tabs()
    text = painted.text
    columns, base = max(appearance.columns - 1, 1), appearance.base
    starts = [0, *(folds(text, columns, cell_len) if appearance.wraps else ())]
    cells = cell_len(text)
    margin = _margin(document, line, appearance)
    strips = []
    for start, stop in pairwise([*starts, len(text)]):
        edge = margin if start == 0 else Segment(" ", base)
        room = Segment(" " * (appearance.width - columns - 1), base)
        segments = [edge, *_window(painted, start, stop, appearance), room]
        # As few as there can be: each costs 40 bytes on the way to the terminal.
        strips.append(Strip(Segment.simplify(segments), appearance.width))
    torn = line == len(document.index) - 1 and document.index.torn
    return Row(text, strips, starts, cells, torn)


def _painted(
    document: LogDocument, text: str, colours: Sequence[Span], level: Level, appearance: Appearance
) -> Painted:
    """The line in the engine's own colours, or in that of its level, with its times and what the query has found."""
    painted = Painted(text, appearance.base)
    style = {"error": appearance.error, "warning": appearance.warning, "debug": appearance.debug, "": None}[level]
    if style is not None and not colours:
        painted.lay(style, 0, len(text))
    for start, stop, colour in colours:
        painted.lay(colour, start, stop)
    spans = time_spans(text)
    if level == "":
        for start, stop in spans:
            painted.lay(appearance.time, start, stop)
    query = document.query
    if query is not None and not query.inverse:
        for match in query.pattern.finditer(text):
            painted.lay(appearance.match, match.start(), match.end())
    if spans:
        painted.keep(shortened(text, spans, appearance.times))
    return painted


def _window(painted: Painted, start: int, stop: int, appearance: Appearance) -> Iterable[Segment]:
    """What is seen of a part: its columns from `shift` on, filled up with spaces."""
    columns, shift, base = max(appearance.columns - 1, 1), appearance.shift, appearance.base
    if not painted.text.isascii():
        strip = Strip(painted.segments(start, stop))
        return strip.crop_extend(shift, shift + columns, base)
    first, last = min(start + shift, stop), min(start + shift + columns, stop)  # the same, as nearly always
    room = columns - (last - first)
    return [*painted.segments(first, last), *([Segment(" " * room, base)] if room else [])]


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


def with_offsets(strip: Strip, start: int, row: int) -> Strip:
    """With the places in the text that a selection by the mouse is told in. Only for what is under the mouse: it makes
    a style of its own for each piece, which costs more to paint than all else."""
    margin, line = strip.divide([1, strip.cell_length])
    return Strip.join([margin.apply_offsets(start, row), line.apply_offsets(start, row)])


def as_chosen(strip: Strip, appearance: Appearance) -> Strip:
    """With a sign in the margin, in place of its mark; and on another background, where there is none of its own: what
    the query has found still stands out."""
    usual, chosen = appearance.base.bgcolor, appearance.current
    _, line = strip.divide([1, strip.cell_length])
    segments = [
        Segment(text, style + chosen if style is not None and style.bgcolor == usual else style)
        for text, style, _ in line
    ]
    margin = Segment(CHOSEN, appearance.base + appearance.fact + chosen)
    return Strip([margin, *segments], strip.cell_length)


def with_selection(strip: Strip, text: str, start: int, stop: int | None, style: Style) -> Strip:
    """Some characters of `text`, which the strip begins with behind its margin, in the colours of a selection; None: up
    to the strip's end."""
    width = strip.cell_length
    first = 1 + cell_len(text[:start])
    last = width if stop is None else min(1 + cell_len(text[:stop]), width)
    if first >= last:
        return strip
    before, inside, after = strip.divide([first, last, width])
    # `Strip.apply_style` would lay it under the segments' own colours, unseen.
    inside = Strip(Segment.apply_style(inside, post_style=style), inside.cell_length)
    return Strip.join([before, inside, after])
