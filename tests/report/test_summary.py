"""The tables at the end of a run, in a terminal 80 columns wide."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from tests.report.some_run import CLEAR, run_of
from tuner_tui.report.summary import print_summary
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.task.model import Objective

THROUGHPUT = Objective(name="maximize_throughput", direction="maximize", metric="output_tokens_per_s_per_gpu")


def printed(snapshot: Snapshot) -> list[str]:
    sink = StringIO()
    print_summary(snapshot, Console(width=80, file=sink))
    return sink.getvalue().splitlines()


def test_nothing_is_cut_off_where_a_score_has_a_long_unit_and_differences_have_brackets() -> None:
    lines = printed(run_of(*CLEAR, [(0.3, 10.0), (0.2, 1700.0), (0.1, 900.0)], objective=THROUGHPUT))
    assert "…" not in "".join(lines)
    ranking = [line.split() for line in lines[5:8]]
    assert ranking == [
        ["≈", "tied", "2", "0.8", "1", "3", "1900.0"],
        ["1", "0.7", "1", "3", "1700.0", "−10.5", "%", "[−11.8,", "−9.2]"],
        ["≈", "tied", "3", "0.7", "2", "3", "248.3", "−86.9", "%", "[−100.0,", ">+999]"],
    ]
    head = " ".join(" ".join(lines[:5]).split())
    assert "tokens/s" in head
    assert "per GPU" in head
