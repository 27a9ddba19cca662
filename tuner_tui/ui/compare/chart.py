"""What every chart is given, and how its lines are made to fit."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from tuner_tui.report.comparison import Mark
from tuner_tui.report.labels import short_labels
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.runs.folder import RunFolder
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.ui.run.lines import Styles

Colors = Styles
"""A name of the theme (`series-1`, `winner`, `dim`) → how it looks."""

_ROOM_FOR_LABELS = 60
"""Cells from which an experiment is named by its values, too."""
_SERIES = 6


class ChartInput(msgspec.Struct, frozen=True):
    """`experiments`: ids in the order they are drawn in. `parameter`: the flag that was chosen; None: none was."""

    snapshot: Snapshot
    experiments: tuple[int, ...]
    folder: RunFolder | None
    parameter: str | None = None

    @property
    def chosen(self) -> list[ExperimentState]:
        """In order; unknown ids are passed over."""
        by_id = {each.id: each for each in self.snapshot.experiments}
        return [by_id[each] for each in self.experiments if each in by_id]


class Chart(msgspec.Struct, frozen=True):
    """`draw` makes lines for a room of width × height cells, and says in words where there is nothing to draw."""

    id: str
    title: str
    draw: Callable[[ChartInput, int, int, Colors], Text]


MARKS: dict[Mark, tuple[str, str]] = {"best": ("★", "winner"), "tied": ("≈", "tied"), "ahead": ("?", "winner")}
"""Sign and name of its style. A row without a mark is not among them."""
MARKS_TOLD = ("★ best  ≈ tied  ? ahead, unconfirmed", "★ best ≈ tied ? ahead")


def series(position: int) -> str:
    """The style's name of the experiment at this place."""
    return f"series-{position % _SERIES + 1}"


def names(given: ChartInput, width: int) -> dict[int, str]:
    """Each id → `#3`, or `#3 0.8 · yes` where `width` allows; all of one length."""
    words = {each.id: f"#{each.id}" for each in given.chosen}
    digits = max(map(len, words.values()), default=0)
    if width >= _ROOM_FOR_LABELS:
        labels = short_labels(given.snapshot)
        words = {each: f"{name.ljust(digits)} {labels.get(each, '')}".rstrip() for each, name in words.items()}
    size = min(width // 4, max(map(cell_len, words.values()), default=0))
    return {each: fitted(name, size) for each, name in words.items()}


def fitted(words: str, size: int) -> str:
    """In exactly `size` cells, the end cut off with an ellipsis."""
    return words + " " * (size - cell_len(words)) if cell_len(words) <= size else set_cell_size(words, size - 1) + "…"


def head(width: int, colors: Colors, *wordings: str) -> Text:
    """A chart's first line: the first of the wordings (the longest first) that fits."""
    return Text(next((each for each in wordings if cell_len(each) <= width), wordings[-1]), colors("dim"))


def missing(experiment: ExperimentState) -> str:
    """Why it has no figure."""
    return {"failed": "✗ failed", "invalid": "! invalid", "waiting": "not measured", "running": "under way"}.get(
        experiment.status, "no figure"
    )


def limited(lines: Sequence[Text], room: int, colors: Colors, what: str = "") -> list[Text]:
    """At most `room` lines; what is left out is counted in the last."""
    if len(lines) <= room:
        return list(lines)
    if room <= 1:
        return list(lines[: max(0, room)])
    left_out = len(lines) - room + 1
    return [*lines[: room - 1], Text(f"… {left_out} more {what}".rstrip(), colors("dim"))]


def page(lines: Sequence[Text], width: int, height: int) -> Text:
    """One text that needs no more than the room."""
    shown = list(lines[: max(0, height)])
    for each in shown:
        each.rstrip()
        each.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True, end="").join(shown)


def in_words(sentence: str, width: int, height: int, colors: Colors) -> Text:
    """Where there is nothing to draw."""
    return page([Text(line, colors("dim")) for line in textwrap.wrap(sentence, max(1, width))], width, height)
