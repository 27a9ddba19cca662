"""Colours laid over each other are those that each character was given, however the line is cut."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from tuner_tui.ui.log.paint import Painted

BASE = Style(color="white", bgcolor="black")
STYLES = [Style(color="red"), Style(bold=True), Style(bgcolor="blue", italic=True)]
TEXTS = st.text(alphabet="ab漢\t", max_size=20)
LAYERS = st.lists(st.tuples(st.sampled_from(STYLES), st.integers(0, 20), st.integers(0, 20)), max_size=5)


def painted(text: str, layers: list[tuple[Style, int, int]]) -> tuple[Painted, list[tuple[str, Style]]]:
    """And each character with its style, worked out one by one."""
    line, characters = Painted(text, BASE), [(c, BASE) for c in text]
    for style, start, stop in layers:
        start, stop = min(start, len(text)), min(stop, len(text))
        line.lay(style, start, stop)
        characters[start:stop] = [(c, below + style) for c, below in characters[start:stop]]
    return line, characters


def characters_of(line: Painted, start: int, stop: int) -> list[tuple[str, Style]]:
    return [(c, style) for text, style in line.pieces(start, stop) for c in text]


@given(TEXTS, LAYERS, st.integers(0, 20), st.integers(0, 20))
def test_each_part_has_its_characters_styles(
    text: str, layers: list[tuple[Style, int, int]], start: int, stop: int
) -> None:
    line, characters = painted(text, layers)
    assert characters_of(line, start, min(stop, len(text))) == characters[start:stop]


@given(TEXTS, LAYERS, st.lists(st.integers(0, 4), max_size=8))
def test_what_is_kept_keeps_its_styles(text: str, layers: list[tuple[Style, int, int]], steps: list[int]) -> None:
    line, characters = painted(text, layers)
    cuts = list(pairwise(min(at, len(text)) for at in accumulate(steps)))[::2]
    line.keep(cuts)
    kept = [each for start, stop in cuts for each in characters[start:stop]]
    assert line.text == "".join(c for c, _ in kept)
    assert characters_of(line, 0, len(line.text)) == kept


@given(TEXTS, LAYERS)
def test_tabs_become_spaces_up_to_every_eighth_cell(text: str, layers: list[tuple[Style, int, int]]) -> None:
    line, characters = painted(text, layers)
    line.expand_tabs()
    cells, expanded = 0, []
    for c, style in characters:
        wide = 8 - cells % 8 if c == "\t" else 2 if c == "漢" else 1
        expanded += [(" ", style)] * wide if c == "\t" else [(c, style)]
        cells += wide
    assert line.text == "".join(c for c, _ in expanded)
    assert characters_of(line, 0, len(line.text)) == expanded
    line.append("!", STYLES[0])
    assert list(line.pieces(len(line.text) - 1, len(line.text))) == [("!", STYLES[0])]
