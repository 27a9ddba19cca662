"""What the memory of one GPU went to: a stacked bar for each experiment, all to one scale."""

from __future__ import annotations

from rich.text import Text

from tuner_tui.engines.facts import Memory
from tuner_tui.runs.experiment import ExperimentState
from tuner_tui.ui.compare.chart import ChartInput, Colors, in_words, limited, missing, names, page
from tuner_tui.ui.run.memory import NAMES, SIGNS, Part, parts, stacked_bar

_LEAST_BAR = 8
_ROOM_FOR_LEGEND = 66
_TOLD = {"weights": "weights", "kv-cache": "KV", "graphs": "graphs", "other-memory": "other", "free-memory": "free"}


def draw_memory(given: ChartInput, width: int, height: int, colors: Colors) -> Text:
    experiments = given.chosen
    divided = {each.id: parts(_memory(each), None) for each in experiments}
    scale = max((total or sum(part.gib for part in found) for found, total in divided.values()), default=0.0)
    if not scale:
        return in_words("No engine has told of its memory yet: its log does, while it starts.", width, height, colors)
    named = names(given, width)
    name = max(map(len, named.values()))
    told = {each: _figures(found) for each, (found, _) in divided.items()}
    size = max(map(len, told.values()))
    # Figures beside the bar where it keeps half of the room, below it where lines are left, else the KV cache's alone.
    beside = size <= (width - name) // 2
    below = not beside and size < width - name and 2 * len(experiments) + 1 <= height
    if not beside and not below:
        told = {each: _figures([p for p in found if p.name == "kv-cache"]) for each, (found, _) in divided.items()}
        size = max(map(len, told.values()))
    room = max(_LEAST_BAR, width - name - 1 - (0 if below else size + 2))
    lines: list[Text] = []
    for each in experiments:
        found, total = divided[each.id]
        line = Text(named[each.id] + " ")
        if not found:
            line.append(missing(each) if each.status != "succeeded" else "not told", colors("dim"))
        else:
            whole = total or sum(part.gib for part in found)
            cells = max(1, round(whole / scale * room))
            stacked_bar(line, found, total, cells, colors)
            line.append(" " * (room - cells) + ("" if below else f"  {told[each.id]}"))
        if below and found:
            line.append(f"\n{' ' * (name + 1)}{told[each.id]}")
        lines += line.split("\n")
    legend = Text("GiB of one GPU  " if width >= _ROOM_FOR_LEGEND else "", colors("dim"))
    for part, sign in SIGNS.items():
        legend.append(sign, colors(part))
        legend.append(f" {NAMES[part]}  " if width >= _ROOM_FOR_LEGEND else f"{_TOLD[part]} ")
    return page([legend, *limited(lines, height - 1, colors, "" if below else "experiments")], width, height)


def _memory(experiment: ExperimentState) -> Memory:
    """Of the latest launch of which anything is known."""
    known = (launch.memory for launch in reversed(experiment.launches) if launch.memory != Memory())
    return next(known, Memory())


def _figures(found: list[Part]) -> str:
    return "  ".join(f"{_TOLD[part.name]} {part.gib:.2f}" for part in found)
