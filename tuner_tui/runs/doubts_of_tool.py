"""What cannot be checked where another program measured."""

from __future__ import annotations

from collections.abc import Sequence

from tuner_tui.load.model import LevelResult
from tuner_tui.runs.events import ValidityFlag


def tool_doubts(results: Sequence[LevelResult]) -> list[ValidityFlag]:
    """One note a launch, naming the tools other than our own generator."""
    tools = sorted({result.tool for result in results} - {"builtin"})
    if not tools:
        return []
    return [
        ValidityFlag(
            name="other_tool",
            disqualifies=False,
            seen=f"measured by {', '.join(tools)}: no moment of sending, no last token, no finish reason, no count of "
            "cached tokens; lengths are checked only where the scenario fixes them",
            threshold="builtin",
            advice="compare it only with what the same tool measured (docs/metrics.md, Beside genai-bench)",
        )
    ]
