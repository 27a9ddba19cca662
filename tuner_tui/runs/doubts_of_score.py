"""Whether there is what the objective asks for."""

from __future__ import annotations

from collections.abc import Iterator

from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import ValidityFlag
from tuner_tui.runs.score import level_value
from tuner_tui.search.words import metric_name
from tuner_tui.task.model import Objective


def score_doubts(objective: Objective, result: LevelResult) -> Iterator[ValidityFlag]:
    """A launch that was measured, but not in what it is to be judged by, has no score. Where no request succeeded,
    that is said elsewhere."""
    if objective.level not in (None, result.name) or not result.succeeded:
        return
    if level_value(objective, result.metrics, gpus=1) is None:
        yield ValidityFlag(
            name="no_score",
            disqualifies=True,
            level=result.name,
            seen=f"none of {result.succeeded} requests had a figure for the objective, {metric_name(objective)}",
            threshold="1 request",
            advice="outputs of one token, or that came in one piece, have no time per output token: ask for longer "
            "ones, or for another objective",
        )
