"""Whether a launch's numbers may be believed: DESIGN's rule 5. `docs/validity.md` lists every flag for people."""

from __future__ import annotations

from collections.abc import Sequence

from tuner_tui.load.model import LevelResult
from tuner_tui.runs.doubts_of_engine import engine_doubts, level_engine_doubts
from tuner_tui.runs.doubts_of_load import load_doubts
from tuner_tui.runs.doubts_of_machine import level_machine_doubts, machine_doubts
from tuner_tui.runs.doubts_of_score import score_doubts
from tuner_tui.runs.doubts_of_tool import tool_doubts
from tuner_tui.runs.events import ValidityFlag
from tuner_tui.runs.evidence import Evidence, LevelEvidence
from tuner_tui.search.limits import percentiles_used
from tuner_tui.task.model import Limit, Objective


def validity(
    objective: Objective,
    results: Sequence[LevelResult],
    limits: Sequence[Limit] = (),
    evidence: Evidence | None = None,
) -> tuple[ValidityFlag, ...]:
    """Every doubt about these levels and the launch as a whole, disqualifying ones first.

    Without `evidence` (a stored result, say) only what the load's own records show is doubted.
    """
    evidence = evidence or Evidence()
    seen = {level.level: level for level in evidence.levels}
    flags: list[ValidityFlag] = []
    for result in results:
        level = seen.get(result.load.name, LevelEvidence(level=result.name))
        relied_on = percentiles_used(objective, limits, result.name, held=result.sought is not None)
        flags += load_doubts(result, relied_on, level)
        flags += score_doubts(objective, result)
        flags += level_engine_doubts(result, level)
        flags += level_machine_doubts(level, evidence.cpus)
    flags += engine_doubts(evidence)
    flags += machine_doubts(evidence)
    flags += tool_doubts(results)
    return tuple(sorted(flags, key=lambda flag: not flag.disqualifies))
