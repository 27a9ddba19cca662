"""Traffic scenarios as genai-bench writes them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tuner_tui.load.scenario import parse
from tuner_tui.task.scenario_syntax import scenario


def samples(text: str, n: int = 2_000) -> list[tuple[int, int]]:
    random, found = Random(7), parse(text)
    return [found.sample(random) for _ in range(n)]


def test_fixed_is_always_the_same() -> None:
    assert set(samples("D(100,20)")) == {(100, 20)}
    assert parse("D( 100, 20 )").mean_tokens == (100, 20)


def test_normal_is_cut_at_one_in_and_two_out() -> None:
    drawn = samples("N(3,4)/(3,4)")
    assert min(prompt for prompt, _ in drawn) == 1
    assert min(output for _, output in drawn) == 2
    assert parse("N(480,240)/(300,150)").mean_tokens == (480, 300)


def test_normal_has_its_mean_and_deviation() -> None:
    outputs = [output for _, output in samples("N(480,10)/(300,30)")]
    mean = sum(outputs) / len(outputs)
    deviation = (sum((each - mean) ** 2 for each in outputs) / len(outputs)) ** 0.5
    # Cutting to a whole number takes half a token off.
    assert mean == pytest.approx(299.5, abs=2.5)
    assert deviation == pytest.approx(30, abs=2)


def test_uniform_reaches_both_ends_and_the_short_form_starts_at_one() -> None:
    drawn = samples("U(3,6)/(10,12)")
    assert {prompt for prompt, _ in drawn} == {3, 4, 5, 6}
    assert {output for _, output in drawn} == {10, 11, 12}
    short = samples("U(4,3)")
    assert {prompt for prompt, _ in short} == {1, 2, 3, 4}
    assert {output for _, output in short} == {1, 2, 3}
    assert parse("U(4,3)").mean_tokens == (2.5, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("D(100)", r"D\(in,out\)"),
        ("D(100,1.5)", r"D\(in,out\), in whole numbers"),
        ("d(100,100)", r"D\(in,out\)"),
        ("N(480,240)", r"N\(mean,deviation\)/\(mean,deviation\)"),
        ("U(1,2)/(3)", r"U\(min,max\)/\(min,max\)"),
        ("U(9,3)/(1,2)", "minimum 9 is above the maximum 3"),
        ("D(0,100)", "at least 1 token"),
        ("U(0,5)", "at least 1 token"),
        ("dataset", "expected D"),
        ("", "expected D"),
    ],
)
def test_what_is_no_scenario_is_told_the_nearest_form(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


@given(st.text(alphabet="DNU(),/0123456789 .-", max_size=30) | st.text(max_size=30), st.integers())
def test_any_text_is_a_scenario_or_one_clear_sentence(text: str, seed: int) -> None:
    try:
        found = parse(text)
    except ValueError as error:
        assert "\n" not in str(error).replace(repr(text), "")
    else:
        prompt, output = found.sample(Random(seed))
        assert prompt >= 1
        assert output >= 1


@given(st.from_regex(r"[DNU]\(\d+,\d+\)(/\(\d+,\d+\))?", fullmatch=True, alphabet="DNU(),/0123456789"))
@example("D(0000000100,100)")
def test_what_a_task_may_ask_for_can_be_read_here(text: str) -> None:
    try:
        asked = scenario(text)
    except ValueError:
        return
    assert parse(asked).text == asked


def test_a_scenario_has_one_name_however_it_is_written() -> None:
    assert scenario("D( 0000000100, 100)") == "D(100,100)"
    assert scenario("N(480,00)/(300, 150)") == "N(480,0)/(300,150)"
