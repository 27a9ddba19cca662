"""What is typed behind `/`, and what it finds."""

from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner_tui.ui.log.query import may_take_forever, parse_query

LINES = ["KV Cache is allocated", "kv usage: 12 %", "Error (code 5)", "done"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("kv", [0, 1]),
        ("KV", [0]),
        (r"\d+ %", [1]),
        (r"\S \d", [1, 2]),  # the capital of a class is none
        (r"(code", [2]),  # no regular expression: a text
        ("!kv", [2, 3]),
        (r"\!", []),
        ("^done$", [3]),
        ("a|(o", []),
    ],
)
def test_which_lines_are_wanted(typed: str, found: list[int]) -> None:
    query = parse_query(typed)
    assert query is not None
    assert [number for number, line in enumerate(LINES) if query.takes(line)] == found


def test_nothing_typed_is_no_query() -> None:
    assert parse_query("") is None
    assert parse_query("!") is None


@given(st.text(max_size=12) | st.from_regex(r"[a-z().*+?\[\]{}\\|^$0-9,!]{1,12}", fullmatch=True))
def test_whatever_is_typed_is_searched(typed: str) -> None:
    query = parse_query(typed)
    if query is None:
        return
    wanted = typed.removeprefix("!")
    assert query.takes(wanted) is not query.inverse or not query.why_literal
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(wanted)
    except (re.error, OverflowError, RecursionError):
        assert query.why_literal


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a*)*", r"(\w+\s?)*$", "((ab)*c*)+", "(a{1,})+", "([)]+)*x"])
def test_what_could_take_forever_is_searched_as_a_text(pattern: str) -> None:
    assert may_take_forever(pattern)
    query = parse_query(pattern)
    assert query is not None
    assert query.why_literal
    began = time.process_time()
    query.takes("a" * 10_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("pattern", ["(ab)+", "a+b*", r"(\+)+", "[(a+]+", "(a|b)*", "(a?)+", r"\(a+\)+", "a{2}"])
def test_what_is_harmless_stays_a_regular_expression(pattern: str) -> None:
    assert not may_take_forever(pattern)


PIECES = [
    "a",
    "b",
    "bab",
    "A",
    "ß",
    " ",
    "(",
    ".",
    ".*",
    "^",
    "$",
    r"\.",
    r"\+",
    r"\b",
    r"\s+",
    "[^a]*",
    "[a.]",
    "a+",
    "b?",
]
PIECES += ["(a|b)", "a{2}", "b*?", "|", r"\w", r"[\]a]", r"\\"]


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
    st.lists(st.text(alphabet="abAs (.ßé\\", max_size=6), max_size=8),
    st.booleans(),
)
def test_many_lines_at_once_are_searched_as_one_by_one(typed: str, lines: list[str], inverse: bool) -> None:
    query = parse_query("!" + typed if inverse else typed)
    assert query is not None
    assert query.taken("\n".join(lines)) == [number for number, line in enumerate(lines or [""]) if query.takes(line)]


@pytest.mark.parametrize(
    ("typed", "needed"),
    [
        ("error", "error"),
        ("usage: 0.4[2]", "usage: 0"),
        (r"#token: \d+, token usage", ", token usage"),
        ("colou?r", "colo"),
        ("abc+def", "abc"),
        ("error|warning", ""),
        ("(x)abc", ""),
        ("f(", "f("),
        ("ab.c", ""),
        (r"1\.17", "1.17"),
    ],
)
def test_what_a_matching_line_must_hold(typed: str, needed: str) -> None:
    query = parse_query(typed)
    assert query is not None
    assert query.needed == needed
