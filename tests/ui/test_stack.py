"""Charts below each other."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tests.report.some_run import CLEAR, run_of
from tuner_tui.ui.compare.chart import Chart, ChartInput, Colors
from tuner_tui.ui.compare.charts import CHARTS
from tuner_tui.ui.compare.stack import stack

_RUN = run_of(*CLEAR)
_GIVEN = ChartInput(_RUN, tuple(each.id for each in _RUN.experiments), None)


def of_lines(name: str, most: int) -> tuple[str, Chart]:
    """Wants `most` lines, and takes as many of them as it gets."""

    def draw(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
        return Text("\n".join([name] * min(most, height)))

    return f"1 {name}", Chart(id=name, title=name, draw=draw)


def shown(charts: list[tuple[str, Chart]], height: int) -> list[str]:
    return stack(charts, _GIVEN, 12, height, lambda name: Style()).plain.split("\n")


def test_the_next_ones_are_drawn_in_what_the_first_leaves_over() -> None:
    charts = [of_lines("first", 5), of_lines("second", 4), of_lines("third", 99), of_lines("fourth", 4)]
    heading = "─ 1 {} ───────────"
    second, third = heading.format("second")[:12], heading.format("third")[:12]
    assert shown(charts, 40) == [*["first"] * 5, "", second, *["second"] * 4, "", third, *["third"] * 27]


def test_the_first_one_gets_all_it_wants_and_what_has_too_little_room_or_nothing_to_say_is_left_out() -> None:
    assert shown([of_lines("first", 99), of_lines("second", 4)], 40) == ["first"] * 40
    assert shown([of_lines("first", 5), of_lines("second", 4)], 16) == ["first"] * 5
    nothing = of_lines("nothing", 1)
    assert shown([of_lines("first", 5), nothing, of_lines("third", 3)], 40)[5:7] == ["", "─ 1 third ──"]


def test_what_is_drawn_is_never_higher_than_the_room() -> None:
    named = [(chart.title, chart) for chart in CHARTS]
    for at in range(len(named)):
        for height in range(4, 60):
            charts = [*named[at:], *named[:at]]
            assert stack(charts, _GIVEN, 50, height, lambda name: Style()).plain.count("\n") < height
