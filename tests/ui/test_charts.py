"""Charts of the Compare screen, by what stands in them."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult

from tests.report.some_run import CLEAR, EQUAL, run_of
from tests.ui.runs_on_disk import TASK, RecordedRun, finished_run, task_file, task_of
from tuner_tui.report.comparison import throughput_against_latency
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.runs.view import RunReader
from tuner_tui.task.model import Objective
from tuner_tui.ui.charts import Axis, Spot, plot, round_values, span
from tuner_tui.ui.compare.charts import CHARTS, ChartInput
from tuner_tui.ui.run.lines import Lines, style_of
from tuner_tui.ui.theme_file import ThemeFiles
from tuner_tui.ui.themes import default_theme

MANY = run_of(*[[(0.1 + i / 100, 1000.0 + i * 37 % 11 * 50), (0.1 + i / 99, 1000.0)] for i in range(24)], failed=99)


def plain(name: str) -> Style:
    return Style()


def drawn(id: str, snapshot: Snapshot, experiments: tuple[int, ...], width: int, height: int, **more: Any) -> list[str]:
    [chart] = [each for each in CHARTS if each.id == id]
    text = chart.draw(ChartInput(snapshot, experiments, None, **more), width, height, plain)
    return text.plain.split("\n")


def snapshot_of(run: Any) -> Snapshot:
    view = RunReader(run).read()
    assert view is not None
    assert view.snapshot is not None
    return view.snapshot


@pytest.fixture(scope="module")
def two_levels(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """#2 is about a tenth faster than #1; concurrency 1 and 4, two launches each."""
    folder = tmp_path_factory.mktemp("run")
    return snapshot_of(finished_run(folder / "runs", folder))


def eighths(line: str) -> int:
    return sum(8 if sign == "█" else " ▏▎▍▌▋▊▉".index(sign) for sign in line if sign in "█▏▎▍▌▋▊▉")


def test_the_charts_come_in_the_order_of_their_digits() -> None:
    assert [chart.id for chart in CHARTS] == ["levels", "front", "scatter", "memory", "parameter", "distribution"]


@pytest.mark.parametrize("size", [(1, 1), (12, 2), (36, 6), (60, 14), (78, 20), (160, 45)])
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_every_chart_keeps_to_its_room_whatever_there_is(
    chart: Any, size: tuple[int, int], two_levels: Snapshot, tmp_path: Path
) -> None:
    width, height = size
    nothing_yet = snapshot_of(RecordedRun(tmp_path, task_of(task_file(tmp_path / "task", TASK))).folder)
    for snapshot, ids in (
        (two_levels, (2, 1)),
        (two_levels, (1,)),
        (two_levels, ()),
        (two_levels, (77,)),
        (MANY, (*range(1, 25), 99)),
        (MANY, (99,)),
        (nothing_yet, (1, 2)),
    ):
        lines = chart.draw(ChartInput(snapshot, ids, None), width, height, plain).plain.split("\n")
        assert len(lines) <= height
        assert max(map(cell_len, lines)) <= width
        assert "".join(lines).strip()


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.id)
def test_where_nothing_was_measured_words_say_so(chart: Any) -> None:
    lines = chart.draw(ChartInput(MANY, (99,), None), 78, 20, plain).plain.split("\n")
    assert len(lines) == 1
    assert lines[0].startswith("No ")


def test_bars_of_levels_are_as_long_as_their_figures_say(two_levels: Snapshot) -> None:
    _, best, other, best_at_4, other_at_4 = drawn("levels", two_levels, (2, 1), 78, 20)
    assert best.startswith("× 1 #2 0.8 ")
    assert best.endswith("172 ms ★")
    assert other.startswith("    #1 0.7 ")
    assert other.endswith("191 ms")
    assert best_at_4.startswith("× 4 #2 0.8 ")
    assert eighths(best) / eighths(other_at_4) == pytest.approx(0.1725 / 0.2540, abs=0.01)
    assert eighths(other) / eighths(other_at_4) == pytest.approx(0.75, abs=0.01)


def test_ties_and_single_launches_are_said_by_sign() -> None:
    assert [line[-1] for line in drawn("levels", run_of(*EQUAL), (1, 2), 60, 8)[1:]] == ["≈", "≈"]
    single = run_of(*(row[:1] for row in CLEAR))
    assert [line[-1] for line in drawn("levels", single, (1, 2), 60, 8)[1:]] == ["s", "?"]


def test_what_failed_or_finds_no_room_is_said() -> None:
    lines = drawn("levels", MANY, (1, 99, *range(2, 25)), 78, 8)
    assert lines[2].endswith("✗ failed")
    assert lines[-1].strip() == "… 19 more"


