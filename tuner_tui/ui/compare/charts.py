"""The charts of the Compare screen, in the order of their digits."""

from __future__ import annotations

from tuner_tui.ui.compare.chart import Chart, ChartInput, Colors
from tuner_tui.ui.compare.distribution_chart import draw_distribution
from tuner_tui.ui.compare.front_chart import draw_front
from tuner_tui.ui.compare.level_chart import draw_levels
from tuner_tui.ui.compare.memory_chart import draw_memory
from tuner_tui.ui.compare.parameter_chart import draw_parameter
from tuner_tui.ui.compare.scatter_chart import draw_scatter

__all__ = ["CHARTS", "Chart", "ChartInput", "Colors"]

CHARTS = (
    Chart(id="levels", title="E2E latency by level", draw=draw_levels),
    Chart(id="front", title="Throughput against latency", draw=draw_front),
    Chart(id="scatter", title="Launches' scores", draw=draw_scatter),
    Chart(id="memory", title="GPU memory", draw=draw_memory),
    Chart(id="parameter", title="Score by parameter", draw=draw_parameter),
    Chart(id="distribution", title="E2E and TTFT distribution", draw=draw_distribution),
)
