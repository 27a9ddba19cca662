"""The experiments as rows: which columns fit, and what stands in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.style import Style
from rich.text import Text

from tuner_tui.report.labels import BASELINE, short_label
from tuner_tui.report.words import duration_words, value_words
from tuner_tui.runs.experiment import ExperimentState, Launch
from tuner_tui.runs.snapshot import Snapshot
from tuner_tui.search.verdict import quantity
from tuner_tui.search.words import percent
from tuner_tui.task.model import Objective
from tuner_tui.ui.fit import cut_end, cut_name, headings
from tuner_tui.ui.run.lines import Styles

NARROW = 60
WIDE = 115
"""Cells of a table in a terminal of 120 columns, at least."""
_MOST_DOTS = 5
_LEAST_HEADING = 5
_LEAST_CONFIGURATION = 9
_LONGEST_VALUE = 18
_STATE = 20
_LONGEST_STATE = 30
_KEYS_OF_FLAGS = "flag:"


class Column(NamedTuple):
    """`key` names what stands in it (`flag:tp-size`: that flag's value)."""

    key: str
    heading: str
    width: int
    """With the gap to the next one …"""
    right: bool = False
    gap: int = 0

    @property
    def room(self) -> int:
        """… and without."""
        return self.width - self.gap


class Marks(NamedTuple):
    """What the verdict says of each experiment, by id."""

    leader: int | None
    tied: frozenset[int]
    breaks: frozenset[int]
    borderline: frozenset[int]
    differences: dict[int, str]


def marks_of(snapshot: Snapshot) -> Marks:
    verdict = snapshot.verdict
    tied = frozenset((verdict.leader, *verdict.tied_with)) if verdict.kind == "tie" else frozenset()
    return Marks(
        leader=verdict.leader,
        tied=frozenset(each for each in tied if each is not None),
        breaks=frozenset(verdict.breaks),
        borderline=frozenset(verdict.borderline),
        differences={each.experiment: f"{percent(each.relative)} %" for each in verdict.differences},
    )


def columns(
    experiments: Sequence[ExperimentState],
    differing: Sequence[str],
    width: int,
    *,
    longest_state: int | None = None,
    longest_score: int = 0,
    heading_lines: int = 1,
) -> tuple[Column, ...]:
    """What fits into `width` cells. Start-up time needs a wide terminal, KV tokens and differences one that is not
    narrow; flags share what is left, and become one column where that is too little for their values.

    `longest_state`: cells that STATE needs; None: as a run under way may. `longest_score`: those that SCORE does.
    `heading_lines`: a flag's name may be broken over so many.
    """
    wide, narrow = width >= WIDE, width < NARROW
    gap = 2 if wide else 1
    ids = len(str(max((each.id for each in experiments), default=0)))
    wanted = max((each.wanted for each in experiments), default=1)
    runs = max(4, wanted if wanted <= _MOST_DOTS else len(f"{wanted}/{wanted}"))
    score = max(8, longest_score)
    for_state, most = (max(_STATE, width // 4 - 2) if wide else _STATE), _LONGEST_STATE
    if narrow:
        for_state = most = max(5, width - (1 + ids + _LEAST_CONFIGURATION + runs + score) - 6 * gap)
    if longest_state is not None:
        for_state = min(most, max(5, longest_state))
    before = [Column("mark", "", 1), Column("id", "#".rjust(ids), ids, right=True)]
    after = [
        Column("launches", "RUNS", runs),
        Column("state", "STATE", for_state),
        *([Column("start", "START", 10, right=True)] if wide else []),
        *([] if narrow else [Column("kv", "KV TOKENS", 10, right=True)]),
        Column("score", "SCORE", score, right=True),
        *([] if narrow else [Column("difference", "", 8, right=True)]),
    ]
    left = width - sum(column.width + gap for column in (*before, *after))
    flags = _flag_columns(experiments, differing, left, gap, heading_lines)
    return tuple(column._replace(width=column.width + gap, gap=gap) for column in (*before, *flags, *after))


def _flag_columns(
    experiments: Sequence[ExperimentState], differing: Sequence[str], room: int, gap: int, lines: int
) -> list[Column]:
    least = {
        name: max(
            _LEAST_HEADING,
            min(_LONGEST_VALUE, max(len(value_words(each.configuration, name)) for each in experiments)),
        )
        for name in differing
    }
    room = max(room, _LEAST_CONFIGURATION)
    spare = room - sum(width + gap for width in least.values())
    if not differing or spare < 0:
        return [Column("configuration", "CONFIGURATION"[: room - gap], room - gap)]
    widths = dict(least)
    for most in range(lines, 0, -1):
        while spare > 0 and (short := [name for name in differing if not _fits(name, widths[name], most)]):
            widths[min(short, key=lambda name: widths[name])] += 1
            spare -= 1
    shown = {name: _heading(name.upper(), widths[name], lines) for name in differing}
    for heading in list(shown.values()):
        alike = [each for each in differing if _look_alike(shown[each], heading)]
        if len(alike) > 1:
            upper = [each.upper() for each in alike]
            shown |= {each: headings(upper, widths[each])[at] for at, each in enumerate(alike)}
    return [Column(_KEYS_OF_FLAGS + name, shown[name], widths[name]) for name in differing]


def _look_alike(one: str, other: str) -> bool:
    """Whether what is left of two names is the same, but for where they are cut."""
    begins, cut, ends = one.partition("…")
    other_begins, other_cut, other_ends = other.partition("…")
    same_begin = begins.startswith(other_begins) or other_begins.startswith(begins)
    return bool(cut and other_cut) and ends == other_ends and same_begin


def _broken(name: str, width: int) -> list[str]:
    """The name in lines of at most `width`, broken after dashes; what has none may be longer."""
    lines = [""]
    for part in name.replace("-", "-\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return lines


def _fits(name: str, width: int, lines: int) -> bool:
    broken = _broken(name, width)
    return len(broken) <= lines and all(len(line) <= width for line in broken)


def _heading(name: str, width: int, lines: int) -> str:
    broken = _broken(name, width)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], "".join(broken[lines - 1 :])]
    *first, last = broken
    return "\n".join([*(cut_end(line, width) for line in first), cut_name(last, width)])


def cell(
    column: Column,
    experiment: ExperimentState,
    objective: Objective,
    differing: Sequence[str],
    marks: Marks,
    style: Styles,
    *,
    doing: str = "",
    over: bool = False,
) -> Text:
    """`doing`: what its launch under way is doing. `over`: no runner works on the run any more."""
    leads = experiment.id == marks.leader
    look = Style(bold=True) if leads or doing else Style()
    match column.key:
        case "mark":
            words, look = _mark(experiment.id, marks, style)
        case "id":
            words = str(experiment.id)
        case "configuration":
            words = short_label(experiment, list(differing))
        case "launches":
            words = dots(experiment, over=over)
        case "state":
            words, look = state(experiment, marks, style, doing=doing, over=over)
        case "start":
            start_s = _latest(experiment, "start_s")
            words = duration_words(float(start_s)) if start_s is not None else ""
        case "kv":
            tokens = next(
                (launch.memory.kv_cache_tokens for launch in reversed(experiment.launches)
                 if launch.memory.kv_cache_tokens is not None),
                None,
            )  # fmt: skip
            words = f"{tokens:,}" if tokens is not None else ""
        case "score":
            words = score_words(objective, experiment.score.value) if experiment.score is not None else ""
            look = style("winner") + look if leads else look
        case "difference":
            words = marks.differences.get(experiment.id, "")
        case _:
            words = value_words(experiment.configuration, column.key.removeprefix(_KEYS_OF_FLAGS))
            words = BASELINE[: column.room] if experiment.id == 0 and words == "–" else words
    room = column.room
    if len(words) > room:
        words = words[: room - 1] + "…"
    return Text(words.rjust(room) if column.right else words, look, no_wrap=True)


def score_words(objective: Objective, value: float) -> str:
    """As short as a cell needs it: the objective is named once above the table."""
    return quantity(objective, value).replace("tokens/s per GPU", "tok/s").replace("requests/s per GPU", "req/s")


def _latest(experiment: ExperimentState, name: str) -> float | None:
    return next(
        (getattr(each, name) for each in reversed(experiment.launches) if getattr(each, name) is not None), None
    )


def _mark(experiment: int, marks: Marks, style: Styles) -> tuple[str, Style]:
    if experiment in marks.tied:
        return "≈", style("tied")
    if experiment == marks.leader:
        return "★", style("winner")
    return "", Style()


def dots(experiment: ExperimentState, *, over: bool = False) -> str:
    """`●●○`: launches done of those wanted; ◐ is under way, ✗ failed, ! invalid. Numbers where they are many."""
    launches = experiment.counted if over else experiment.launches
    signs = [_sign(launch) for launch in launches if launch.status != "interrupted"]
    wanted = max(experiment.wanted, len(signs))
    if wanted > _MOST_DOTS:
        return f"{len(experiment.counted)}/{wanted}"
    return "".join(signs) + "○" * (wanted - len(signs))


def _sign(launch: Launch) -> str:
    return {"succeeded": "●", "failed": "✗", "invalid": "!", None: "◐"}.get(launch.status, "")


def state(
    experiment: ExperimentState, marks: Marks, style: Styles, *, doing: str = "", over: bool = False
) -> tuple[str, Style]:
    """What is being done with it, or what came of it."""
    if experiment.status == "running":
        if not over:
            return doing or "starting", Style(bold=True)
        if not experiment.counted:
            return "given up", style("dim")
    if experiment.outcome == "failed":
        failure = experiment.failure
        words = failure.failure_class.replace("_", " ") if failure is not None else "failed"
        return ("skipped" if words == "stopped" else f"✗ {words}"), style("error")
    if experiment.outcome == "invalid":
        flags = [flag.name for launch in experiment.counted for flag in launch.validity if flag.disqualifies]
        return f"! invalid: {flags[0].replace('_', ' ')}" if flags else "! invalid", style("error")
    if experiment.outcome == "waiting":
        return ("not launched" if over else "waiting"), style("dim")
    if experiment.id in marks.breaks:
        return "✗ breaks a limit", style("warning")
    if experiment.id in marks.borderline:
        return "~ borderline", style("warning")
    if not over and len(experiment.counted) < experiment.wanted:
        return "waiting", style("dim")
    notes = sum(len(launch.validity) for launch in experiment.counted)
    return (f"✓ valid, {notes} note{'s' if notes > 1 else ''}" if notes else "✓ valid"), Style()
