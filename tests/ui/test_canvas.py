"""A chart is drawn in a thread: keys go on, what takes long says so, and the last that was asked for is shown."""

from __future__ import annotations

import threading
from pathlib import Path

from rich.text import Text

from tests.ui.app_under_test import app_under_test, seen, settled
from tests.ui.runs_on_disk import finished_run
from tuner_tui.runs.view import RunReader
from tuner_tui.ui.compare.canvas import Canvas
from tuner_tui.ui.compare.chart import Chart, ChartInput, Colors


async def test_a_chart_that_takes_long_says_so_and_never_covers_a_later_one(tmp_path: Path) -> None:
    go_on = threading.Event()

    def slow(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
        go_on.wait(20)
        return Text("slow at last", colors("dim"))

    def quick(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
        return Text(f"quick, {height} lines", colors("series-1"))

    folder = finished_run(tmp_path / "runs", tmp_path)
    app = app_under_test(tmp_path, reader=RunReader(folder))
    async with app.run_test(size=(160, 45)) as pilot:
        await settled(pilot)
        await pilot.press("f5")
        await settled(pilot)
        assert app.view is not None and app.view.snapshot is not None
        given = ChartInput(snapshot=app.view.snapshot, experiments=(1, 2), folder=folder)
        canvas = app.screen.query_one(Canvas)
        try:
            canvas.show([("1 Slow chart", Chart(id="slow", title="Slow chart", draw=slow))], given)
            await seen(pilot, "drawing: Slow chart …")
            canvas.show([("2 Quick chart", Chart(id="quick", title="Quick chart", draw=quick))], given)
            await seen(pilot, "quick, ")
        finally:
            go_on.set()
        await settled(pilot)
        assert "quick, " in await seen(pilot, "quick, ")
        canvas.show([("1 Slow chart", Chart(id="slow", title="Slow chart", draw=slow))], given)
        await seen(pilot, "slow at last")