def test_points_stand_by_latency_and_throughput_and_the_front_is_starred() -> None:
    snapshot = run_of([(0.10, 1000.0)], [(0.30, 3000.0)], [(0.31, 900.0)])
    lines = drawn("front", snapshot, (1, 2, 3), 70, 20)
    at = {
        name: next((x, y) for y, line in enumerate(lines) if (x := line.find(name)) >= 0) for name in ("#1", "#2", "#3")
    }
    assert at["#1"][0] < at["#2"][0] <= at["#3"][0]
    assert at["#2"][1] < at["#1"][1] <= at["#3"][1]
    assert any("★#1" in line for line in lines)
    assert any("#2★" in line for line in lines)
    assert any("#3•" in line for line in lines)
    assert lines[-2:] == ["★ #1  100 ms  1,000 tok/s  D(100,100) × 4", "★ #2  300 ms  3,000 tok/s  D(100,100) × 4"]


def test_points_side_by_side_keep_their_names_apart() -> None:
    snapshot = run_of([(0.100, 1000.0)], [(0.301, 3000.0)], [(0.302, 3010.0)], [(0.302, 3010.0)])
    text = "\n".join(drawn("front", snapshot, (1, 2, 3, 4), 70, 20)[:-3])
    assert "##" not in text
    assert all(text.count(name) <= 1 for name in ("#2", "#3", "#4"))
    assert any(whole in text for whole in ("#3★", "★#3", "#4★", "★#4"))


@pytest.mark.parametrize("seed", range(5))
def test_names_that_are_drawn_are_whole(seed: int) -> None:
    chance = random.Random(seed)
    spots = [Spot(chance.random(), chance.random(), "★", f"<{number}>") for number in range(25)]
    ticks = tuple((at / 10, f"{at / 10}") for at in range(0, 10, 3))
    text = plot(spots, Axis(0, 1, ticks), Axis(0, 1, ticks), 60, 18).plain
    assert text.count("<") == text.count(">") == len(re.findall(r"<\d+>(?=★)|(?<=★)<\d+>", text)) > 12


def test_each_traffic_has_a_front_of_its_own(tmp_path: Path) -> None:
    """Longer prompts are slower at every load: they are not beaten by shorter ones, they are another question."""
    text = TASK.replace('["D(100,100)"]', '["D(100,100)", "D(2000,100)"]')
    points = throughput_against_latency(snapshot_of(finished_run(tmp_path / "runs", tmp_path, text)))
    front = {(point.experiment, point.level) for point in points if point.front}
    assert front == {
        *((2, "D(100,100) × 1"), (2, "D(100,100) × 4")),
        *((2, "D(2000,100) × 1"), (2, "D(2000,100) × 4")),
    }


def test_each_launch_is_a_dot_and_its_place_its_score() -> None:
    first, one, other, axis, *_ = drawn("scatter", run_of(*CLEAR), (1, 2), 78, 20)
    assert first == "mean end-to-end latency; lower is better"
    dots = [[x for x, sign in enumerate(line) if sign in "●◉"] for line in (one, other)]
    assert [len(each) for each in dots] == [3, 3]
    # Scores 0.199, 0.200, 0.201 and 0.179, 0.180, 0.181: the same distances.
    assert dots[0][2] - dots[0][0] == pytest.approx(dots[1][2] - dots[1][0], abs=1)
    assert max(dots[1]) < min(dots[0])
    assert one.endswith("0.2000 s")
    assert axis.split() == ["0.1768", "s", "0.2032", "s"]


@pytest.mark.parametrize(
    ("scores", "ends"), [((0.01, 0.3), ["0.00", "ms", "0.3290", "s"]), ((0.0, 0.0), ["0.00", "ms", "1.0000", "s"])]
)
def test_no_axis_begins_below_zero(scores: tuple[float, float], ends: list[str]) -> None:
    lines = drawn("scatter", run_of(*([(score, 1000.0)] for score in scores)), (1, 2), 78, 20)
    assert lines[3].split() == ends


def test_throughput_grows_to_the_right() -> None:
    objective = Objective(name="t", direction="maximize", metric="output_tokens_per_s_per_gpu")
    lines = drawn("scatter", run_of(*CLEAR, objective=objective), (1, 2), 78, 20)
    assert lines[0].endswith("higher is better")
    assert lines[1].index("◉") < lines[2].index("◉")
    assert lines[2].endswith("1900.0 tok/s")


def test_memory_is_stacked_to_the_size_of_the_gpu(two_levels: Snapshot) -> None:
    lines = drawn("memory", two_levels, (2, 1), 78, 20)
    room = 78 - len("#2 0.8 ")
    assert lines[1].count("▓") == pytest.approx(63.92 / 94.76 * room, abs=1)
    assert lines[1].count("░") == pytest.approx(25.62 / 94.76 * room, abs=1)
    assert lines[2].strip() == "weights 2.41  KV 63.92  graphs 0.78  other 2.03  free 25.62"
    assert drawn("memory", two_levels, (2, 1), 36, 6)[1].endswith("KV 63.92")


