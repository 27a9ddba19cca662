"""Charts of the Compare screen."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rich.style import Style
from rich.text import Text

from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.snapshot import Snapshot

Colors = Callable[[str], Style]


class ChartInput(msgspec.Struct, frozen=True):
    snapshot: Snapshot
    experiments: tuple[int, ...]
    folder: RunFolder | None
    parameter: str | None = None


class Chart(msgspec.Struct, frozen=True):
    id: str
    title: str
    draw: Callable[[ChartInput, int, int, Colors], Text]


def _draw(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    return Text("chart")


CHARTS = (Chart(id="levels", title="E2E by level", draw=_draw), Chart(id="parameter", title="parameter", draw=_draw))
