"""Edits of a task's text: what was meant is read, and nothing else moves."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.task.reading_of import REST
from tuner_tui.task.editing import remove_key, set_value
from tuner_tui.task.reader import read_text
from tuner_tui.task.samples import samples
from tuner_tui.task.yaml_text import CannotEdit, plain_of

SAMPLES = {path.stem: path.read_text(encoding="utf-8") for path in samples()}

EXOTIC = """\
# a task, in every style
engine: sglang     # required
model: "tiny"
parameters: &p
  tp-size: 1
  # the share
  mem-fraction-static:   # searched
    - 0.70    # as it was
    - 0.80
    # room for more
  chunked-prefill-size: {from: 2048, to: 8192, times: 2} # doubles

  note: |
    two
    lines
linked:
- {tp-size: 1, dp-size: 2}
- tp-size: 2
  dp-size: 1
benchmark: {traffic: ["D(100,100)",
                      'N(480,240)/(300,150)'], concurrency: [1, 4], max_requests: 50}
search:
limits:  # none yet"""

JSON = """{
\t"engine": "simulated", "model": "tiny",
\t"parameters": {"tp-size": 1, "mem-fraction-static": [0.7, 0.8]},
\t"benchmark": {"traffic": ["D(100,100)"], "concurrency": [1, 4], "max_requests": 50}
}
"""


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines taken out, and lines put in."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [each[2:] for each in lines if each[0] == "-"], [each[2:] for each in lines if each[0] == "+"]


def test_a_value_changes_in_its_line_and_the_comment_stays() -> None:
    after = set_value(SAMPLES["simulated-docker"], ("parameters", "mem-fraction-static"), "[0.7, 0.8, 0.85]")
    assert changed_lines(SAMPLES["simulated-docker"], after) == (
        ["  mem-fraction-static: [0.7, 0.8] # a list: searched"],
        ["  mem-fraction-static: [0.7, 0.8, 0.85] # a list: searched"],
    )


def test_items_of_a_block_list_come_and_go_by_lines_and_keep_their_digits() -> None:
    after = set_value(EXOTIC, ("parameters", "mem-fraction-static"), "[0.7, 0.8, 0.9]")
    assert changed_lines(EXOTIC, after) == ([], ["    - 0.9"])
    after = set_value(EXOTIC, ("parameters", "mem-fraction-static"), "[0.8]")
    assert changed_lines(EXOTIC, after) == (["    - 0.70    # as it was"], [])


def test_a_block_becomes_a_line_and_what_was_remarked_on_it_stays() -> None:
    after = set_value(EXOTIC, ("parameters", "mem-fraction-static"), "0.85")
    assert "  mem-fraction-static: 0.85  # searched\n" in after
    assert "  # as it was\n" in after
    assert "    # room for more\n" in after
    after = set_value(EXOTIC, ("parameters", "note"), "short")
    assert "  note: short\nlinked:" in after


def test_a_range_changes_by_its_numbers() -> None:
    after = set_value(EXOTIC, ("parameters", "chunked-prefill-size"), "{from: 2048, to: 16384, times: 2}")
    assert "  chunked-prefill-size: {from: 2048, to: 16384, times: 2} # doubles\n" in after


def test_a_flag_is_added_after_the_last_one_in_the_file_s_own_indentation() -> None:
    after = set_value(SAMPLES["demo"], ("parameters", "schedule-policy"), "[fcfs, lpm]")
    assert changed_lines(SAMPLES["demo"], after) == ([], ["  schedule-policy: [fcfs, lpm]"])
    assert "[1, 4]\n  schedule-policy: [fcfs, lpm]\n\nbenchmark:" in after


def test_sections_that_are_missing_or_empty_are_made() -> None:
    assert set_value("engine: sglang\n", ("parameters", "tp-size"), "1").endswith("parameters:\n  tp-size: 1\n")
    assert "search:\n  launches: 3\nlimits:" in set_value(EXOTIC, ("search", "launches"), "3")
    assert set_value(EXOTIC, ("limits", "ttft.p99"), "500ms").endswith("limits:  # none yet\n  ttft.p99: 500ms")
    assert plain_of(set_value("", ("engine",), "sglang")) == {"engine": "sglang"}
    assert set_value("a: {}\n", ("a", "b"), "1") == "a: {b: 1}\n"


def test_json_stays_json() -> None:
    after = set_value(JSON, ("parameters", "mem-fraction-static"), "[0.7, 0.85]")
    assert '"mem-fraction-static": [0.7, 0.85]' in after
    after = set_value(JSON, ("parameters", "schedule-policy"), "[fcfs, lpm]")
    assert '[0.7, 0.8], "schedule-policy": ["fcfs", "lpm"]}' in after
    after = set_value(JSON, ("search", "launches"), "3")
    assert '"max_requests": 50}, "search": {"launches": 3}\n}' in after