def test_one_flag_is_a_line_and_bars_where_it_is_low(two_levels: Snapshot) -> None:
    lines = drawn("parameter", two_levels, (2, 1), 78, 20)
    assert lines[0] == "mean end-to-end latency by mem-fraction-static"
    assert any("●0.2223 s" in line for line in lines)
    assert any("0.2011 s★" in line for line in lines)
    assert lines[-1].split() == ["0.7", "0.8"]
    _, first, second = drawn("parameter", two_levels, (2, 1), 36, 6)
    assert first.startswith("0.7 ")
    assert second.endswith("0.2011 s ★")
    assert eighths(second) / eighths(first) == pytest.approx(0.2011 / 0.2223, abs=0.01)


def test_two_flags_are_a_map_and_one_of_them_the_mean_over_the_other() -> None:
    snapshot = run_of([(0.10, 1.0)], [(0.20, 1.0)], [(0.30, 1.0)], [(0.40, 1.0)])
    lines = drawn("parameter", snapshot, (1, 2, 3, 4), 78, 20)
    assert lines[0] == "mean end-to-end latency: mem-fraction-static ↓, tp-size →"
    assert lines[1].split() == ["1", "2"]
    assert lines[2].split() == ["0.7", "██★0.1000", "s", "▒▒", "0.3000", "s"]
    assert lines[3].split() == ["0.8", "▓▓", "0.2000", "s", "░░", "0.4000", "s"]
    first, one, two = drawn("parameter", snapshot, (1, 2, 3, 4), 50, 6, parameter="tp-size")
    assert first == "by tp-size, mean over 1 other flag"
    assert one.endswith("0.1500 s ★")
    assert two.endswith("0.3500 s")


def test_a_distribution_says_by_when_how_many_were_done(two_levels: Snapshot) -> None:
    lines = drawn("distribution", two_levels, (2, 1), 78, 20)
    assert lines[1] == "E2E  D(100,100) × 1"
    assert lines[2].split("  p9")[0].endswith("p50 172 ms")
    assert lines[2].endswith("p99 179 ms?")  # of 20 requests
    at_1, at_4 = (lines[number].count("█") for number in (3, 6))
    assert at_1 / at_4 == pytest.approx(0.75, abs=0.03)
    assert lines[7] == "TTFT  D(100,100) × 1"
    low = drawn("distribution", two_levels, (2, 1), 36, 6)
    assert low[1] == "E2E  D(100,100) × 4 (of 2 levels)"


def test_a_spot_wears_its_style_and_no_other() -> None:
    winner, other = Style(color="green"), Style(color="red")
    spots = [Spot(0.2, 1, "·", "#1", other), Spot(0.8, 2, "★", "#2", winner)]
    text = plot(spots, Axis(0, 1), Axis(0, 3), 40, 10)
    assert {(text.plain[part.start : part.end], part.style) for part in text.spans} == {("·#1", other), ("#2★", winner)}


def test_a_plot_fills_its_room_beyond_the_terminal() -> None:
    lines = plot([Spot(0.5, 1, "★")], Axis(0, 1), Axis(0, 3), 160, 45).plain.split("\n")
    assert len(lines) >= 44
    assert len(lines[0]) == 160


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=5), st.integers(2, 12))
def test_axes_hold_their_values_and_few_round_ones(values: list[float], most: int) -> None:
    low, high = span(values)
    assert low <= min(values) <= max(values) <= high
    assert low < high
    found = round_values(low, high, most)
    assert len(found) <= most


def test_a_launch_without_figures_breaks_no_chart(two_levels: Snapshot) -> None:
    bare = tuple(
        replace(
            each,
            launches=tuple(
                replace(
                    launch,
                    results=tuple(
                        replace(one, metrics=replace(one.metrics, ttft_s=None, e2e_s=None)) for one in launch.results
                    ),
                )
                for launch in each.launches
            ),
        )
        for each in two_levels.experiments
    )
    for chart in CHARTS:
        assert chart.draw(ChartInput(replace(two_levels, experiments=bare), (1, 2), None), 78, 20, plain).plain


class OneLine(App[None]):
    CSS = "Screen { background: white; }"

    def compose(self) -> ComposeResult:
        yield Lines()

    def get_css_variables(self) -> dict[str, str]:
        return super().get_css_variables() | default_theme(ThemeFiles()).variables


async def test_muted_words_can_be_read_on_a_light_ground() -> None:
    app = OneLine()
    async with app.run_test():
        color = style_of(app.query_one(Lines), "dim").color
        assert color is not None
        assert max(color.get_truecolor()) < 150
