"""Values as they are typed in one line."""

from __future__ import annotations

import pytest

from tuner_tui.task.editing import find
from tuner_tui.task.typed import limits_yaml, texts_yaml, typed_limits, typed_texts, typed_values, values_yaml
from tuner_tui.task.yaml_text import plain_of


@pytest.mark.parametrize(
    ("typed", "yaml"),
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
def test_values_are_typed_and_shown_again(typed: str, yaml: str) -> None:
    assert values_yaml(typed) == yaml
    text = f"flag: {yaml}\n"
    node = find(text, ("flag",))
    assert node is not None
    assert plain_of(f"flag: {values_yaml(typed_values(text, node))}") == plain_of(text)


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
    yaml = texts_yaml("D(100,100), N(480,240)/(300,150)")
    assert yaml == '["D(100,100)", "N(480,240)/(300,150)"]'
    text = f"traffic: {yaml}"
    node = find(text, ("traffic",))
    assert node is not None
    assert typed_texts(text, node) == "D(100,100), N(480,240)/(300,150)"


def test_limits_are_typed_as_inequalities() -> None:
    yaml = limits_yaml("ttft.p99 < 500ms, tpot.mean<=50 ms")
    assert plain_of(yaml) == {"ttft.p99": "500ms", "tpot.mean": "50 ms"}
    text = f"limits: {yaml}"
    node = find(text, ("limits",))
    assert node is not None
    assert typed_limits(text, node) == "ttft.p99 < 500ms, tpot.mean < 50 ms"
    with pytest.raises(ValueError, match="expected a duration like 500ms or 2s, found 'fast'"):
        limits_yaml("ttft.p99 < fast")