def test_a_key_is_taken_out_with_its_line_and_the_comments_stay() -> None:
    after = remove_key(SAMPLES["sglang-latency"], ("parameters", "chunked-prefill-size"))
    assert changed_lines(SAMPLES["sglang-latency"], after) == (
        ["  chunked-prefill-size: {from: 2048, to: 8192, times: 2}"],
        [],
    )
    assert '"benchmark": {"traffic": ["D(100,100)"], "concurrency": [1, 4]}' in remove_key(
        JSON, ("benchmark", "max_requests")
    )
    assert remove_key("parameters:\n  tp-size: 1\nmodel: x\n", ("parameters", "tp-size")) == "parameters:\nmodel: x\n"
    assert "- tp-size: 2\nbenchmark" in remove_key(EXOTIC, ("linked", 1, "dp-size"))
    assert "- dp-size: 1\nbenchmark" in remove_key(EXOTIC, ("linked", 1, "tp-size"))


def test_a_value_that_yaml_would_take_apart_gets_quotes() -> None:
    after = set_value(EXOTIC, ("benchmark", "traffic", 0), "D(200,200)")
    assert plain_of(after)["benchmark"]["traffic"][0] == "D(200,200)"
    assert '["D(200,200)",\n' in after


def test_an_alias_is_replaced_where_it_stands_and_an_anchor_in_use_is_not_lost() -> None:
    text = "a: &x [1, 2]\nb: *x\nc: {<<: &m {k: 1}}\n"
    assert set_value(text, ("b",), "[3]") == "a: &x [1, 2]\nb: [3]\nc: {<<: &m {k: 1}}\n"
    assert plain_of(set_value(text, ("c", "k"), "2"))["c"] == {"k": 2}
    with pytest.raises(CannotEdit, match="change it in the YAML"):
        set_value(text, ("a",), "3")
    with pytest.raises(CannotEdit, match="comes from elsewhere"):
        remove_key(text, ("c", "k"))


def test_a_broken_text_is_left_alone_with_the_line_that_breaks_it() -> None:
    with pytest.raises(CannotEdit, match=r"line 2: .*a quote missing"):
        set_value("a: 1\nb: c: d\n", ("a",), "2")
    with pytest.raises(CannotEdit, match="is not there"):
        remove_key("a: 1\n", ("b",))


def test_line_breaks_of_windows_are_kept() -> None:
    text = SAMPLES["demo"].replace("\n", "\r\n")
    after = set_value(text, ("parameters", "schedule-policy"), "fcfs")
    after = remove_key(after, ("parameters", "simulate-memory-gib"))
    assert after.count("\n") == after.count("\r\n") == text.count("\n")


_NAMES = st.sampled_from(
    ["parameters", "benchmark", "search", "limits", "tp-size", "mem-fraction-static", "note", "concurrency", "traffic",
     "launches", "linked", "max_requests", "new-flag", "y", "1", "a b", "a: b", "#x", "env", "model", 0, 1, 2]
)  # fmt: skip
_VALUES = st.sampled_from(
    ["1", "0.80", "[0.7, 0.8]", "[0.70, 0.9, 1e-3]", "{from: 1, to: 8, times: 2}", "{to: 2}", "fcfs", "true", "null",
     "[[1, 2], [8]]", '"D(1,1)"', "[\"D(1,1)\", 'x']", "a b", "'#'", "[]", "{}", '\'{"a": 1}\'']
)  # fmt: skip
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map(tuple)
_TEXTS = st.sampled_from([*SAMPLES.values(), EXOTIC, JSON, EXOTIC.replace("\n", "\r\n"), REST, "", "# only a remark\n"])


@settings(max_examples=100, deadline=None)
@given(_TEXTS, st.lists(st.tuples(_PATHS, st.none() | _VALUES), min_size=1, max_size=4))
def test_any_series_of_edits_reads_to_what_was_meant_or_is_refused(
    text: str, edits: list[tuple[tuple[str | int, ...], str | None]]
) -> None:
    for path, value in edits:
        try:
            after = remove_key(text, path) if value is None else set_value(text, path, value)
        except CannotEdit:
            continue
        if value is not None:
            assert repr(_at(after, path)) == repr(plain_of(f"v: {value}")["v"])
        else:
            assert [line for line in remarks(text) if line not in remarks(after)] == []
        text = after


def _at(text: str, path: tuple[str | int, ...]) -> Any:
    data = plain_of(text)
    for part in path:
        data = data[part]
    return data


def remarks(text: str) -> list[str]:
    """Comments that belong to no section."""
    return [line for line in text.splitlines() if line.startswith("#")]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.sampled_from(["mem-fraction-static", "max-num-seqs", "tp-size", "chunked-prefill-size"]),
    st.lists(st.floats(0.01, 0.99).map(lambda each: round(each, 3)), min_size=1, max_size=5, unique=True),
)
def test_a_flag_s_values_are_read_and_every_other_line_is_byte_for_byte_the_same(
    name: str, flag: str, values: list[float]
) -> None:
    text = SAMPLES[name]
    after = set_value(text, ("parameters", flag), f"[{', '.join(map(str, values))}]")
    space = read_text(after, Path("task.yaml")).space
    assert space is not None
    assert next(each.values for each in space.parameters if each.name == flag) == tuple(values)
    gone, came = changed_lines(text, after)
    assert all(line.lstrip().startswith(f"{flag}:") for line in (*gone, *came))
    assert len(gone) <= 1 >= len(came)
