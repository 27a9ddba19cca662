"""Words cut to a width stay within it and tell themselves apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.ui.fit import cut_end, cut_middle, cut_name, headings, shares


def test_names_that_begin_alike_stay_apart() -> None:
    cut = [cut_middle(name, 12) for name in ("max-num-batched-tokens", "max-num-seqs", "max-num-partial-prefills")]
    assert cut == ["max-nu…okens", "max-num-seqs", "max-nu…fills"]
    assert headings(["mem-fraction-static", "chunked-prefill-size"], 8) == ["mem-fra…", "chunked…"]
    names = ["max-num-seqs", "max-num-batched-tokens", "kv-cache-dtype"]
    assert headings(names, 8) == ["…seqs", "…batche…", "kv-cach…"]
    assert headings(names, 30) == names
    assert cut_name("chunked-prefill-size", 13) == "chunked-…size"
    assert cut_end("0.7, 0.75, 0.8", 8) == "0.7, 0.…"


@given(st.text(), st.integers(0, 40))
def test_nothing_is_wider_than_its_room(words: str, most: int) -> None:
    assert len(cut_middle(words, most)) <= most
    assert len(cut_name(words, most)) <= most
    assert len(cut_end(words, most)) <= max(most, 1)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 100))
def test_two_columns_share_what_there_is(first: int, second: int, width: int) -> None:
    given_first, given_second = shares(first, second, width)
    assert given_first <= first
    assert given_first + given_second <= max(width, first + second if first + second <= width else 0)
    if first + second > width:
        assert given_first + given_second == width
