"""Experiments side by side."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.report.some_run import CLEAR, EQUAL, run_of
from tuner_tui.report.comparison import Row, compare, throughput_against_latency
from tuner_tui.report.labels import labels, short_labels
from tuner_tui.report.words import value_with_unit

LEVEL = "D(100,100) × 4"


def row(rows: tuple[Row, ...], key: str) -> Row:
    [found] = [each for each in rows if each.metric.key == key]
    return found


def test_the_better_of_two_is_marked_in_each_metric_and_differences_are_to_the_best() -> None:
    table = compare(run_of(*CLEAR))
    assert (table.experiments, table.reference) == ((2, 1), 2)
    assert table.labels == ("mem-fraction-static 0.8", "mem-fraction-static 0.7")
    best, other = row(table.rows, "e2e.mean").cells
    assert (best.mark, best.difference) == ("best", None)
    assert best.value == pytest.approx(0.18, rel=1e-4)
    assert other.mark == ""
    assert str(other.difference).startswith("+11.1 % [+")
    throughput = row(table.rows, "output_tokens_per_s")
    assert [cell.mark for cell in throughput.cells] == ["best", ""]
    assert throughput.cells[0].value == pytest.approx(1900, rel=1e-4)
    assert throughput.cells[0].low is not None
    assert throughput.cells[0].low < 1900


def test_equals_are_tied_but_an_exact_figure_needs_no_launches() -> None:
    table = compare(run_of(*EQUAL), [1, 2], reference=1)
    assert row(table.rows, "e2e.mean").tie
    tokens = row(table.rows, "kv_cache_tokens")
    assert [cell.mark for cell in tokens.cells] == ["", "best"]
    assert str(tokens.cells[1].difference) == "+14.8 %"
    assert row(table.rows, "weights").tie


@pytest.mark.parametrize(("more_gib", "marks"), [(0.04, ["tied", "tied"]), (0.06, ["best", ""])])
def test_memory_that_differs_by_what_else_is_allocated_is_the_same(more_gib: float, marks: list[str]) -> None:
    run = run_of(*EQUAL)
    one, other = run.experiments
    launches = tuple(replace(each, memory=replace(each.memory, weights_gib=2.41 + more_gib)) for each in other.launches)
    table = compare(replace(run, experiments=(one, replace(other, launches=launches))), [1, 2], reference=1)
    assert [cell.mark for cell in row(table.rows, "weights").cells] == marks


def test_after_single_launches_the_first_is_only_ahead() -> None:
    one, other = CLEAR
    table = compare(run_of(one[:1], other[:1]), [1, 2])
    assert [cell.mark for cell in row(table.rows, "e2e.mean").cells] == ["", "ahead"]
    assert [cell.mark for cell in row(table.rows, "start").cells] == ["ahead", ""]


def test_a_baseline_is_what_the_others_are_held_against() -> None:
    table = compare(run_of(*CLEAR, baseline=1))
    assert table.reference == 1
    assert str(row(table.rows, "e2e.mean").cells[0].difference).startswith("−10.0 % [")


def test_one_that_failed_has_empty_cells() -> None:
    table = compare(run_of(*CLEAR, failed=9), [1, 2, 9, 77])
    assert table.experiments == (1, 2, 9)
    assert row(table.rows, "e2e.mean").cells[2].value is None


def test_only_what_no_other_beats_in_both_is_on_the_front() -> None:
    quick = [(0.10, 1000.0)]
    busy = [(0.30, 3000.0)]
    neither = [(0.31, 900.0)]
    points = throughput_against_latency(run_of(quick, busy, neither))
    assert [(point.experiment, point.front) for point in points] == [(1, True), (2, True), (3, False)]
    assert points[0].level == LEVEL
    assert points[0].latency_s == pytest.approx(0.1)
    assert points[0].tokens_per_s == pytest.approx(1000)


def test_labels_say_what_tells_experiments_apart() -> None:
    snapshot = run_of(*CLEAR, *CLEAR)
    assert labels(snapshot)[3] == "mem-fraction-static 0.7, tp-size 2"
    assert short_labels(snapshot)[3] == "0.7 · 2"


def test_figures_are_written_with_their_units() -> None:
    assert value_with_unit(0.0278, "s") == "27.8 ms"
    assert value_with_unit(31.0, "s") == "31.00 s"
    assert value_with_unit(2_405_039.0, "tokens") == "2,405,039"
    assert value_with_unit(1731.2, "tokens/s") == "1,731 tok/s"
    assert value_with_unit(999.9, "tokens/s") == "1,000 tok/s"
    assert value_with_unit(None, "s") == "–"
