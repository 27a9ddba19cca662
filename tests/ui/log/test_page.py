"""Pages of wrapped rows: whatever their heights, every screen line can be reached and none is shown twice."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.ui.log.page import Place, fill, folds, last_top, moved

HEIGHTS = st.lists(st.integers(1, 6), min_size=1, max_size=15)


def all_places(heights: list[int]) -> list[Place]:
    return [Place(row, part) for row, height in enumerate(heights) for part in range(height)]


@given(HEIGHTS, st.integers(1, 12), st.integers(0, 100), st.integers(-100, 100))
def test_moving_and_filling_are_those_of_one_long_list(heights: list[int], page: int, at: int, by: int) -> None:
    places = all_places(heights)
    at = min(at, len(places) - 1)
    there = max(0, min(at + by, len(places) - 1))
    assert moved(places[at], by, len(heights), heights.__getitem__) == places[there]
    assert fill(places[at], page, len(heights), heights.__getitem__) == places[at : at + page]
    top = last_top(page, len(heights), heights.__getitem__)
    assert fill(top, page, len(heights), heights.__getitem__) == places[-page:]


def test_no_rows_make_no_page() -> None:
    assert fill(Place(0), 5, 0, lambda row: 1) == []
    assert last_top(5, 0, lambda row: 1) == Place(0)


@given(st.text(alphabet="ab漢é", max_size=40), st.integers(2, 9))
def test_a_row_is_cut_where_it_is_full(text: str, width: int) -> None:
    def cells(c: str) -> int:
        return 2 if c == "漢" else 1

    edges = [0, *folds(text, width, cells), len(text)]
    parts = [text[start:stop] for start, stop in pairwise(edges)]
    assert "".join(parts) == text
    for part, following in pairwise(parts):
        used = sum(map(cells, part))
        assert used <= width < used + cells(following[0])
