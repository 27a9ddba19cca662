"""Values as they are typed in one line."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tuner_tui.task.editing import find
from tuner_tui.task.typed import limits_yaml, texts_yaml, typed_limits, typed_texts, typed_values, values_yaml
from tuner_tui.task.yaml_text import plain_of


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("0.7", "0.7"),
        ("0.70, 0.8", "[0.70, 0.8]"),
        ("2048..16384 ×2", "{from: 2048, to: 16384, times: 2}"),
        ("2048..16384 x2", "{from: 2048, to: 16384, times: 2}"),
        ("0.7..0.9 +0.1", "{from: 0.7, to: 0.9, step: 0.1}"),
        ("8..1 +-1", "{from: 8, to: 1, step: -1}"),
        ("false, true", "[false, true]"),
        ("[1, 2, 4], [8]", "[[1, 2, 4], [8]]"),
        ("[[1, 2, 4]]", "[[1, 2, 4]]"),
        ("fcfs", "fcfs"),
        ("0.7,", "[0.7]"),
        ('{"mode": 3}', "'{\"mode\": 3}'"),
        ('{"mode": 3}, {"mode": 0}', "['{\"mode\": 3}', '{\"mode\": 0}']"),
        ("{from: 1, to: 8, step: 1}", "{from: 1, to: 8, step: 1}"),
        ("'1.10', null", "['1.10', null]"),
    ],
)
def test_values_are_typed_and_shown_again(typed: str, written: str) -> None:
    assert values_yaml(typed) == written
    text = f"flag: {written}\n"
    node = find(text, ("flag",))
    assert node is not None
    assert plain_of(f"flag: {values_yaml(typed_values(text, node))}") == plain_of(text)


@pytest.mark.parametrize(
    "written",
    [
        "a, b",
        "2048..4096 ×2",
        "1..2",
        "\n  - a, b\n  - (c",
        '|\n  {"mode": 3,\n   "b": "x, y"}',
        "'a  b'",
        '"a,\n  b"',
        "a,\n  b",
    ],
)
def test_a_text_that_looks_like_several_values_stays_one(written: str) -> None:
    """Shown to be edited, and taken as it is."""
    text = f"flag: {written}\n"
    node = find(text, ("flag",))
    assert node is not None
    typed = typed_values(text, node)
    assert "\n" not in typed
    assert plain_of(f"flag: {values_yaml(typed)}") == plain_of(text)


@given(st.lists(st.text("ab 1.,:#'\"\\()[]{}*&!%@`|>-?~=\n"), min_size=1), st.booleans())
@example(['="', ""], False)
@example(["1]#"], False)
def test_any_texts_are_shown_so_that_they_are_read_again(texts: list[str], flow: bool) -> None:
    for values in (texts, texts[0]):
        text = yaml.safe_dump({"flag": values}, default_flow_style=flow)
        node = find(text, ("flag",))
        assert node is not None
        assert plain_of(f"flag: {values_yaml(typed_values(text, node))}") == {"flag": values}


def test_a_range_without_a_step_is_asked_back() -> None:
    with pytest.raises(ValueError, match=r"2048\.\.16384 ×2 doubles, 2048\.\.16384 \+1 counts up"):
        values_yaml("2048..16384")
    with pytest.raises(ValueError, match="type a value"):
        values_yaml("  ")


def test_ranges_are_shown_as_they_are_typed() -> None:
    text = "flag: {from: 2048, to: 16384, times: 2}"
    node = find(text, ("flag",))
    assert node is not None
    assert typed_values(text, node) == "2048..16384 ×2"


def test_scenarios_keep_their_commas() -> None:
    written = texts_yaml("D(100,100), N(480,240)/(300,150)")
    assert written == '["D(100,100)", "N(480,240)/(300,150)"]'
    text = f"traffic: {written}"
    node = find(text, ("traffic",))
    assert node is not None
    assert typed_texts(text, node) == "D(100,100), N(480,240)/(300,150)"


def test_limits_are_typed_as_inequalities() -> None:
    written = limits_yaml("ttft.p99 < 500ms, tpot.mean<=50 ms")
    assert plain_of(written) == {"ttft.p99": "500ms", "tpot.mean": "50 ms"}
    text = f"limits: {written}"
    node = find(text, ("limits",))
    assert node is not None
    assert typed_limits(text, node) == "ttft.p99 < 500ms, tpot.mean < 50 ms"
    with pytest.raises(ValueError, match="expected a duration like 500ms or 2s, found 'fast'"):
        limits_yaml("ttft.p99 < fast")
